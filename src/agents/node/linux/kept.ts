import type { ContainerId, Sandbox } from '../driver.ts'
import type { Kept } from '../keeper/messages.ts'
import type { Cgroups } from './cgroup.ts'
import type { LinuxMode, LinuxPaths } from './container.ts'
import type { Launched } from './launch.ts'

/** What the keeper remembers for us about a process. */
export type Meta =
  | ({
      readonly kind: 'sandbox'
      /** Volumes in memory are mounted in a mount namespace of its own. */
      readonly hasMounts?: true
      /** Its containers are in one process namespace, which it holds. */
      readonly sharesProcesses?: true
    } & Sandbox)
  | ({
      readonly kind: 'container'
      readonly imageId: string
      readonly user: string
      readonly tty: boolean
      /** Limits that no control group keeps, of itself and of all of its pod. */
      readonly memoryBytes?: number
      readonly podMemoryBytes?: number
    } & ContainerId)

/** The parts of the driver. */
export type Linux = {
  readonly paths: LinuxPaths
  readonly mode: LinuxMode
  readonly launched: Launched
  readonly cgroups: Cgroups
  readonly octets: Map<string, number>
  readonly removing: Set<string>
  readonly routes: Set<string>
  /** Runs that were ended because they used too much memory. */
  readonly tooLarge: Set<string>
  lastOctet: number
}

/** The keeper's key of a container. */
export function keyOf({ uid, container, attempt }: ContainerId): string {
  return `container/${uid}/${container}/${attempt}`
}

/** Its control group, within that of its pod. */
export function groupOf({ uid, container, attempt }: ContainerId): string {
  return `${uid}/${container}.${attempt}`
}

/** What the keeper remembers for us. */
export function metaOf({ meta }: Kept): Meta | undefined {
  return typeof meta === 'object' && meta !== null && 'kind' in meta ? (meta as Meta) : undefined
}
