import { type LabelSelector, matchesSelector } from '../../../lib/kube/label-selector.ts'
import { fitsLabels, hasUntolerated } from '../fitting.ts'
import type { Node, Pod, SpreadConstraint } from '../shapes.ts'
import type { Cluster, Obstacle, Room } from './cluster.ts'

/** Whether a pod on the node would make a group of pods less even than it says it may be. */
export function spreadObstacle(pod: Pod, room: Room, cluster: Cluster): Obstacle | undefined {
  const hard = (pod.spec.topologySpreadConstraints ?? []).filter(
    ({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule',
  )
  const reason = "node(s) didn't match pod topology spread constraints"
  for (const constraint of hard) {
    const domain = room.node.metadata.labels?.[constraint.topologyKey]
    if (domain === undefined) return { reasons: [`${reason} (missing required label)`], isForGood: true }
    const counts = countsOf(pod, constraint, hard, cluster)
    const own = matchesSelector(constraint.labelSelector, pod.metadata.labels) ? 1 : 0
    if ((counts.get(domain) ?? 0) + own - leastOf(counts, constraint) > constraint.maxSkew)
      return { reasons: [reason], isForGood: false }
  }
  return undefined
}

/** The constraint's pods in each domain that counts, those without any included. */
function countsOf(
  pod: Pod,
  constraint: SpreadConstraint,
  all: readonly SpreadConstraint[],
  { rooms }: Cluster,
): Map<string, number> {
  const counts = new Map<string, number>()
  const { labelSelector } = constraint
  for (const { node, pods } of rooms) {
    const domain = node.metadata.labels?.[constraint.topologyKey]
    if (domain === undefined || !isCounted(pod, constraint, all, node)) continue
    const matching = pods.filter(
      ({ metadata: { namespace, labels, deletionTimestamp } }) =>
        namespace === pod.metadata.namespace &&
        deletionTimestamp === undefined &&
        !selectsAll(labelSelector) &&
        matchesSelector(labelSelector, labels),
    )
    counts.set(domain, (counts.get(domain) ?? 0) + matching.length)
  }
  return counts
}

function isCounted(pod: Pod, constraint: SpreadConstraint, all: readonly SpreadConstraint[], node: Node): boolean {
  const { nodeAffinityPolicy = 'Honor', nodeTaintsPolicy = 'Ignore' } = constraint
  if (all.some(({ topologyKey }) => node.metadata.labels?.[topologyKey] === undefined)) return false
  if (nodeAffinityPolicy === 'Honor' && !fitsLabels(pod.spec, node)) return false
  return nodeTaintsPolicy === 'Ignore' || !hasUntolerated(node, pod.spec.tolerations ?? [], ['NoSchedule', 'NoExecute'])
}

/** Such a selector fits every pod, but the original counts none by it. */
function selectsAll({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}): boolean {
  return Object.keys(matchLabels).length + matchExpressions.length === 0
}

function leastOf(counts: ReadonlyMap<string, number>, { minDomains = 1 }: SpreadConstraint): number {
  return counts.size < minDomains ? 0 : Math.min(...counts.values())
}
