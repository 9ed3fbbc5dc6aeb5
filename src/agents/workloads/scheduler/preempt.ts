import { matchesSelector } from '../../../lib/kube/label-selector.ts'
import type { Budget } from '../budget/decide.ts'
import { conditionOf, timeMs } from '../meta.ts'
import type { Pod } from '../shapes.ts'
import { availabilityText, priorityOf, type Cluster, type Obstacle, type Room } from './cluster.ts'
import { obstacleTo } from './fit.ts'

/** Pods that must leave a node so that another fits, or why that does not help; what a pod was promised it keeps only where it may not ask for more. */
export type Preemption =
  | { readonly nodeName: string; readonly victims: readonly Pod[] }
  | { readonly nodeName: undefined; readonly why: string; readonly keepsPromise: boolean }

/** Why a pod leaves in favour of another, as its status says. */
export const PREEMPTED = 'PreemptionByScheduler'

type Candidate = { readonly nodeName: string; readonly victims: readonly Pod[]; readonly violations: number }

/**
 * Pure. Chooses a node and those pods of less priority that must leave it, as few as will do; the more important ones and those of spent budgets stay first.
 *
 * @see k8s.io/kubernetes/pkg/scheduler/framework/plugins/defaultpreemption
 */
export function preempt(pod: Pod, cluster: Cluster, obstacles: ReadonlyMap<Room, Obstacle>): Preemption {
  if (pod.spec.preemptionPolicy === 'Never')
    return { nodeName: undefined, why: 'not eligible due to preemptionPolicy=Never.', keepsPromise: true }
  if (isAwaited(pod, obstacles))
    return {
      nodeName: undefined,
      why: 'not eligible due to a terminating pod on the nominated node.',
      keepsPromise: true,
    }
  const candidates: Candidate[] = []
  const reasons: string[] = []
  for (const [room, { isForGood }] of obstacles) {
    const found = isForGood ? ['Preemption is not helpful for scheduling'] : candidateIn(pod, room, cluster)
    if ('victims' in found) candidates.push(found)
    else reasons.push(...found)
  }
  const [best] = candidates.sort(compareCandidates)
  return best ?? { nodeName: undefined, why: availabilityText(obstacles.size, reasons), keepsPromise: false }
}

/** Whether the pods that were told to leave have not left yet. */
function isAwaited(pod: Pod, obstacles: ReadonlyMap<Room, Obstacle>): boolean {
  const nominated = pod.status?.nominatedNodeName
  if (!nominated) return false
  return [...obstacles].some(
    ([{ node, pods }, { isForGood }]) =>
      !isForGood &&
      node.metadata.name === nominated &&
      pods.some((other) => wasPreempted(other) && priorityOf(other) < priorityOf(pod)),
  )
}

/** Whether the pod leaves because the scheduler has asked it to. */
function wasPreempted({ metadata, status }: Pod): boolean {
  const target = conditionOf(status?.conditions, 'DisruptionTarget')
  return metadata.deletionTimestamp !== undefined && target?.status === 'True' && target.reason === PREEMPTED
}

function candidateIn(pod: Pod, room: Room, cluster: Cluster): Candidate | readonly string[] {
  const lesser = room.pods.filter((other) => priorityOf(other) < priorityOf(pod)).sort(compareImportance)
  if (lesser.length === 0) return ['No preemption victims found for incoming pod']
  const keep = new Set(room.pods.filter((other) => !lesser.includes(other)))
  const obstacle = (): Obstacle | undefined =>
    obstacleTo(pod, { ...room, pods: room.pods.filter((other) => keep.has(other)) }, cluster)
  const inTheWay = obstacle()
  if (inTheWay !== undefined) return inTheWay.reasons
  const guarded = guardedAmong(lesser, cluster.budgets)
  for (const other of [...lesser.filter((each) => guarded.has(each)), ...lesser.filter((each) => !guarded.has(each))]) {
    keep.add(other)
    if (obstacle() !== undefined) keep.delete(other)
  }
  const victims = lesser.filter((other) => !keep.has(other))
  const violations = victims.filter((victim) => guarded.has(victim)).length
  return { nodeName: room.node.metadata.name, victims, violations }
}

/** Pods whose leaving their budgets do not allow, the ones before them having left. */
function guardedAmong(pods: readonly Pod[], budgets: readonly Budget[]): Set<Pod> {
  const left = new Map(budgets.map((budget) => [budget, Number(budget.status?.['disruptionsAllowed'] ?? 0)]))
  return new Set(
    pods.filter((pod) => {
      const own = budgets.filter((budget) => covers(budget, pod))
      for (const budget of own) left.set(budget, (left.get(budget) ?? 0) - 1)
      return own.some((budget) => (left.get(budget) ?? 0) < 0)
    }),
  )
}

function covers({ metadata, spec, status }: Budget, pod: Pod): boolean {
  return (
    metadata.namespace === pod.metadata.namespace &&
    Object.keys(spec.selector ?? {}).length > 0 &&
    matchesSelector(spec.selector, pod.metadata.labels) &&
    status?.disruptedPods?.[pod.metadata.name] === undefined
  )
}

/** A pod that has not started yet counts as one that starts now. */
const startOf = ({ status }: Pod): number => (status?.startTime === undefined ? Infinity : timeMs(status.startTime))

/** The more important one first: of more priority, or longer there. */
function compareImportance(a: Pod, b: Pod): number {
  return priorityOf(b) - priorityOf(a) || compareNumbers(startOf(a), startOf(b))
}

/** The lesser harm first. */
function compareCandidates(a: Candidate, b: Candidate): number {
  const harm = ({ violations, victims }: Candidate): number[] => [
    violations,
    Math.max(...victims.map(priorityOf)),
    victims.reduce((sum, victim) => sum + priorityOf(victim) + 2 ** 31, 0),
    victims.length,
    -earliestOf(victims),
  ]
  const [left, right] = [harm(a), harm(b)]
  return left.map((value, at) => compareNumbers(value, right[at] ?? 0)).find((order) => order !== 0) ?? 0
}

/** When the longest running of the most important victims started. */
function earliestOf(victims: readonly Pod[]): number {
  const highest = Math.max(...victims.map(priorityOf))
  return Math.min(...victims.filter((victim) => priorityOf(victim) === highest).map(startOf))
}

/** Order of numbers that may be infinite, where a difference would be none. */
const compareNumbers = (a: number, b: number): number => Number(a > b) - Number(a < b)
