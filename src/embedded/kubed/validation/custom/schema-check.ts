import { isObject, type Json, type JsonObject } from '../../../../lib/kube/json.ts'
import { checkCombined } from './combined.ts'
import { addFault, type Findings, merge, noFindings, type Place } from './findings.ts'
import { checkEnum, checkFormat, checkNumber, checkString, checkType } from './scalar-check.ts'
import { isUnchanged, twinsIn } from './unchanged.ts'

/**
 * What is wrong with a value under a schema, in the order and the words of the library that the real server has. What is wrong but as it
 * was before is not told.
 *
 * @see k8s.io/kube-openapi/pkg/validation/validate, and ratcheting.go of apiextensions-apiserver
 */
export function checkValue(place: Place): Findings {
  const found = checkAll(place)
  if (found.faults.length === 0 || place.before === undefined) return found
  return isUnchanged(place.type, place.value, place.before) ? { faults: [], checks: found.checks } : found
}

function checkAll(place: Place): Findings {
  const { type, value, path } = place
  const found = noFindings()
  const step = (findings: Findings): void => {
    merge(found, findings)
    found.checks++
  }
  if (value === null) {
    merge(found, checkType(type, value, path))
    merge(found, checkEnum(type, value, path))
    return found
  }
  if (type.schema.type !== undefined || type.special === 'intOrString') step(checkType(type, value, path))
  step(checkCombined(place, checkAll))
  if (typeof value === 'string') {
    step(checkString(type, value, path))
    const format = checkFormat(type, value, path)
    if (format !== undefined) step(format)
  } else if (typeof value === 'number') step(checkNumber(type, value, path))
  else if (Array.isArray(value)) step(checkList(place, value))
  step(checkEnum(type, value, path))
  if (isObject(value)) step(checkMap(place, value))
  found.checks++
  return found
}

function checkList({ type, path, before }: Place, value: readonly Json[]): Findings {
  const { schema, element } = type
  const found = noFindings()
  const twinOf = twinsIn(type, before)
  if (element !== undefined)
    value.forEach((item, index) =>
      merge(found, checkValue({ type: element, value: item, path: `${path}[${index}]`, before: twinOf(item) })),
    )
  const count = value.length
  if (schema.minItems !== undefined && count < schema.minItems)
    addFault(found, {
      field: path,
      type: 'Invalid',
      message: `Invalid value: ${count}: ${path} in body should have at least ${schema.minItems} items`,
    })
  if (schema.maxItems !== undefined && count > schema.maxItems) addFault(found, tooMany(path, count, schema.maxItems))
  found.checks++
  return found
}

function checkMap({ type, path, before }: Place, value: JsonObject): Findings {
  const { schema } = type
  const found = noFindings()
  const count = Object.keys(value).length
  if (schema.minProperties !== undefined && count < schema.minProperties)
    addFault(found, {
      field: path,
      type: 'Invalid',
      message: `Invalid value: ${count}: ${path} in body should have at least ${schema.minProperties} properties`,
    })
  if (schema.maxProperties !== undefined && count > schema.maxProperties)
    addFault(found, tooMany(path, count, schema.maxProperties))
  const names = Object.keys(value)
  for (const name of [
    ...names.filter((each) => !type.declares(each)),
    ...names.filter((each) => type.declares(each)),
  ]) {
    const [child, field] = [type.child(name), value[name]]
    if (child === undefined || field === undefined) continue
    // The kind of an object is never what it was: both are made of one version.
    const isHeader = path === '' && (name === 'apiVersion' || name === 'kind')
    const old = isObject(before) && !isHeader ? before[name] : undefined
    merge(found, checkValue({ type: child, value: field, path: fieldBelow(path, name), before: old }))
  }
  for (const name of schema.required ?? [])
    if (value[name] === undefined)
      addFault(found, { field: fieldBelow(path, name), type: 'Required', message: 'Required value' })
  return found
}

const fieldBelow = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

const tooMany = (field: string, count: number, most: number): Findings['faults'][number] => ({
  field,
  type: 'TooMany',
  message: `Too many: ${count}: must have at most ${most} item${most === 1 ? '' : 's'}`,
})
