import type { FieldType } from '../../../lib/kube-schema/schema.ts'
import { isObject, type Json, type JsonObject, stringOf } from '../../../lib/kube/json.ts'
import { isQuantityError, parseQuantity } from '../../../lib/kube/quantity.ts'
import type { FieldError } from '../fault.ts'
import { AFTER, CHECKS } from './checks.ts'
import type { Below, Place } from './fault-list.ts'
import { labelError, subdomainError } from '../../../lib/kube/names.ts'
import { RULES, type Rules } from './rules.ts'
import { VOLUME_KIND_RULES } from './kinds/volume-kinds-checks.ts'

/** Collects the faults of a value: by the rules of its definition, its own checks, then everything below it. */
export function validateFields(
  type: FieldType,
  value: JsonObject,
  path: string,
  errors: FieldError[],
  place?: Place,
): void {
  const name = type.shortName === 'core.v1.EphemeralContainer' ? 'core.v1.Container' : type.shortName
  const rules = RULES[name] ?? VOLUME_KIND_RULES[name]
  const done = new Set(rules?.unchecked)
  const below: Below = (field, passed = place, at?) => {
    const found = value[field]
    const child = found === undefined ? undefined : type.child(field)
    if (child === undefined || found === undefined || CHECKED_ELSEWHERE.has(field) || done.has(field)) return
    done.add(field)
    if (!isLeaf(child, found)) descend(child, found, at ?? pathBelow(type, path, field), errors, passed)
  }
  if (rules !== undefined) applyRules(rules, value, path, errors)
  CHECKS[name]?.(value, path, errors, below, place)
  if (rules?.isWhole !== true) for (const field of Object.keys(value)) below(field)
  AFTER[name]?.(value, path, errors, below, place)
}

/** Metadata is checked for all kinds alike, status when it is written. */
const CHECKED_ELSEWHERE = new Set(['metadata', 'status'])

/** There is nothing to look at that its holder has not looked at. */
const isLeaf = (type: FieldType, value: Json): boolean => typeof value !== 'object' && type.special !== 'quantity'

function pathBelow(type: FieldType, path: string, field: string): string {
  if (path === '') return field
  return type.names.length === 0 ? `${path}[${field}]` : `${path}.${field}`
}

function descend(type: FieldType, value: Json, path: string, errors: FieldError[], place: Place | undefined): void {
  if (type.special === 'quantity') checkQuantity(value, path, errors)
  else if (Array.isArray(value)) {
    const { element } = type
    if (element?.kind === 'map')
      value.forEach(
        (item, index) => void (isObject(item) && validateFields(element, item, `${path}[${index}]`, errors, place)),
      )
  } else if (isObject(value) && type.kind === 'map' && type.special === undefined)
    validateFields(type, value, path, errors, place)
}

function checkQuantity(value: Json, path: string, errors: FieldError[]): void {
  const quantity = parseQuantity(stringOf(value))
  if (!isQuantityError(quantity) && quantity.nano < 0n)
    errors.push({
      field: path,
      type: 'Invalid',
      message: `Invalid value: ${JSON.stringify(value)}: must be greater than or equal to 0`,
    })
}

function applyRules(rules: Rules, value: JsonObject, path: string, errors: FieldError[]): void {
  const at = (field: string): string => (path === '' ? field : `${path}.${field}`)
  const bad = (field: string, type: FieldError['type'], message: string): void =>
    void errors.push({ field: at(field), type, message })
  for (const field of rules.required ?? []) if (isUnset(value[field])) bad(field, 'Required', 'Required value')
  for (const [field, allowed] of Object.entries(rules.enums ?? {})) {
    const found = value[field]
    if (found !== undefined && !allowed.includes(stringOf(found)))
      bad(
        field,
        'NotSupported',
        `Unsupported value: ${JSON.stringify(found)}: supported values: ${allowed.map((each) => JSON.stringify(each)).join(', ')}`,
      )
  }
  for (const field of rules.natural ?? []) {
    const found = value[field]
    if (typeof found === 'number' && found < 0)
      bad(field, 'Invalid', `Invalid value: ${found}: must be greater than or equal to 0`)
  }
  for (const field of rules.ports ?? []) {
    const found = value[field]
    if (typeof found === 'number' && found !== 0 && (found < 1 || found > 65535))
      bad(field, 'Invalid', `Invalid value: ${found}: must be between 1 and 65535, inclusive`)
  }
  for (const [field, [min, max]] of Object.entries(rules.ranges ?? {})) {
    const found = value[field]
    if (typeof found !== 'number' || (found >= min && found <= max)) continue
    bad(
      field,
      'Invalid',
      `Invalid value: ${found}: ${max === 0o777 ? 'must be a number between 0 and 0777 (octal), both inclusive' : `must be between ${min} and ${max}, inclusive`}`,
    )
  }
  for (const field of rules.labels ?? []) named(field, value[field], labelError, bad)
  for (const field of rules.subdomains ?? []) named(field, value[field], subdomainError, bad)
}

function named(
  field: string,
  value: Json | undefined,
  test: (name: string) => string | undefined,
  bad: (field: string, type: FieldError['type'], message: string) => void,
): void {
  if (typeof value !== 'string' || value === '') return
  const why = test(value)
  if (why !== undefined) bad(field, 'Invalid', `Invalid value: ${JSON.stringify(value)}: ${why}`)
}

function isUnset(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '' || value === 0) return true
  return Array.isArray(value) && value.length === 0
}
