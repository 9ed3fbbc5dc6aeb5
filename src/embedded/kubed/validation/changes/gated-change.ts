import { internalForm } from '../../../../lib/kube-schema/go-types.ts'
import { equal, type JsonObject, listOf, objectOf, objectsOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { invalidValue } from '../fault-list.ts'

const TERMS = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'

/**
 * A pod that waits at a gate may be bound to fewer nodes than before. Tells what is more than that, and answers the spec as if nothing of
 * it had changed.
 *
 * @see k8s.io/kubernetes/pkg/apis/core/validation ValidatePodUpdate
 */
export function checkGatedChange(spec: JsonObject, old: JsonObject, errors: FieldError[]): JsonObject {
  if (listOf(old.schedulingGates).length === 0) return spec
  checkSelector(objectOf(spec.nodeSelector), objectOf(old.nodeSelector), errors)
  const { nodeSelector: _wanted, ...rest } = spec
  const kept = old.nodeSelector === undefined ? rest : { ...rest, nodeSelector: old.nodeSelector }
  const [is, was] = [spec, old].map(nodeAffinityOf)
  if (equal(is ?? null, was ?? null)) return kept
  checkAffinity(objectOf(is), objectOf(was), errors)
  return withAffinity(kept, old, was)
}

const nodeAffinityOf = ({ affinity }: JsonObject): JsonObject['nodeAffinity'] => objectOf(affinity).nodeAffinity

function checkSelector(wanted: JsonObject, had: JsonObject, errors: FieldError[]): void {
  if (Object.keys(had).every((name) => wanted[name] === had[name])) return
  const why = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'
  invalidValue(errors, 'spec.nodeSelector', wanted, why)
}

const termsOf = (affinity: JsonObject): JsonObject[] =>
  objectsOf(objectOf(affinity.requiredDuringSchedulingIgnoredDuringExecution).nodeSelectorTerms)

function checkAffinity(wanted: JsonObject, had: JsonObject, errors: FieldError[]): void {
  const [is, was] = [termsOf(wanted), termsOf(had)]
  const told = is.map((term) => internalForm('core/NodeSelectorTerm', term))
  if (was.length > 0 && was.length !== is.length) {
    const why = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'
    return invalidValue(errors, TERMS, is.length === 0 ? null : told, why)
  }
  was.forEach((term, index) => {
    if (onlyAdds(is[index] ?? {}, term)) return
    const why = 'only additions are allowed (no mutations or deletions)'
    invalidValue(errors, `${TERMS}[${index}]`, told[index], why)
  })
}

const CONDITIONS = ['matchExpressions', 'matchFields'] as const

/** A term without conditions selects nothing, and must go on to. */
function onlyAdds(wanted: JsonObject, had: JsonObject): boolean {
  const all = CONDITIONS.map((list) => ({ is: objectsOf(wanted[list]), was: objectsOf(had[list]) }))
  if (all.every(({ was }) => was.length === 0)) return all.every(({ is }) => is.length === 0)
  return all.every(({ is, was }) => equal(is.slice(0, was.length), was))
}

/** The spec with the old affinity to nodes; what stood for it alone goes with it. */
function withAffinity(spec: JsonObject, old: JsonObject, was: JsonObject['nodeAffinity']): JsonObject {
  const { affinity, ...rest } = spec
  const { nodeAffinity: _is, ...others } = objectOf(affinity)
  if (was !== undefined) return { ...rest, affinity: { ...others, nodeAffinity: was } }
  return old.affinity === undefined && Object.keys(others).length === 0 ? rest : { ...rest, affinity: others }
}
