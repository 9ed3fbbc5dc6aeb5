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
import { dirname, join } from 'node:path'
import { describeError, SluiceError } from '../../../lib/error/sluice-error.ts'
import type { Limits } from '../driver.ts'

/** Limits of containers, by control groups. */
export type Cgroups = {
  /** Why limits cannot be set here; undefined when they can. */
  readonly gap: string | undefined
  /** Whether the number of processes of a container is limited. */
  readonly limitsProcesses: boolean
  /** Makes the groups of a container and answers their folders; within those of its pod where the key is `POD/CONTAINER`. */
  readonly open: (key: string, limits: Limits, ofPod?: Limits) => readonly string[]
  /** The folders of the groups of a container. */
  readonly foldersOf: (key: string) => readonly string[]
  /** Gives the groups of a running container and of its pod other limits. @throws SluiceError NODE_DRIVER when it uses more than that */
  readonly change: (key: string, limits: Limits, ofPod: Limits) => void
  /** Whether the kernel killed a process of it for its memory. */
  readonly wasOutOfMemory: (key: string) => boolean
  /** The working set of a container that has a group for its memory: what is in use without what the kernel could drop at once. */
  readonly memoryOf: (key: string) => number | undefined
  readonly close: (key: string) => void
  /** Removes the group of a pod and those that its containers had, also those whose keeper died over them; false while a process is just leaving one. */
  readonly closePod: (pod: string) => boolean
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
    closePod: () => true,
  }
}

function version1(node: string, limitsProcesses: boolean): Cgroups {
  const parent = (controller: string): string => join(ROOT, controller, 'sluice', node)
  const controllers = ['memory', 'cpu', ...(limitsProcesses ? ['pids'] : [])]
  return {
    gap: undefined,
    limitsProcesses,
    open(key, limits, ofPod) {
      // all pods together get what the processes of the machine get, and share it by what they asked for
      set(make(parent('cpu')), { 'cpu.shares': 1024 * cpus().length })
      if (ofPod !== undefined) {
        for (const name of controllers) make(join(parent(name), podOf(key)))
        limit1(parent, podOf(key), ofPod)
      }
      const settings: Readonly<Record<string, Settings>> = {
        memory: memory1(limits),
        cpu: cpu1(limits),
        pids: { 'pids.max': MOST_PROCESSES },
      }
      return controllers.map((name) => set(make(join(parent(name), key)), settings[name] ?? {}))
    },
    foldersOf: (key) => controllers.map((name) => placeOf(parent(name), key)),
    change(key, limits, ofPod) {
      inEitherOrder(
        () => limit1(parent, podOf(key), ofPod),
        () => limit1(parent, key, limits),
      )
    },
    wasOutOfMemory: (key) => countIn(join(placeOf(parent('memory'), key), 'memory.oom_control')) > 0,
    memoryOf: (key) => workingSet(placeOf(parent('memory'), key), 'memory.usage_in_bytes', 'total_inactive_file'),
    close: (key) => controllers.forEach((name) => remove(placeOf(parent(name), key))),
    closePod: (pod) => controllers.map((name) => removeOfPod(parent(name), pod)).every((isGone) => isGone),
  }
}

/** The group of a pod, of which a key names a container. */
const podOf = (key: string): string => dirname(key)

/** The group of a container; one that an older server made stands beside those of the pods. */
function placeOf(parent: string, key: string): string {
  const former = join(parent, key.replace('/', '.'))
  return existsSync(former) ? former : join(parent, key)
}

/** Limits of a group that is there; where there is none, as of pods that an older server began, nothing. */
function limit1(parent: (controller: string) => string, key: string, limits: Limits): void {
  const [cpu, memory] = [placeOf(parent('cpu'), key), placeOf(parent('memory'), key)]
  if (existsSync(cpu)) set(cpu, cpu1(limits))
  // the limit of memory is never above that of memory and swap: which goes first depends on the way
  const settings = Object.entries(memory1(limits))
  const ways = [settings, [...settings].reverse()].map((each) => Object.fromEntries(each))
  if (existsSync(memory)) tryBoth(memory, ways)
}

/** A pod is never given less than its container: which is changed first depends on the way. */
function inEitherOrder(first: () => void, second: () => void): void {
  try {
    first()
    second()
  } catch {
    second()
    first()
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
    open(key, limits, ofPod) {
      const parents = [ROOT, join(ROOT, 'sluice'), root, ...(ofPod === undefined ? [] : [join(root, podOf(key))])]
      for (const parent of parents) set(make(parent), { 'cgroup.subtree_control': '+memory +cpu +pids' })
      if (ofPod !== undefined) tryBoth(join(root, podOf(key)), [settings2(ofPod)])
      return [set(make(join(root, key)), { 'pids.max': MOST_PROCESSES, ...OOM_GROUP, ...settings2(limits) })]
    },
    foldersOf: (key) => [placeOf(root, key)],
    change(key, limits, ofPod) {
      const pod = join(root, podOf(key))
      if (existsSync(pod)) tryBoth(pod, [settings2(ofPod)])
      tryBoth(placeOf(root, key), [settings2(limits)])
    },
    wasOutOfMemory: (key) => countIn(join(placeOf(root, key), 'memory.events')) > 0,
    memoryOf: (key) => workingSet(placeOf(root, key), 'memory.current', 'inactive_file'),
    close: (key) => remove(placeOf(root, key)),
    closePod: (pod) => removeOfPod(root, pod),
  }
}

/** A container whose memory is over ends as a whole; of its pod only one. */
const OOM_GROUP: Settings = { 'memory.oom.group': 1 }

function settings2({ memoryBytes, cpuMillis, cpuRequestMillis = 0 }: Limits): Settings {
  const shares = cpuShares(cpuRequestMillis)
  return {
    // the scale of shares is 2 to 262144, that of weights 1 to 10000
    'cpu.weight': Math.min(10_000, 1 + Math.floor(((shares - 2) * 9999) / 262_142)),
    ...(memoryBytes === undefined ? {} : { 'memory.max': memoryBytes, 'memory.swap.max': 0 }),
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

/** The groups of a pod, those beside it that an older server made included; answers whether they are gone. */
function removeOfPod(parent: string, pod: string): boolean {
  const within = (folder: string): string[] =>
    (existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : []).flatMap((entry) =>
      entry.isDirectory() ? [join(folder, entry.name)] : [],
    )
  const own = join(parent, pod)
  const all = [...within(parent).filter((folder) => folder.startsWith(`${own}.`)), ...within(own), own]
  all.forEach(remove)
  return !all.some((folder) => existsSync(folder))
}

function remove(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // not there, or its last process is just leaving
  }
}
