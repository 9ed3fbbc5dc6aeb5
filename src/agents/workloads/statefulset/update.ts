import { scaledValue } from '../meta.ts'
import type { Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { revisionLabel } from './identity.ts'
import { deletion } from './replicas.ts'
import { isLeaving, isServing, type Roster } from './roster.ts'
import { firstOrdinal, isOrdered, wantedReplicas } from './shapes.ts'

/**
 * Deletions that move pods to the update revision, highest ordinal first, never more than `maxUnavailable` (1 by default) missing at once. Pods below
 * the partition stay. Where pods need not be in order, those that do not serve anyway go first, whatever the limit.
 */
export function moveOn(roster: Roster): readonly Write[] {
  const { set } = roster
  const { type = 'RollingUpdate', rollingUpdate } = set.spec.updateStrategy ?? {}
  if (type !== 'RollingUpdate') return []
  const least = firstOrdinal(set) + (rollingUpdate?.partition ?? 0)
  const missing = wantedReplicas(set) - [...roster.pods.values()].filter((pod) => isServing(roster, pod)).length
  const mostMissing = scaledValue(rollingUpdate?.maxUnavailable ?? 1, wantedReplicas(set), 'down')
  const budget = Math.max(Math.max(mostMissing, 1) - missing, 0)
  const old = [...roster.pods]
    .filter(([ordinal, pod]) => ordinal >= least && isOld(roster, pod))
    .sort(([a], [b]) => b - a)
    .map(([, pod]) => pod)
  if (isOrdered(set)) return old.slice(0, budget).map((pod) => deletion(set, pod))
  const sick = old.filter((pod) => !isServing(roster, pod))
  const serving = old.filter((pod) => isServing(roster, pod)).slice(0, budget)
  return [...sick, ...serving].map((pod) => deletion(set, pod))
}

function isOld({ update }: Roster, pod: Pod): boolean {
  return revisionLabel(pod) !== update.metadata.name && !isLeaving(pod)
}
