import { refOf } from '../../../lib/kube/object.ts'
import type { WorkloadDecision } from '../decision.ts'
import { isSame, timeText } from '../meta.ts'
import type { Node, Taint } from '../shapes.ts'
import type { Write } from '../write.ts'

/** A node, and whether it was not known before; or what is known of one that has gone. */
export type NodeSeen =
  | { readonly node: Node; readonly isNew: boolean }
  | { readonly gone: { readonly name: string; readonly uid: string | undefined } }

const TTL = 'node.alpha.kubernetes.io/ttl'

/** Labels that go by two names: the present one, and the one by which programs of old look for it. */
const LABELS: readonly (readonly [present: string, former: string])[] = ['os', 'arch'].map(
  (name) => [`kubernetes.io/${name}`, `beta.kubernetes.io/${name}`] as const,
)

/** Pure. Tells of a node that is new or has gone, and gives it the annotation and the labels that programs of old read. */
export function decideRegistration(seen: NodeSeen): WorkloadDecision {
  if ('gone' in seen) return { kind: 'done', status: [tellOf(seen.gone, 'RemovingNode', 'Removing Node', 'from')] }
  const { node, isNew } = seen
  const { name, uid, annotations } = node.metadata
  const missing = {
    ...(annotations?.[TTL] === undefined && { annotations: { [TTL]: '0' } }),
    ...formerLabels(node.metadata.labels),
  }
  const annotate: Write = { do: 'patch', ref: refOf(node), type: 'merge', body: { metadata: missing } }
  return {
    kind: 'done',
    status: [
      ...(isNew ? [tellOf({ name, uid }, 'RegisteredNode', 'Registered Node', 'in')] : []),
      ...(Object.keys(missing).length > 0 ? [annotate] : []),
    ],
  }
}

function formerLabels(labels: Readonly<Record<string, string>> = {}): { readonly labels?: Record<string, string> } {
  const stale = LABELS.flatMap(([present, former]) => {
    const value = labels[present]
    return value === undefined || labels[former] === value ? [] : [[former, value] as const]
  })
  return stale.length === 0 ? {} : { labels: Object.fromEntries(stale) }
}

function tellOf(
  { name, uid }: { readonly name: string; readonly uid: string | undefined },
  reason: string,
  what: string,
  where: string,
): Write {
  // its Events are in the namespace default: as an object it has none, and no version is told of it
  const about = { apiVersion: 'v1', kind: 'Node', metadata: { name, ...(uid !== undefined && { uid }) } }
  const message = `Node ${name} event: ${what} ${name} ${where} Controller`
  return { do: 'tell', tell: { about, type: 'Normal', reason, message } }
}

/** A node, and when it was looked at. */
export type TaintsSeen = { readonly node: Node; readonly nowMs: number }

/** Taints that follow conditions: the condition's type, and the status in which it holds. */
const BY_CONDITION: readonly (readonly [type: string, status: string, key: string])[] = [
  ['Ready', 'False', 'node.kubernetes.io/not-ready'],
  ['Ready', 'Unknown', 'node.kubernetes.io/unreachable'],
  ['MemoryPressure', 'True', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'True', 'node.kubernetes.io/disk-pressure'],
  ['PIDPressure', 'True', 'node.kubernetes.io/pid-pressure'],
  ['NetworkUnavailable', 'True', 'node.kubernetes.io/network-unavailable'],
]
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable'
const OWN = new Set([...BY_CONDITION.map(([, , key]) => key), UNSCHEDULABLE])

/**
 * Pure. Keeps the taints that tell the scheduler what a node's conditions say; taints of others stay.
 *
 * A node that has said nothing yet loses the taint that it was created with, as in Kubernetes.
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-nodes-by-condition
 */
export function decideTaints({ node, nowMs }: TaintsSeen): WorkloadDecision {
  const conditions = node.status?.conditions ?? []
  const holds = BY_CONDITION.filter(([type, status]) =>
    conditions.some((condition) => condition.type === type && condition.status === status),
  ).map(([, , key]) => key)
  const wanted = node.spec?.unschedulable === true ? [...holds, UNSCHEDULABLE] : holds
  const before = node.spec?.taints ?? []
  const isOwn = ({ key, effect }: Taint): boolean => effect === 'NoSchedule' && OWN.has(key)
  const kept = before.filter((taint) => !isOwn(taint) || wanted.includes(taint.key))
  const missing = wanted.filter((key) => !kept.some((taint) => isOwn(taint) && taint.key === key))
  const taints = [...kept, ...missing.map((key): Taint => ({ key, effect: 'NoSchedule', timeAdded: timeText(nowMs) }))]
  if (isSame(taints, before)) return { kind: 'done', status: [] }
  const { taints: _old, ...spec } = node.spec ?? {}
  const object = { ...node, spec: taints.length > 0 ? { ...spec, taints } : spec }
  return { kind: 'done', status: [{ do: 'replace', object }] }
}
