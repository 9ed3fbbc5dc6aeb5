import { internalForm } from '../../../../lib/kube-schema/go-types.ts'
import { equal, type Json, type JsonObject, objectOf, objectsOf } from '../../../../lib/kube/json.ts'
import { asGiven } from '../../decoding/emptied.ts'
import type { FieldError } from '../../fault.ts'
import { type Obj, specOf } from '../../object.ts'
import { selectorText } from '../kinds/apps-checks.ts'
import { invalidValue } from '../fault-list.ts'

const IMMUTABLE = 'field is immutable'
/** What of a pod decides where it runs. */
const PLACING = ['nodeSelector', 'tolerations', 'schedulingGates']

/** Faults of a changed job. A job that waits may still change where its pods will run, and with how much. @see k8s.io/kubernetes/pkg/apis/batch/validation ValidateJobSpecUpdate */
export function checkJobChange(job: Obj, before: Obj, errors: FieldError[]): void {
  const [spec, old] = [specOf(job), specOf(before)]
  checkCompletions(spec, old, errors)
  if (!equal(spec.selector, old.selector)) invalidValue(errors, 'spec.selector', selectorText(spec.selector), IMMUTABLE)
  const [template, last] = [objectOf(spec.template), objectOf(old.template)]
  const givenTemplate = objectOf(asGiven(template))
  if (old.suspend !== true) {
    if (!equal(templateText(template), templateText(last)))
      invalidValue(errors, 'spec.template', templateText(givenTemplate), IMMUTABLE)
    return
  }
  const isWaiting = mayChange(before)
  const allowed = isWaiting ? withPlacing(last, template) : last
  const kept = isWaiting ? withResources(objectOf(allowed.spec), objectOf(template.spec)) : objectOf(allowed.spec)
  const [wanted, had] = [objectOf(template.spec), kept].map((each) => internalForm('core/PodSpec', each))
  if (!isWaiting && !equal(templateText(template), templateText(last)))
    return invalidValue(errors, 'spec.template', templateText(givenTemplate), IMMUTABLE)
  if (wanted !== undefined && !equal(wanted, had))
    invalidValue(errors, 'spec.template.spec', objectOf(templateText(givenTemplate).Spec), IMMUTABLE)
}

const templateText = (template: JsonObject): JsonObject => internalForm('core/PodTemplateSpec', template)

/** A job may change its pods when it has none: it says that it is suspended, or it never began. */
function mayChange({ status }: Obj): boolean {
  const { active, conditions, startTime } = objectOf(status)
  if (typeof active === 'number' && active > 0) return false
  const isTold = objectsOf(conditions).some((each) => each.type === 'Suspended' && each.status === 'True')
  return startTime === undefined || isTold
}

function checkCompletions(spec: JsonObject, old: JsonObject, errors: FieldError[]): void {
  const { completions, parallelism } = spec
  if (completions === old.completions) return
  if (spec.completionMode !== 'Indexed') return invalidValue(errors, 'spec.completions', completions, IMMUTABLE)
  if (completions !== undefined && completions !== parallelism)
    invalidValue(errors, 'spec.completions', completions, 'can only be modified in tandem with spec.parallelism')
}

function withPlacing(last: JsonObject, template: JsonObject): JsonObject {
  const [spec, old] = [objectOf(template.spec), objectOf(last.spec)]
  const placed: JsonObject = { ...old, affinity: affinityOf(objectOf(old.affinity), spec.affinity) }
  for (const field of PLACING) placed[field] = spec[field]
  return { ...last, spec: placed }
}

/** The affinity to nodes may change, that to other pods may not. */
function affinityOf(old: JsonObject, wanted: Json | undefined): Json | undefined {
  const next = { ...old, nodeAffinity: objectOf(wanted).nodeAffinity }
  return Object.values(next).some((each) => each !== undefined) || wanted !== undefined ? next : undefined
}

function withResources(old: JsonObject, spec: JsonObject): JsonObject {
  const out = { ...old }
  for (const list of ['containers', 'initContainers']) {
    const wanted = objectsOf(spec[list])
    const had = objectsOf(old[list])
    if (wanted.length !== had.length || old[list] === undefined) continue
    out[list] = had.map((each, index) =>
      each.name === wanted[index]?.name ? { ...each, resources: wanted[index]?.resources } : each,
    )
  }
  return out
}
