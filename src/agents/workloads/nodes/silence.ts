import { refOf } from '../../../lib/kube/object.ts'
import type { WorkloadDecision } from '../decision.ts'
import { conditionOf, timeText } from '../meta.ts'
import type { Condition, Node, Pod, Taint } from '../shapes.ts'
import type { Telling, Write } from '../write.ts'

/** How a zone of nodes is: as usual, with most of its nodes lost, or with all of them. */
export type ZoneState = 'normal' | 'partial' | 'full'

/** What the decision about a node that may have fallen silent needs. */
export type SilenceSeen = {
  readonly node: Node
  /** Pods on it. */
  readonly pods: readonly Pod[]
  /** When its kubelet last showed a sign of life, as far as we have seen. */
  readonly heardMs: number
  readonly zone: ZoneState
  /** Every zone of the cluster is lost: rather than all nodes, we have lost the network, and nothing is evicted. */
  readonly isAllLost: boolean
  readonly nowMs: number
}

/** kube-controller-manager's `--node-monitor-grace-period`, and `--node-startup-grace-period` for one that never spoke. */
const GRACE_MS = 50_000
const STARTUP_MS = 60_000
const TOLD = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']
const KEYS: Readonly<Record<string, string>> = {
  False: 'node.kubernetes.io/not-ready',
  Unknown: 'node.kubernetes.io/unreachable',
}

/**
 * Pure. A node that is silent for too long is of unknown health; its pods are not ready either, and the taint of a node that is not ready evicts
 * those that do not tolerate it.
 *
 * @see k8s.io/kubernetes/pkg/controller/nodelifecycle
 */
export function decideSilence(seen: SilenceSeen): WorkloadDecision {
  const { node, heardMs, nowMs } = seen
  const ready = conditionOf(node.status?.conditions, 'Ready')
  const leftMs = heardMs + (ready === undefined ? STARTUP_MS : GRACE_MS) - nowMs
  if (leftMs < 0) {
    const conditions = unknownConditions(node, nowMs)
    // the node comes last: while it is ready, all of this is done again
    const fallen =
      ready?.status === 'True' ? [...seen.pods.flatMap((pod) => notReady(pod, nowMs)), tellFallen(node)] : []
    if (conditions !== undefined) return act([...fallen, statusWrite(node, conditions)])
  }
  if (ready === undefined) return { kind: 'done', status: [], againAfterMs: leftMs + 1 }
  const tainted = taintWrites(seen, KEYS[ready.status])
  if (tainted.length > 0) return act(tainted)
  return { kind: 'done', status: [], ...(leftMs >= 0 && { againAfterMs: leftMs + 1 }) }
}

/** Pure. How the nodes of a zone are, by whether each is ready. */
export function zoneStateOf(areReady: readonly boolean[]): ZoneState {
  const lost = areReady.filter((isReady) => !isReady).length
  if (lost > 0 && lost === areReady.length) return 'full'
  return lost > 2 && lost / areReady.length >= 0.55 ? 'partial' : 'normal'
}

/** The conditions once nobody vouches for them; `undefined` when that is told of the node: what else is told of it then stays. */
function unknownConditions(node: Node, nowMs: number): readonly Condition[] | undefined {
  const before = node.status?.conditions ?? []
  if (conditionOf(before, 'Ready')?.status === 'Unknown') return undefined
  const now = timeText(nowMs)
  const changed = before.map((condition): Condition => {
    if (!TOLD.includes(condition.type) || condition.status === 'Unknown') return condition
    const message = 'Kubelet stopped posting node status.'
    return { ...condition, status: 'Unknown', reason: 'NodeStatusUnknown', message, lastTransitionTime: now }
  })
  const missing = TOLD.filter((type) => !before.some((condition) => condition.type === type)).map(
    (type): Condition => ({
      ...{ type, status: 'Unknown', reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.' },
      lastHeartbeatTime: node.metadata.creationTimestamp ?? now,
      lastTransitionTime: now,
    }),
  )
  return [...changed, ...missing]
}

function statusWrite(node: Node, conditions: readonly Condition[]): Write {
  return { do: 'replace', object: { ...node, status: { ...node.status, conditions } }, subresource: 'status' }
}

function tellFallen({ metadata: { name, uid } }: Node): Write {
  const about = { apiVersion: 'v1', kind: 'Node', metadata: { name, ...(uid !== undefined && { uid }) } }
  const message = `Node ${name} status is now: NodeNotReady`
  return { do: 'tell', tell: { about, type: 'Normal', reason: 'NodeNotReady', message } }
}

function notReady(pod: Pod, nowMs: number): Write[] {
  const conditions = pod.status?.conditions ?? []
  const ready = conditionOf(conditions, 'Ready')
  if (ready === undefined || ready.status === 'False') return []
  const changed = conditions.map((each) =>
    each.type === 'Ready' ? { ...each, status: 'False', lastTransitionTime: timeText(nowMs) } : each,
  )
  const tell: Telling = { about: pod, type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' }
  return [
    { do: 'replace', object: { ...pod, status: { ...pod.status, conditions: changed } }, subresource: 'status', tell },
  ]
}

/** The taint that evicts: none where all is lost, and no new one in a zone that has lost most of its nodes. */
function taintWrites({ node, zone, isAllLost, nowMs }: SilenceSeen, key: string | undefined): Write[] {
  const wanted = isAllLost ? undefined : key
  const before = node.spec?.taints ?? []
  const isOwn = (taint: Taint): boolean => taint.effect === 'NoExecute' && Object.values(KEYS).includes(taint.key)
  const kept = before.filter((taint) => !isOwn(taint) || taint.key === wanted)
  const isMissing = wanted !== undefined && zone !== 'partial' && !kept.some(isOwn)
  if (kept.length === before.length && !isMissing) return []
  const taints = isMissing ? [...kept, { key: wanted, effect: 'NoExecute', timeAdded: timeText(nowMs) }] : kept
  return [{ do: 'patch', ref: refOf(node), type: 'merge', body: taintsBody(node, taints) }]
}

/** With the version, so that nobody's taint is lost. */
function taintsBody({ metadata }: Node, taints: readonly Taint[]): object {
  return { metadata: { resourceVersion: metadata.resourceVersion }, spec: { taints } }
}

function act(changes: readonly Write[]): WorkloadDecision {
  return { kind: 'act', changes }
}
