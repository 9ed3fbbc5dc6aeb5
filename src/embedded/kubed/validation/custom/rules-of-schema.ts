import { compileCel } from '../../../../lib/cel/compile.ts'
import { celText } from '../../../../lib/cel/formats.ts'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import type { FieldType } from '../../../../lib/kube-schema/schema.ts'
import { isObject, type Json, type JsonObject, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import { remember } from '../../../../lib/value/remember.ts'
import type { FieldError } from '../../fault.ts'
import { isUnchanged, twinsIn } from './unchanged.ts'
import { boundedCalls } from '../../../../machine/bounded-call.ts'
import { own } from '../../../../lib/value/own.ts'

const RULES = 'x-kubernetes-validations'
const REASONS: Readonly<Record<string, FieldError['type']>> = {
  FieldValueInvalid: 'Invalid',
  FieldValueForbidden: 'Forbidden',
  FieldValueRequired: 'Required',
  FieldValueDuplicate: 'Duplicate',
}

/** Guards an expression of a definition or a policy, which comes from outside: 200 ms of processor time at most. */
export const boundedRule = boundedCalls(200)

/** Expressions of definitions in use. */
const compiled = remember(2000, (text) => compileCel(text, { guard: boundedRule, library: 'kubernetes' }))

/** A place in a custom resource with what was there before, as far as the two can be told to be the same. */
type Place = {
  readonly type: FieldType
  readonly value: Json
  readonly before: Json | undefined
  readonly path: string
  /** Whether it, or the nearest place around it that can be told to be the same, is as it was before. */
  readonly isSettled: () => boolean
}

/** Where faults go, and what is wrong but was so before. */
type Told = { readonly errors: FieldError[]; readonly warn: (warning: string) => void }

/** True when a schema has rules anywhere. */
export function hasRules(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.some(hasRules)
  if (typeof schema !== 'object' || schema === null) return false
  return RULES in schema || Object.values(schema).some(hasRules)
}

/** Collects what the rules of a schema say against a value. @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules */
export function checkRules(type: FieldType, value: Json, before: Json | undefined, told: Told): void {
  walk({ type, value, before, path: '', isSettled: settled(type, value, before) }, told)
}

/** Compares when first asked: each rule in a list that nobody can tell apart asks for the whole list. */
function settled(type: FieldType, value: Json, before: Json | undefined): () => boolean {
  let answer: boolean | undefined
  return () => (answer ??= isUnchanged(type, value, before))
}

function walk(place: Place, told: Told): void {
  const { type, value, path } = place
  for (const rule of objectsOf(objectOf(type.schema as JsonObject)[RULES])) checkRule(rule, place, told)
  if (Array.isArray(value)) {
    const { element } = type
    if (element === undefined) return
    const twinOf = twinsIn(type, place.before)
    value.forEach((item, index) => walk(below(place, element, item, twinOf(item), `${path}[${index}]`), told))
  } else if (isObject(value))
    for (const [name, item] of Object.entries(value)) {
      const child = type.child(name)
      if (child === undefined || item === undefined || (path === '' && name === 'metadata')) continue
      const isMap = type.names.length === 0
      const at = path === '' ? name : isMap ? `${path}[${name}]` : `${path}.${name}`
      walk(below(place, child, item, objectOf(place.before)[name], at), told)
    }
}

function below(parent: Place, type: FieldType, value: Json, before: Json | undefined, path: string): Place {
  return {
    type,
    value,
    before,
    path,
    isSettled: before === undefined ? parent.isSettled : settled(type, value, before),
  }
}

const NO_OVERLOAD = 'no such overload'
const UNFIT = 'call arguments did not match a supported operator, function or macro signature'

function checkRule(rule: JsonObject, { type, value, before, path, isSettled }: Place, { errors, warn }: Told): void {
  const text = stringOf(rule.rule)
  const isTransition = /\boldSelf\b/.test(text)
  if (isTransition && before === undefined && rule.optionalOldSelf !== true) return
  const variables = {
    self: celValue(type, value, celText),
    ...(isTransition ? { oldSelf: celValue(type, before, celText) } : {}),
  }
  const field = `${path}${stringOf(rule.fieldPath)}`.replace(/^\./, '')
  try {
    if (compiled(text).evaluateBoolean(variables)) return
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const why = error.message.replace(/^failed to evaluate the CEL expression '[^]*?': /, '')
    const told = stringOf(rule.message).trim() || text.trim()
    const what = why.startsWith(NO_OVERLOAD)
      ? `'${NO_OVERLOAD}': ${UNFIT} for rule: ${told}`
      : `${why} evaluating rule: ${told}`
    const value = JSON.stringify(type.schema.type ?? '')
    errors.push({ field: path, type: 'Invalid', message: `Invalid value: ${value}: ${what}` })
    return
  }
  const kind = own(REASONS, stringOf(rule.reason)) ?? 'Invalid'
  const message = messageOf(rule, variables)
  const fault = { field, type: kind, message: worded(kind, value, message) }
  if (!isTransition && isSettled()) warn(`${field === '' ? '<nil>' : field}: ${fault.message}`)
  else errors.push(fault)
}

/** Objects and lists are not shown. */
function worded(kind: FieldError['type'], value: Json, message: string): string {
  if (kind === 'Forbidden') return `Forbidden: ${message}`
  if (kind === 'Required') return `Required value: ${message}`
  const isShown = !isObject(value) && !Array.isArray(value)
  if (kind === 'Duplicate') return isShown ? `Duplicate value: ${JSON.stringify(value)}` : 'Duplicate value'
  return isShown ? `Invalid value: ${JSON.stringify(value)}: ${message}` : `Invalid value: ${message}`
}

function messageOf(rule: JsonObject, variables: Readonly<Record<string, unknown>>): string {
  const plain = stringOf(rule.message)
  const fallback = plain === '' ? `failed rule: ${stringOf(rule.rule).trim()}` : plain
  const expression = stringOf(rule.messageExpression)
  if (expression === '') return fallback
  try {
    const message = compiled(expression).evaluateString(variables).trim()
    return message === '' || message.includes('\n') ? fallback : message
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return fallback
  }
}

/** How a text is read by the format that its schema says. */
type ReadText = (text: string, format: string | undefined) => unknown

/** A value as CEL has it: whole numbers are ints where the schema says integer; a field that is null is not there. */
export function celValue(type: FieldType, value: Json | undefined, read: ReadText = (text) => text): unknown {
  if (typeof value === 'string') return read(value, type.schema.format)
  if (typeof value === 'number') return Number.isInteger(value) && type.schema.type !== 'number' ? BigInt(value) : value
  if (Array.isArray(value)) {
    const { element } = type
    return value.map((item) => (element === undefined ? item : celValue(element, item, read)))
  }
  if (!isObject(value)) return value
  const out: Record<string, unknown> = {}
  for (const [name, item] of Object.entries(value)) {
    const child = type.child(name)
    if (item === null && type.names.length > 0) continue
    out[name] = child === undefined ? item : celValue(child, item, read)
  }
  return out
}
