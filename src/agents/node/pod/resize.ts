import { amounts } from '../../../lib/kube/quota.ts'
import { millis, wholes } from './limits.ts'
import type { Container, Pod, Resources } from './shapes.ts'

/** What this machine has at most. */
export type Capacity = { readonly cpuMillis: number; readonly memoryBytes: number }

type Seen = {
  readonly pod: Pod
  readonly runs: ReadonlyMap<string, { readonly exit?: unknown }>
  /** What the last run of a container was given, where that can be changed while it runs. */
  readonly given: ReadonlyMap<string, Resources>
  readonly capacity: Capacity
}

const AMOUNTS = ['cpu', 'memory'] as const
const LISTS = ['requests', 'limits'] as const

/** Containers that run with other amounts than the pod says now, and whether they want to be started anew for that. */
export function resizesOf(seen: Seen): readonly { readonly container: string; readonly isRestart: boolean }[] {
  if (whyInfeasible(seen) !== undefined) return []
  return [...seen.pod.spec.containers, ...(seen.pod.spec.initContainers ?? [])].flatMap((container) => {
    const given = seen.given.get(container.name)
    const run = seen.runs.get(container.name)
    if (given === undefined || run === undefined || run.exit !== undefined) return []
    const changed = AMOUNTS.filter((name) => !isSame(given, container.resources, name))
    if (changed.length === 0) return []
    return [{ container: container.name, isRestart: restarts(seen.pod, container, changed) }]
  })
}

/** Why the machine can never give the pod what it asks for; undefined when it can, and of a pod that was never started. */
export function whyInfeasible({ pod, capacity, given }: Seen): string | undefined {
  if (given.size === 0) return undefined
  const asked = (name: 'cpu' | 'memory'): bigint =>
    pod.spec.containers.reduce((sum, { resources }) => sum + (nanoOf(resources, 'requests', name) ?? 0n), 0n)
  const told = (name: string, requested: number, has: number): string =>
    `Node didn't have enough capacity: ${name}, requested: ${requested}, capacity: ${has}`
  const cpuMillis = millis(asked('cpu'))
  if (cpuMillis > capacity.cpuMillis) return told('cpu', cpuMillis, capacity.cpuMillis)
  const memoryBytes = wholes(asked('memory'))
  if (memoryBytes > capacity.memoryBytes) return told('memory', memoryBytes, capacity.memoryBytes)
  return undefined
}

function isSame(a: Resources, b: Resources | undefined, name: string): boolean {
  return LISTS.every((list) => nanoOf(a, list, name) === nanoOf(b, list, name))
}

const nanoOf = (resources: Resources | undefined, list: (typeof LISTS)[number], name: string): bigint | undefined =>
  amounts(resources?.[list]).get(name)?.nano

/** A pod that is not to be started again when it ends keeps running: its end would be that of the pod. */
function restarts({ spec }: Pod, { resizePolicy = [] }: Container, changed: readonly string[]): boolean {
  if ((spec.restartPolicy ?? 'Always') !== 'Always') return false
  return resizePolicy.some(
    ({ resourceName, restartPolicy }) => restartPolicy === 'RestartContainer' && changed.includes(resourceName),
  )
}
