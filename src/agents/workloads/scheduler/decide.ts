import { fitsLabels, hasUntolerated, isTolerated } from '../fitting.ts'
import { conditionOf, timeText } from '../meta.ts'
import { isFinishedPod } from '../pods.ts'
import type { Condition, Node, Pod, Taint } from '../shapes.ts'
import { addDemand, demandOf, milli, type Demand } from './resources.ts'

/** A node and what its pods ask for. */
export type Room = { readonly node: Node; readonly used: Demand }

/** Where a pod goes, or why it goes nowhere. */
export type Placement = { readonly nodeName: string } | { readonly nodeName: undefined; readonly why: string }

/** What keeps pods from a cordoned node, whether the taint is there yet or not. */
const CORDON: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

/** Whether the scheduler has to place the pod. */
export function isWaitingForNode(pod: Pod): boolean {
  return (
    !pod.spec.nodeName &&
    pod.metadata.deletionTimestamp === undefined &&
    !isFinishedPod(pod) &&
    (pod.spec.schedulerName ?? 'default-scheduler') === 'default-scheduler' &&
    (pod.spec.schedulingGates ?? []).length === 0
  )
}

/**
 * Pure. Chooses the node with the fewest pods among those that are Ready and fit: selector, required affinity, taints, CPU, memory and number of pods.
 */
export function placePod(pod: Pod, rooms: readonly Room[]): Placement {
  if (rooms.length === 0) return { nodeName: undefined, why: 'no nodes available to schedule pods' }
  const reasons = new Map<string, number>()
  const fitting = rooms.filter((room) => {
    const against = obstacles(pod, room)
    for (const reason of against) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    return against.length === 0
  })
  const best = fitting.sort((a, b) => a.used.pods - b.used.pods)[0]
  if (best) return { nodeName: best.node.metadata.name }
  const listed = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort()
  return { nodeName: undefined, why: `0/${rooms.length} nodes are available: ${listed.join(', ')}.` }
}

/** The pod's conditions with `PodScheduled=False`; the same list when they say so already. */
export function unscheduledConditions(pod: Pod, why: string, nowMs: number): readonly Condition[] {
  const conditions = pod.status?.conditions ?? []
  const before = conditionOf(conditions, 'PodScheduled')
  if (before?.status === 'False' && before.message === why) return conditions
  const kept = before?.status === 'False' ? before.lastTransitionTime : undefined
  const entry = {
    type: 'PodScheduled',
    status: 'False',
    lastProbeTime: null,
    lastTransitionTime: kept ?? timeText(nowMs),
    reason: 'Unschedulable',
    message: why,
  }
  return [...conditions.filter(({ type }) => type !== 'PodScheduled'), entry]
}

/** What a node already carries, its own pods' demands summed. */
export function usedBy(pods: readonly Pod[]): Demand {
  return pods
    .filter((pod) => !isFinishedPod(pod))
    .map((pod) => demandOf(pod))
    .reduce(addDemand, { cpu: 0, memory: 0, pods: 0 })
}

function obstacles(pod: Pod, { node, used }: Room): string[] {
  const isReady = conditionOf(node.status?.conditions, 'Ready')?.status === 'True'
  const tolerations = pod.spec.tolerations ?? []
  if (node.spec?.unschedulable && !isTolerated(CORDON, tolerations)) return ['node(s) were unschedulable']
  if (hasUntolerated(node, tolerations, ['NoSchedule', 'NoExecute'])) return [`node(s) had untolerated taint(s)`]
  if (!isReady) return ['node(s) were not ready']
  if (!fitsLabels(pod.spec, node)) return ["node(s) didn't match Pod's node affinity/selector"]
  const wish = addDemand(used, demandOf(pod))
  const { cpu, memory, pods } = node.status?.allocatable ?? {}
  return [
    ...(pods !== undefined && wish.pods > milli(pods) / 1000 ? ['Too many pods'] : []),
    ...(cpu !== undefined && wish.cpu > milli(cpu) ? ['Insufficient cpu'] : []),
    ...(memory !== undefined && wish.memory > milli(memory) / 1000 ? ['Insufficient memory'] : []),
  ]
}
