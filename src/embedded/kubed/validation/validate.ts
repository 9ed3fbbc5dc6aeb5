import type { Call } from '../call.ts'
import type { FieldError } from '../fault.ts'
import type { Obj } from '../object.ts'
import { validateCustom } from './custom.ts'
import { validateChange } from './immutable.ts'
import { validateMeta } from './meta.ts'
import { validateFields } from './walk.ts'

/** All faults of an object. A status write checks metadata only: the rest stays as it was. */
export function validateObject(call: Call, object: Obj, before: Obj | undefined): FieldError[] {
  const { resource } = call
  const errors = validateMeta(resource, object, before)
  if (resource.custom !== undefined) return [...errors, ...validateCustom(resource.type, object)]
  if (call.subresource === 'status') return errors
  if (before !== undefined) errors.push(...validateChange(object, before))
  validateFields(resource.type, object, '', errors)
  return errors
}
