import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { describeError, SluiceError } from '../../../lib/error/sluice-error.ts'
import type { Limits } from '../driver.ts'

/** Limits of containers, by control groups. */
export type Cgroups = {
  /** Why limits cannot be set here; undefined when they can. */
  readonly gap: string | undefined
  /** Whether the number of processes of a container is limited. */
  readonly limitsProcesses: boolean
  /** Makes the groups of a container and answers their folders. */
  readonly open: (key: string, limits: Limits) => readonly string[]
  /** The folders of the groups of a container. */
  readonly foldersOf: (key: string) => readonly string[]
  /** Gives the groups of a running container other limits. @throws SluiceError NODE_DRIVER when it uses more than that */
  readonly change: (key: string, limits: Limits) => void
  /** Whether the kernel killed a process of it for its memory. */
  readonly wasOutOfMemory: (key: string) => boolean
  /** The working set of a container that has a group for its memory: what is in use without what the kernel could drop at once. */
  readonly memoryOf: (key: string) => number | undefined
  readonly close: (key: string) => void
  /** Removes the groups of all containers that a pod had, also those whose keeper died over them. */
  readonly closePod: (uid: string) => void
}

/** What is written into a group, by file; files that this kernel does not have are left out. */
type Settings = Readonly<Record<string, number | string>>

const ROOT = '/sys/fs/cgroup'
const PERIOD_US = 100_000

/** Most processes and threads of a container, as nodes of clusters usually allow; a fork bomb stops there. */
export const MOST_PROCESSES = 1_024

/** The weight of a container against others, by the thousandths of a processor that it asked for. @see k8s.io/kubernetes/pkg/kubelet/cm (MilliCPUToShares) */
export function cpuShares(requestMillis: number): number {
  return Math.min(262_144, Math.max(2, Math.floor((requestMillis * 1024) / 1000)))
}

/**
 * Most process numbers that a pid namespace is given by its `pid_max`; undefined where its control group counts, or nobody can: before Linux 6.14
 * that number is the machine's.
 */
export function processesByNamespace({ limitsProcesses }: Pick<Cgroups, 'limitsProcesses'>): number | undefined {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  return limitsProcesses || major < 6 || (major === 6 && minor < 14) ? undefined : MOST_PROCESSES
}

/** Finds out which version of control groups can be written here. */
export function openCgroups(node: string): Cgroups {
  if (isWritable(join(ROOT, 'cgroup.subtree_control'))) return version2(join(ROOT, 'sluice', node))
  const controllers = ['memory', 'cpu'].filter((name) => isWritable(join(ROOT, name, 'cgroup.procs')))
  if (controllers.length === 2) return version1(node, isWritable(join(ROOT, 'pids', 'cgroup.procs')))
  return {
    gap: 'CPU limits are not enforced, memory limits only once a second: control groups cannot be written by this user',
    limitsProcesses: false,
    open: () => [],
    foldersOf: () => [],
    change: () => undefined,
    wasOutOfMemory: () => false,
    memoryOf: () => undefined,
    close: () => undefined,
    closePod: () => undefined,
  }
}

function version1(node: string, limitsProcesses: boolean): Cgroups {
  const parent = (controller: string): string => join(ROOT, controller, 'sluice', node)
  const controllers = ['memory', 'cpu', ...(limitsProcesses ? ['pids'] : [])]
  return {
    gap: undefined,
    limitsProcesses,
    open(key, limits) {
      // all pods together get what the processes of the machine get, and share it by what they asked for
      set(make(parent('cpu')), { 'cpu.shares': 1024 * cpus().length })
      const settings: Readonly<Record<string, Settings>> = {
        memory: memory1(limits),
        cpu: cpu1(limits),
        pids: { 'pids.max': MOST_PROCESSES },
      }
      return controllers.map((name) => set(make(join(parent(name), key)), settings[name] ?? {}))
    },
    foldersOf: (key) => controllers.map((name) => join(parent(name), key)),
    change(key, limits) {
      set(join(parent('cpu'), key), cpu1(limits))
      // the limit of memory is never above that of memory and swap: which goes first depends on the way
      const memory = Object.entries(memory1(limits))
      tryBoth(
        join(parent('memory'), key),
        [memory, [...memory].reverse()].map((each) => Object.fromEntries(each)),
      )
    },
    wasOutOfMemory: (key) => countIn(join(parent('memory'), key, 'memory.oom_control')) > 0,
    memoryOf: (key) => workingSet(join(parent('memory'), key), 'memory.usage_in_bytes', 'total_inactive_file'),
    close: (key) => controllers.forEach((name) => remove(join(parent(name), key))),
    closePod: (uid) => controllers.forEach((name) => removeOfPod(parent(name), uid)),
  }
}

