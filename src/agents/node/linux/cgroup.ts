import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Limits of containers, by control groups. */
export type Cgroups = {
  /** Why limits cannot be set here; undefined when they can. */
  readonly gap: string | undefined
  /** Makes the groups of a container and answers their folders. */
  readonly open: (
    key: string,
    limits: { readonly memoryBytes?: number; readonly cpuMillis?: number },
  ) => readonly string[]
  /** Whether the kernel killed a process of it for its memory. */
  readonly wasOutOfMemory: (key: string) => boolean
  /** The working set of a container that has a group for its memory: what is in use without what the kernel could drop at once. */
  readonly memoryOf: (key: string) => number | undefined
  readonly close: (key: string) => void
}

const ROOT = '/sys/fs/cgroup'
const PERIOD_US = 100_000

/** Finds out which version of control groups can be written here. */
export function openCgroups(node: string): Cgroups {
  if (isWritable(join(ROOT, 'cgroup.subtree_control'))) return version2(join(ROOT, 'sluice', node))
  const controllers = ['memory', 'cpu'].filter((name) => isWritable(join(ROOT, name, 'cgroup.procs')))
  if (controllers.length === 2) return version1(node)
  return {
    gap: 'CPU and memory limits are not enforced: control groups cannot be written by this user',
    open: () => [],
    wasOutOfMemory: () => false,
    memoryOf: () => undefined,
    close: () => undefined,
  }
}

function version1(node: string): Cgroups {
  const folder = (controller: string, key: string): string => join(ROOT, controller, 'sluice', node, key)
  return {
    gap: undefined,
    open(key, { memoryBytes, cpuMillis }) {
      const made: string[] = []
      if (memoryBytes !== undefined) {
        made.push(make(folder('memory', key)))
        write(folder('memory', key), 'memory.limit_in_bytes', memoryBytes)
      }
      if (cpuMillis !== undefined) {
        made.push(make(folder('cpu', key)))
        write(folder('cpu', key), 'cpu.cfs_period_us', PERIOD_US)
        write(folder('cpu', key), 'cpu.cfs_quota_us', quotaOf(cpuMillis))
      }
      return made
    },
    wasOutOfMemory: (key) => countIn(join(folder('memory', key), 'memory.oom_control')) > 0,
    memoryOf: (key) => workingSet(folder('memory', key), 'memory.usage_in_bytes', 'total_inactive_file'),
    close(key) {
      for (const controller of ['memory', 'cpu']) remove(folder(controller, key))
    },
  }
}

function version2(root: string): Cgroups {
  return {
    gap: undefined,
    open(key, { memoryBytes, cpuMillis }) {
      if (memoryBytes === undefined && cpuMillis === undefined) return []
      make(root)
      for (const parent of [ROOT, join(ROOT, 'sluice'), root]) write(parent, 'cgroup.subtree_control', '+memory +cpu')
      const folder = make(join(root, key))
      if (memoryBytes !== undefined) write(folder, 'memory.max', memoryBytes)
      if (cpuMillis !== undefined) write(folder, 'cpu.max', `${quotaOf(cpuMillis)} ${PERIOD_US}`)
      return [folder]
    },
    wasOutOfMemory: (key) => countIn(join(root, key, 'memory.events')) > 0,
    memoryOf: (key) => workingSet(join(root, key), 'memory.current', 'inactive_file'),
    close: (key) => remove(join(root, key)),
  }
}

function quotaOf(cpuMillis: number): number {
  return Math.max(1_000, Math.round((cpuMillis * PERIOD_US) / 1000))
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function make(folder: string): string {
  mkdirSync(folder, { recursive: true })
  return folder
}

function write(folder: string, file: string, value: number | string): void {
  writeFileSync(join(folder, file), String(value))
}

function workingSet(folder: string, usage: string, droppable: string): number | undefined {
  try {
    const used = Number(readFileSync(join(folder, usage), 'utf8'))
    const stat = readFileSync(join(folder, 'memory.stat'), 'utf8')
    return Math.max(0, used - Number(new RegExp(`^${droppable} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0))
  } catch {
    return undefined
  }
}

function countIn(path: string): number {
  if (!existsSync(path)) return 0
  return Number(/^oom_kill (\d+)$/m.exec(readFileSync(path, 'utf8'))?.[1] ?? 0)
}

function remove(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // not there, or its last process is just leaving
  }
}
