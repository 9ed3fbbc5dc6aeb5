import { existsSync, realpathSync } from 'node:fs'
import type { ContainerStart, PodId, SandboxSpec } from '../driver.ts'
import { cpuShares, MOST_PROCESSES } from '../linux/cgroup.ts'
import { reap } from '../linux/init-script.ts'
import { NETWORK } from '../linux/network.ts'

/** What the node writes on everything that it makes in the engine, so that it finds it again and nobody else's. */
export const LABELS = {
  node: 'dev.sluice.node',
  kind: 'dev.sluice.kind',
  uid: 'dev.sluice.uid',
  container: 'dev.sluice.container',
  attempt: 'dev.sluice.attempt',
  image: 'dev.sluice.image',
  keeper: 'dev.sluice.keeper',
} as const

/** A limit of the kernel that containers are started with. */
export type Ulimit = { readonly Name: string; readonly Soft: number; readonly Hard: number }

/** What all bodies of a node share. */
export type Place = {
  /** Names this node in the engine. */
  readonly node: string
  readonly network: string
  readonly gateway: string
  /** The image of the node's own containers, which is empty: they see the machine's programs read-only. */
  readonly emptyImage: string
  /** Only where the engine's own limits cannot be set. */
  readonly ulimits: readonly Ulimit[]
}

/** Docker's and the kernel's bounds of a processor's time. */
const PERIOD_US = 100_000
const LOGS = { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } } as const

/**
 * A harmless power that no container is given: the kernel lets nobody look into a process that has more powers, and through that of the
 * sandbox containers that share its processes would see the machine's programs.
 */
const ABOVE_ALL = 'WAKE_ALARM'

/** Name of a container: the node's, the pod's, its own. */
export function nameOf(place: Place, ...parts: readonly (string | number)[]): string {
  return ['sluice', place.node, ...parts].join('-')
}

/** The container that holds a pod's network: it knows the way to the Services, and sleeps. Its first process may be that of all of the pod. */
export function sandboxBody(place: Place, pod: PodId, { sysctls, sharesProcesses }: SandboxSpec): object {
  const route = `ip route replace default via "$1" && ${reap('sleep infinity')}`
  return {
    ...ownProgram(place, ['sh', '-c', route, 'sh', place.gateway], 'sandbox'),
    Hostname: pod.name.slice(0, 63),
    Labels: { [LABELS.node]: place.node, [LABELS.kind]: 'sandbox', [LABELS.uid]: pod.uid },
    HostConfig: {
      ...ownHost(place, sharesProcesses ? [ABOVE_ALL] : []),
      Sysctls: Object.fromEntries(sysctls.map(({ name, value }) => [name, value])),
    },
  }
}

/** The container that carries the Services: it has their addresses, and the keeper runs in it. */
export function gatewayBody(
  place: Place,
  o: { readonly folder: string; readonly keeper: string; readonly program: readonly string[] },
): object {
  const script = `ip route replace local ${NETWORK.services} dev lo && umask 0 && exec "$@"`
  return {
    ...ownProgram(place, ['sh', '-c', script, 'sh', ...o.program], 'gateway'),
    Labels: { [LABELS.node]: place.node, [LABELS.kind]: 'gateway', [LABELS.keeper]: o.keeper },
    HostConfig: { ...ownHost(place), Binds: [...machinePrograms(), `${o.folder}:${o.folder}`] },
    NetworkingConfig: { EndpointsConfig: { [place.network]: { IPAMConfig: { IPv4Address: place.gateway } } } },
  }
}

/** A container of a pod, in the network of its sandbox. */
export function containerBody(place: Place, start: ContainerStart, image: string): object {
  const { limits, user, tty, stdin } = start
  const [program = '', ...words] = start.command
  return {
    Image: image,
    Entrypoint: [program],
    Cmd: words,
    Env: start.env.map(([name, value]) => `${name}=${value}`),
    WorkingDir: start.workingDir || '/',
    ...(user === '' ? {} : { User: user }),
    Tty: tty,
    OpenStdin: stdin !== 'none',
    StdinOnce: stdin === 'once',
    Labels: {
      [LABELS.node]: place.node,
      [LABELS.kind]: 'container',
      [LABELS.uid]: start.uid,
      [LABELS.container]: start.container,
      [LABELS.attempt]: String(start.attempt),
      [LABELS.image]: start.image.id,
    },
    HostConfig: {
      NetworkMode: `container:${nameOf(place, start.uid)}`,
      ...pidMode(place, start),
      Mounts: start.binds.map(({ source, target, readOnly }) => ({
        Type: 'bind',
        Source: source,
        Target: target,
        ReadOnly: readOnly,
      })),
      ReadonlyRootfs: start.readOnlyRoot,
      GroupAdd: start.groups.map(String),
      SecurityOpt: ['no-new-privileges'],
      ...(start.capabilities && { CapDrop: ['ALL'], CapAdd: start.capabilities.map((name) => name.toUpperCase()) }),
      PidsLimit: MOST_PROCESSES,
      OomScoreAdj: limits.outOfMemoryScore ?? 0,
      ...(limits.memoryBytes === undefined ? {} : { Memory: limits.memoryBytes, MemorySwap: limits.memoryBytes }),
      ...(limits.cpuMillis === undefined
        ? {}
        : { CpuPeriod: PERIOD_US, CpuQuota: Math.max(1_000, limits.cpuMillis * 100) }),
      ...(limits.cpuRequestMillis === undefined ? {} : { CpuShares: cpuShares(limits.cpuRequestMillis) }),
      ...common(place),
    },
  }
}

function pidMode(place: Place, { uid, joins, sharesProcesses }: ContainerStart): object {
  if (sharesProcesses) return { PidMode: `container:${nameOf(place, uid)}` }
  return joins === undefined ? {} : { PidMode: `container:${nameOf(place, joins.uid, joins.container, joins.attempt)}` }
}

function ownProgram({ emptyImage }: Place, words: readonly string[], kind: string): object {
  const [program = '', ...rest] = words
  return {
    Image: emptyImage,
    Entrypoint: [program],
    Cmd: rest,
    Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
    WorkingDir: '/',
    Hostname: kind,
  }
}

function ownHost(place: Place, powers: readonly string[] = []): object {
  return { NetworkMode: place.network, CapAdd: ['NET_ADMIN', ...powers], Binds: machinePrograms(), ...common(place) }
}

function common({ ulimits }: Place): object {
  return { LogConfig: LOGS, RestartPolicy: { Name: 'no' }, ...(ulimits.length === 0 ? {} : { Ulimits: ulimits }) }
}

/** Where programs and libraries of a Linux machine are; each may be a link into another. */
function machinePrograms(): string[] {
  return ['/usr', '/bin', '/sbin', '/lib', '/lib64'].flatMap((folder) =>
    existsSync(folder) ? [`${realpathSync(folder)}:${folder}:ro`] : [],
  )
}