function memory1({ memoryBytes }: Limits): Settings {
  if (memoryBytes === undefined) return {}
  // the second is the limit of memory and swap together: without it a hog swaps
  return { 'memory.limit_in_bytes': memoryBytes, 'memory.memsw.limit_in_bytes': memoryBytes }
}

function cpu1({ cpuMillis, cpuRequestMillis = 0 }: Limits): Settings {
  const shares = { 'cpu.shares': cpuShares(cpuRequestMillis) }
  if (cpuMillis === undefined) return shares
  return { ...shares, 'cpu.cfs_period_us': PERIOD_US, 'cpu.cfs_quota_us': quotaOf(cpuMillis) }
}

function version2(root: string): Cgroups {
  return {
    gap: undefined,
    limitsProcesses: true,
    open(key, limits) {
      make(root)
      for (const parent of [ROOT, join(ROOT, 'sluice'), root])
        set(parent, { 'cgroup.subtree_control': '+memory +cpu +pids' })
      return [set(make(join(root, key)), { 'pids.max': MOST_PROCESSES, ...settings2(limits) })]
    },
    foldersOf: (key) => [join(root, key)],
    change: (key, limits) => tryBoth(join(root, key), [settings2(limits)]),
    wasOutOfMemory: (key) => countIn(join(root, key, 'memory.events')) > 0,
    memoryOf: (key) => workingSet(join(root, key), 'memory.current', 'inactive_file'),
    close: (key) => remove(join(root, key)),
    closePod: (uid) => removeOfPod(root, uid),
  }
}

function settings2({ memoryBytes, cpuMillis, cpuRequestMillis = 0 }: Limits): Settings {
  const shares = cpuShares(cpuRequestMillis)
  return {
    // the scale of shares is 2 to 262144, that of weights 1 to 10000
    'cpu.weight': Math.min(10_000, 1 + Math.floor(((shares - 2) * 9999) / 262_142)),
    ...(memoryBytes === undefined ? {} : { 'memory.max': memoryBytes, 'memory.swap.max': 0, 'memory.oom.group': 1 }),
    ...(cpuMillis === undefined ? {} : { 'cpu.max': `${quotaOf(cpuMillis)} ${PERIOD_US}` }),
  }
}

/** Writes the first settings that the kernel takes. */
function tryBoth(folder: string, ways: readonly Settings[]): void {
  let last: unknown
  for (const settings of ways) {
    try {
      return void set(folder, settings)
    } catch (error) {
      last = error
    }
  }
  throw new SluiceError('NODE_DRIVER', `its control group takes no such limits: ${describeError(last)}`, {
    retry: 'backoff',
  })
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

function set(folder: string, settings: Settings): string {
  const files = new Set(readdirSync(folder))
  for (const [file, value] of Object.entries(settings))
    if (files.has(file)) writeFileSync(join(folder, file), String(value))
  return folder
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

function removeOfPod(parent: string, uid: string): void {
  if (!existsSync(parent)) return
  for (const name of readdirSync(parent)) if (name.startsWith(`${uid}.`)) remove(join(parent, name))
}

function remove(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // not there, or its last process is just leaving
  }
}
