import { type JsonObject, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { schemaFor } from '../../../lib/kube-schema/builtin.ts'
import type { FieldType } from '../../../lib/kube-schema/schema.ts'
import { toStored } from '../conversion/convert.ts'
import type { Resource } from '../resources/resource.ts'
import type { Call } from '../request/call.ts'
import type { FieldError } from '../fault.ts'
import { type Obj, specOf } from '../object.ts'
import { isDefinition } from '../resources/definitions.ts'
import { EPHEMERAL, RESIZE, writesStatus } from '../resources/resource.ts'
import { validateCustom } from './custom/custom.ts'
import { checkNewEvent } from './kinds/event-checks.ts'
import { checkNewJob } from './kinds/batch-checks.ts'
import { checkPodAnnotations } from './pods/annotation-checks.ts'
import { checkEphemeralChange } from './changes/ephemeral-change.ts'
import { tellsChangesFirst, validateChange } from './changes/immutable.ts'
import { validateDefinition, validateDefinitionStatus } from './definitions/definition-checks.ts'
import { validateMeta } from './meta.ts'
import { newFaults } from './new-faults.ts'
import { checkNewPod } from './pods/pod-checks.ts'
import { checkResize } from './pods/resize-checks.ts'
import { validateStatus } from './kinds/status-checks.ts'
import { orderFaults } from './told-last.ts'
import { validateFields } from './walk.ts'

/** All faults of an object. A status write checks metadata and status: the rest stays as it was, unless the object is new. */
export function validateObject(call: Call, object: Obj, before: Obj | undefined): FieldError[] {
  return orderFaults(call.resource.storageKey, faultsOf(call, object, before))
}

function faultsOf(call: Call, object: Obj, before: Obj | undefined): FieldError[] {
  const { resource } = call
  const errors = validateMeta(resource, object, before)
  if (resource.custom !== undefined) {
    const types = { type: resource.type, written: resource.custom.written }
    const isStatus = before !== undefined && writesStatus(call.subresource)
    const warn = (warning: string): void => void call.warnings.push(warning)
    return [...errors, ...validateCustom(types, object, before, { isStatus, scale: resource.custom.scale, warn })]
  }
  if (before !== undefined && writesStatus(call.subresource)) {
    const own = isDefinition(object) ? validateDefinitionStatus(object) : []
    return [...errors, ...own, ...validateStatus(resource, object, before)]
  }
  if (isDefinition(object)) return [...errors, ...validateDefinition(object, before)]
  if (resource.storageKey === '/pods') checkPodAnnotations(object, 'metadata.annotations', errors)
  const { type, value } = asChecked(resource, object)
  const isFirst = before !== undefined && tellsChangesFirst(object)
  if (isFirst) errors.push(...validateChange(object, before))
  if (before === undefined && resource.storageKey === 'batch/jobs') checkNewJob(object, errors)
  const found = fieldFaults(
    type,
    value,
    before !== undefined && KEEPS_FAULTS.has(resource.storageKey) ? before : undefined,
  )
  // Nobody looks at the metadata of a budget that is refused for its spec.
  if (before === undefined && resource.storageKey === 'policy/poddisruptionbudgets' && found.length > 0) return found
  for (const error of found) if (before === undefined || !checkedWhenNew(resource, error.field)) errors.push(error)
  if (before === undefined && resource.group === 'events.k8s.io') checkNewEvent(object, errors)
  if (before !== undefined && call.subresource === EPHEMERAL)
    checkEphemeralChange(specOf(object), specOf(before), errors)
  else if (before !== undefined && call.subresource === RESIZE) checkResize(object, before, errors)
  else if (before !== undefined && !isFirst) errors.push(...validateChange(object, before))
  else if (before === undefined && resource.storageKey === '/pods') checkNewPod(object, errors)
  return errors
}

/** Faults of fields that were not there before. */
function fieldFaults(type: FieldType, value: Obj, before: Obj | undefined): FieldError[] {
  const found: FieldError[] = []
  validateFields(type, withClaims(value), '', found)
  return before === undefined ? found : newFaults(found, () => fieldFaults(type, before, undefined))
}

/**
 * Kinds with expressions, which may stay as they were when more is asked of new ones.
 *
 * @see k8s.io/kubernetes/pkg/apis/admissionregistration/validation findValidatingPolicyPreexistingExpressions
 */
const KEEPS_FAULTS = new Set(
  ['validatingadmissionpolicies', 'mutatingadmissionpolicies'].map(
    (plural) => `admissionregistration.k8s.io/${plural}`,
  ),
)

/** Fields that never change are checked of a new object only, where the kind does so. */
function checkedWhenNew({ storageKey }: Resource, field: string): boolean {
  return CHECKED_WHEN_NEW[storageKey]?.test(field) === true
}

const CHECKED_WHEN_NEW: Readonly<Record<string, RegExp>> = {
  'apps/statefulsets': /^spec\.(serviceName$|volumeClaimTemplates\[)/,
  'apps/controllerrevisions': /^data$/,
  'certificates.k8s.io/podcertificaterequests': /^spec/,
  'networking.k8s.io/servicecidrs': /^spec\.cidrs/,
  'scheduling.k8s.io/priorityclasses': /^(preemptionPolicy|value)$/,
}

/** Autoscalers of version 1 are checked, and told of, as what they are kept as. */
function asChecked(resource: Resource, object: Obj): { readonly type: FieldType; readonly value: Obj } {
  if (object.apiVersion !== 'autoscaling/v1') return { type: resource.type, value: object }
  const value = toStored(resource, object)
  return { type: schemaFor(value.apiVersion, value.kind) ?? resource.type, value }
}

/** The claims of a stateful set are volumes of its pods, before those of the same name; its pods' names are not the template's to say. */
function withClaims(object: Obj): JsonObject {
  if (object.kind !== 'StatefulSet') return object
  const spec = specOf(object)
  const claims = objectsOf(spec.volumeClaimTemplates)
  const template = objectOf(spec.template)
  const names = [...new Set(claims.map(({ metadata }) => stringOf(objectOf(metadata).name)))]
  const { hostname: _host, subdomain: _domain, volumes: given, ...pod } = objectOf(template.spec)
  const others = objectsOf(given).filter(({ name }) => !names.includes(stringOf(name)))
  const volumes = [...names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })), ...others]
  return { ...object, spec: { ...spec, template: { ...template, spec: { ...pod, volumes } } } }
}
