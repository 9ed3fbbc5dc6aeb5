import type { Call } from '../call.ts'
import type { FieldError } from '../fault.ts'
import type { Obj } from '../object.ts'
import { validateMeta } from './meta.ts'
import { validateCustom } from './custom.ts'

/** All faults of an object, in the order in which kube-apiserver names them. */
export function validateObject(call: Call, object: Obj, before: Obj | undefined): FieldError[] {
  const { resource } = call
  const errors = validateMeta(resource, object, before)
  if (resource.custom !== undefined) errors.push(...validateCustom(resource.type, object))
  return errors
}
