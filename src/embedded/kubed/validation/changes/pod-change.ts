import { internalForm } from '../../../../lib/kube-schema/go-types.ts'
import { equal, type Json, type JsonObject, listOf, numberOf, objectOf, objectsOf } from '../../../../lib/kube/json.ts'
import { asGiven } from '../../decoding/emptied.ts'
import type { FieldError } from '../../fault.ts'
import { checkGatedChange } from './gated-change.ts'
import { linesOf, unifiedDiff } from './diff-text.ts'
import { forbid, invalidValue } from '../fault-list.ts'

const WHY =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'
const LONGEST_DEADLINE_SECONDS = 2_147_483_647

/** Faults of a changed spec of a pod. @see k8s.io/kubernetes/pkg/apis/core/validation ValidatePodUpdate */
export function checkPodChange(spec: JsonObject, old: JsonObject, errors: FieldError[]): void {
  for (const list of ['containers', 'initContainers'])
    if (objectsOf(spec[list]).length !== objectsOf(old[list]).length)
      return forbid(errors, `spec.${list}`, 'pod updates may not add or remove containers')
  if (!checkDeadline(spec, old, errors)) return
  checkTolerations(spec, old, errors)
  checkGates(spec, old, errors)
  const kept = withWhatMayChange(checkGatedChange(spec, old, errors), old)
  const [before, after] = [old, kept].map((each) => internalForm('core/PodSpec', each))
  if (before === undefined || after === undefined || equal(before, after)) return
  const told = internalForm('core/PodSpec', withWhatMayChange(checkGatedChange(objectOf(asGiven(spec)), old, []), old))
  forbid(errors, 'spec', `${WHY}\n${unifiedDiff(linesOf(before), linesOf(told))}`)
}

/** Answers false when nothing else is to be told. */
function checkDeadline(spec: JsonObject, old: JsonObject, errors: FieldError[]): boolean {
  const at = 'spec.activeDeadlineSeconds'
  const [wanted, had] = [spec, old].map((each) => numberOf(each.activeDeadlineSeconds))
  if (wanted === undefined) {
    if (had !== undefined) invalidValue(errors, at, null, 'must not update from a positive integer to nil value')
    return true
  }
  if (wanted < 0 || wanted > LONGEST_DEADLINE_SECONDS) {
    invalidValue(errors, at, wanted, `must be between 0 and ${LONGEST_DEADLINE_SECONDS}, inclusive`)
    return false
  }
  if (had === undefined || wanted <= had) return true
  invalidValue(errors, at, wanted, 'must be less than or equal to previous value')
  return false
}

/** What was tolerated stays so; how long may change. */
function checkTolerations(spec: JsonObject, old: JsonObject, errors: FieldError[]): void {
  const bare = ({ tolerationSeconds: _seconds, ...toleration }: JsonObject): JsonObject => toleration
  const kept = objectsOf(spec.tolerations).map(bare)
  if (objectsOf(old.tolerations).every((had) => kept.some((each) => equal(each, bare(had))))) return
  forbid(errors, 'spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')
}

function checkGates(spec: JsonObject, old: JsonObject, errors: FieldError[]): void {
  const had = new Set(objectsOf(old.schedulingGates).map(({ name }) => name))
  for (const [index, { name }] of objectsOf(spec.schedulingGates).entries())
    if (!had.has(name))
      forbid(
        errors,
        `spec.schedulingGates[${index}].name`,
        `only deletion is allowed, but found new scheduling gate '${String(name)}'`,
      )
}

/** The new spec with the old values of all that may differ. */
function withWhatMayChange(spec: JsonObject, old: JsonObject): JsonObject {
  const grace = numberOf(old.terminationGracePeriodSeconds)
  const mayEnd = grace !== undefined && grace < 0 && spec.terminationGracePeriodSeconds === 1
  return {
    ...spec,
    containers: withImages(spec.containers, old.containers),
    ...(spec.initContainers === undefined
      ? {}
      : { initContainers: withImages(spec.initContainers, old.initContainers) }),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    schedulingGates: old.schedulingGates,
    tolerations: old.tolerations,
    ephemeralContainers: old.ephemeralContainers,
    ...(mayEnd ? { terminationGracePeriodSeconds: grace } : {}),
  }
}

function withImages(list: Json | undefined, old: Json | undefined): Json[] {
  const images = objectsOf(old).map(({ image }) => image)
  return listOf(list).map((each, index) => ({ ...objectsOf([each])[0], image: images[index] }))
}
