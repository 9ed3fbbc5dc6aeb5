import { isObject, type Json, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { type Obj, specOf } from '../object.ts'

/**
 * Writes what `matchLabelKeys` and `mismatchLabelKeys` of a new pod mean into the selectors beside them: its own values of those labels.
 *
 * @see k8s.io/kubernetes/pkg/registry/core/pod `mutatePodAffinity`, `mutateTopologySpreadConstraints`
 */
export function writeLabelKeys(pod: Obj): void {
  const { affinity, topologySpreadConstraints } = specOf(pod)
  const { podAffinity, podAntiAffinity } = objectOf(affinity)
  const labels = pod.metadata.labels ?? {}
  const terms = [podAffinity, podAntiAffinity].flatMap((each) => {
    const {
      requiredDuringSchedulingIgnoredDuringExecution: hard,
      preferredDuringSchedulingIgnoredDuringExecution: soft,
    } = objectOf(each)
    return [...objectsOf(hard), ...objectsOf(soft).map(({ podAffinityTerm }) => objectOf(podAffinityTerm))]
  })
  for (const term of [...terms, ...objectsOf(topologySpreadConstraints)]) {
    addKeys(term, term.matchLabelKeys, 'In', labels)
    addKeys(term, term.mismatchLabelKeys, 'NotIn', labels)
  }
}

function addKeys(
  { labelSelector }: JsonObject,
  keys: Json | undefined,
  operator: 'In' | 'NotIn',
  labels: JsonObject,
): void {
  if (!isObject(labelSelector)) return
  const added = listOf(keys).flatMap((key): JsonObject[] => {
    const value = labels[stringOf(key)]
    return value === undefined ? [] : [{ key: stringOf(key), operator, values: [value] }]
  })
  if (added.length > 0) labelSelector.matchExpressions = [...listOf(labelSelector.matchExpressions), ...added]
}
