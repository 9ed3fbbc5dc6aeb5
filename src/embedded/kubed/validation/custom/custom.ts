import type { FieldType } from '../../../../lib/kube-schema/schema.ts'
import type { Json, JsonObject } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { checkEmbedded } from './embedded.ts'
import { repeatedItems } from './list-check.ts'
import { checkRules, hasRules } from './rules-of-schema.ts'
import { checkScale } from './scale-check.ts'
import { checkValue } from './schema-check.ts'

const BLOCKING = new Set(['NotSupported', 'Required', 'TooLong', 'TooMany', 'TypeInvalid'])
const UNCHECKED =
  'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'

/** The schema of a kind: as it is read, and as its definition has it, where the fields that every object has are not said. */
type Types = { readonly type: FieldType; readonly written: FieldType }

/** What is written of a custom resource, and where what is wrong with it but was so before is told. */
type Write = {
  readonly isStatus: boolean
  /** What its scale subresource reads. */
  readonly scale: JsonObject | undefined
  readonly warn: (warning: string) => void
}

/** Faults of a custom resource under its schema, then under the rules of the schema; what was wrong before and is as it was is not told. */
export function validateCustom(
  { type, written }: Types,
  object: JsonObject,
  before: JsonObject | undefined,
  { isStatus, scale, warn }: Write,
): FieldError[] {
  const errors = isStatus
    ? checkStatus(written, object, before)
    : [...checkValue({ type: written, value: object, path: '', before }).faults]
  if (scale !== undefined) checkScale(object, scale, isStatus, errors)
  if (!isStatus) checkEmbedded(type, object, '', errors)
  if (before === undefined || repeatedItems(written, before).length === 0)
    for (const repeated of repeatedItems(written, object)) errors.push(repeated)
  if (!hasRules(type.schema)) return errors
  if (errors.some((error) => BLOCKING.has(error.type)))
    errors.push({ field: '<nil>', type: 'Invalid', message: UNCHECKED })
  else checkRules(type, object, before, { errors, warn })
  return errors
}

/** Messages name fields of a status from there on, the faults themselves from the object on. */
function checkStatus(type: FieldType, { status }: JsonObject, before: JsonObject | undefined): FieldError[] {
  const child = type.child('status')
  if (child === undefined || status === undefined) return []
  const { faults } = checkValue({ type: child, value: status, path: '', before: before?.status })
  return faults.map((fault) => ({ ...fault, field: underStatus(fault.field ?? '') }))
}

const underStatus = (field: string): string =>
  field === '' || field === '<nil>' ? 'status' : field.startsWith('[') ? `status${field}` : `status.${field}`

/** Faults of a default under its schema, then under the rules of the schema. That nothing in a list is there twice is asked of objects only. */
export function validateCustomValue(type: FieldType, value: Json): FieldError[] {
  const found = [...checkValue({ type, value, path: '' }).faults]
  checkEmbedded(type, value, '', found)
  // As if it had been there before, then as if it were new.
  for (const before of hasRules(type.schema) ? [value, undefined] : [])
    if (found.length === 0) checkRules(type, value, before, { errors: found, warn: () => undefined })
  return found
}
