import { conditionOf, timeText } from '../meta.ts'
import { isFinishedPod } from '../pods.ts'
import type { Condition, Pod } from '../shapes.ts'
import { availabilityText, type Cluster, type Obstacle, priorityOf, type Room } from './cluster.ts'
import { namedNodes, obstacleTo } from './fit.ts'
import { preempt } from './preempt.ts'
import { changesFor, type ClaimChange, claimProblem, claimsForNode, hasNode } from './storage.ts'

/** Where a pod goes; or why it goes nowhere yet, and which pods have to leave which node for it. */
export type Placement =
  | { readonly kind: 'bind'; readonly nodeName: string }
  | {
      readonly kind: 'preempt'
      readonly nodeName: string
      readonly victims: readonly Pod[]
      /** Less important pods that were promised room on that node, and are not any more. */
      readonly renouncing: readonly Pod[]
      readonly why: string
    }
  /** What it was promised before goes, unless it is kept. */
  | { readonly kind: 'wait'; readonly why: string; readonly keepsPromise: boolean }
  /** It has a node as soon as its claims have their volumes: these changes are needed for that. */
  | { readonly kind: 'claim'; readonly nodeName: string; readonly claims: readonly ClaimChange[] }

/** The pod's affinity names nodes, and this is none of them. */
const UNNAMED: Obstacle = { reasons: ["node(s) didn't satisfy plugin(s) [NodeAffinity]"], isForGood: true }

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
 * Pure. Chooses the node with the fewest pods among those where nothing keeps the pod away; where there is none, the pods of less priority that have to leave.
 */
export function placePod(pod: Pod, cluster: Cluster): Placement {
  const { rooms } = cluster
  if (rooms.length === 0) return { kind: 'wait', why: 'no nodes available to schedule pods', keepsPromise: false }
  const problem = claimProblem(pod, cluster.storage)
  if (problem !== undefined)
    return { kind: 'wait', why: `0/${rooms.length} nodes are available: ${problem}. not found`, keepsPromise: false }
  const claims = claimsForNode(pod, cluster.storage)
  if (claims.length > 0 && claims.every(hasNode)) return { kind: 'claim', nodeName: '', claims: [] }
  const obstacles = new Map<Room, Obstacle>()
  const fitting: Room[] = []
  const names = namedNodes(pod)
  for (const room of rooms) {
    const isNamed = names === undefined || names.has(room.node.metadata.name)
    const obstacle = isNamed ? obstacleTo(pod, room, cluster) : UNNAMED
    if (obstacle === undefined) fitting.push(room)
    else obstacles.set(room, obstacle)
  }
  const [best] = fitting.sort((a, b) => a.pods.length - b.pods.length)
  if (best && claims.length > 0)
    return { kind: 'claim', nodeName: best.node.metadata.name, claims: changesFor(claims, best.node, cluster.storage) }
  if (best) return { kind: 'bind', nodeName: best.node.metadata.name }
  const reasons = [...obstacles.values()].flatMap((obstacle) => obstacle.reasons)
  const why =
    names?.size === 0
      ? `0/${rooms.length} nodes are available: pod affinity terms conflict.`
      : availabilityText(rooms.length, reasons)
  const found = preempt(pod, cluster, obstacles)
  if (found.nodeName === undefined)
    return { kind: 'wait', why: `${why} preemption: ${found.why}`, keepsPromise: found.keepsPromise }
  const hope = `found a potential placement for pod on node ${found.nodeName}, preempting ${found.victims.length} victims`
  const renouncing = rooms
    .filter(({ node }) => node.metadata.name === found.nodeName)
    .flatMap(({ nominated }) => nominated.filter((other) => priorityOf(other) < priorityOf(pod)))
  return { kind: 'preempt', ...found, renouncing, why: `${why} preemption: ${hope}` }
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
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    lastProbeTime: null,
    lastTransitionTime: kept ?? timeText(nowMs),
    reason: 'Unschedulable',
    message: why,
  }
  return [...conditions.filter(({ type }) => type !== 'PodScheduled'), entry]
}
