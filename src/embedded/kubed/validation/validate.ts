import { type JsonObject, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { Call } from '../call.ts'
import type { FieldError } from '../fault.ts'
import { type Obj, specOf } from '../object.ts'
import { isDefinition } from '../resources/definitions.ts'
import { writesStatus } from '../resources/resource.ts'
import { validateCustom } from './custom.ts'
import { validateChange } from './immutable.ts'
import { validateDefinition } from './definition-checks.ts'
import { validateMeta } from './meta.ts'
import { checkNewPod } from './pod-checks.ts'
import { validateFields } from './walk.ts'

/** All faults of an object. A status write checks metadata only: the rest stays as it was. */
export function validateObject(call: Call, object: Obj, before: Obj | undefined): FieldError[] {
  const { resource } = call
  const errors = validateMeta(resource, object, before)
  if (resource.custom !== undefined) return [...errors, ...validateCustom(resource.type, object, before)]
  if (writesStatus(call.subresource)) return errors
  if (isDefinition(object)) return [...errors, ...validateDefinition(object, before)]
  validateFields(resource.type, withClaims(object), '', errors)
  if (before !== undefined) errors.push(...validateChange(object, before))
  else if (resource.storageKey === '/pods') checkNewPod(object, errors)
  return errors
}

/** The claims of a stateful set are volumes of its pods, before those of the same name. */
function withClaims(object: Obj): JsonObject {
  const claims = object.kind === 'StatefulSet' ? objectsOf(specOf(object).volumeClaimTemplates) : []
  if (claims.length === 0) return object
  const spec = specOf(object)
  const template = objectOf(spec.template)
  const names = claims.map(({ metadata }) => stringOf(objectOf(metadata).name))
  const others = objectsOf(objectOf(template.spec).volumes).filter(({ name }) => !names.includes(stringOf(name)))
  const volumes = [...names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })), ...others]
  return { ...object, spec: { ...spec, template: { ...template, spec: { ...objectOf(template.spec), volumes } } } }
}
