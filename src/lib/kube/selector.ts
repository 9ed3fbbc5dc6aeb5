import type { Json } from './json.ts'
import { isObject, listOf, objectOf, objectsOf, stringOf } from './json.ts'

/** Labels of an object. */
export type Labels = Json | undefined

/** Decides whether labels are selected. */
export type LabelMatch = (labels: Labels) => boolean

/** One condition of a label selector. */
export type Requirement = {
  readonly key: string
  readonly operator: 'in' | 'notin' | 'exists' | 'absent' | 'gt' | 'lt'
  readonly values: readonly string[]
}

/** Why a selector cannot be read, in kube-apiserver's words. */
export class SelectorError extends Error {}

const TOKEN = /\s*(!=|==|=|!|,|\(|\)|<|>|[^\s!=,()<>]+)/gy

/**
 * Reads a label selector: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
 *
 * @throws SelectorError when it is not one
 */
export function parseLabelSelector(text: string): readonly Requirement[] {
  const tokens = [...text.matchAll(TOKEN)].map((match) => match[1] ?? '')
  const out: Requirement[] = []
  let index = 0
  const next = (): string => tokens[index++] ?? ''
  const fail = (found: string, wanted: string, prefix = 'unable to parse requirement: '): never => {
    throw new SelectorError(`${prefix}found '${found}', expected: ${wanted}`)
  }
  const value = (): string => {
    const token = tokens[index] ?? ''
    if (token === ',' || token === '' || token === ')') return ''
    if (isSymbol(token)) fail(token, 'identifier')
    return next()
  }
  const group = (): string[] => {
    const open = next()
    if (open !== '(') fail(open, "'('")
    const values: string[] = []
    for (;;) {
      values.push(value())
      const token = next()
      if (token === ')') return values
      if (token !== ',') fail(token, "',' or ')'")
    }
  }
  while (index < tokens.length) {
    let key = next()
    const isAbsent = key === '!'
    if (isAbsent) key = next()
    if (isSymbol(key) || key === '') fail(key, "!, identifier, or 'end of string'", '')
    checkKey(key)
    const operator = tokens[index]
    if (isAbsent || operator === undefined || operator === ',')
      out.push({ key, operator: isAbsent ? 'absent' : 'exists', values: [] })
    else {
      index++
      if (operator === '=' || operator === '==') out.push({ key, operator: 'in', values: [value()] })
      else if (operator === '!=') out.push({ key, operator: 'notin', values: [value()] })
      else if (operator === 'in' || operator === 'notin') out.push({ key, operator, values: group() })
      else if (operator === '>' || operator === '<')
        out.push({ key, operator: operator === '>' ? 'gt' : 'lt', values: [value()] })
      else fail(operator, 'in, notin, =, ==, !=, gt, lt')
    }
    const end = tokens[index]
    if (end === undefined) break
    if (end !== ',') fail(end, "',' or 'end of string'", '')
    index++
    if (index === tokens.length) fail('', "identifier after ','", '')
  }
  for (const requirement of out) checkValues(requirement)
  return out
}

const isSymbol = (token: string): boolean => /^(!=|==|=|!|,|\(|\)|<|>)$/.test(token)

const PREFIX = 'unable to parse requirement: '
const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/

function checkKey(key: string): void {
  const name = key.slice(key.indexOf('/') + 1)
  const bad = (why: string): SelectorError =>
    new SelectorError(`${PREFIX}<nil>: Invalid value: ${JSON.stringify(key)}: ${why}`)
  if (name.length > 63) throw bad('name part must be no more than 63 bytes')
  if (!NAME.test(name))
    throw bad(
      "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    )
}

function checkValues({ key, operator, values }: Requirement): void {
  for (const [index, value] of values.entries()) {
    const place = `${PREFIX}values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: `
    if (value.length > 63) throw new SelectorError(`${place}must be no more than 63 bytes`)
    if (value !== '' && !NAME.test(value))
      throw new SelectorError(
        `${place}a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
      )
    if ((operator === 'gt' || operator === 'lt') && !/^[-+]?\d+$/.test(value))
      throw new SelectorError(
        `${PREFIX}values[${index}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
      )
  }
}

/** A test of labels for parsed requirements. */
export function matchLabels(requirements: readonly Requirement[]): LabelMatch {
  return (labels) => {
    const own = objectOf(labels)
    return requirements.every((requirement) => holds(requirement, own[requirement.key]))
  }
}

function holds({ operator, values }: Requirement, value: Json | undefined): boolean {
  if (operator === 'exists') return value !== undefined
  if (operator === 'absent') return value === undefined
  if (operator === 'notin') return typeof value !== 'string' || !values.includes(value)
  if (typeof value !== 'string') return false
  if (operator === 'in') return values.includes(value)
  return operator === 'gt' ? Number(value) > Number(values[0]) : Number(value) < Number(values[0])
}

/** A test of labels for a `LabelSelector` object; an absent one selects nothing, an empty one everything. */
export function matchSelector(selector: Json | undefined): LabelMatch {
  if (!isObject(selector)) return () => false
  const requirements: Requirement[] = Object.entries(objectOf(selector.matchLabels)).map(([key, value]) => ({
    key,
    operator: 'in',
    values: [stringOf(value)],
  }))
  for (const { key, operator, values } of objectsOf(selector.matchExpressions)) {
    const kind = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: 'absent' }[stringOf(operator)]
    if (kind === 'in' || kind === 'notin' || kind === 'exists' || kind === 'absent')
      requirements.push({ key: stringOf(key), operator: kind, values: listOf(values).map(stringOf) })
  }
  return matchLabels(requirements)
}

/** One condition of a field selector. */
export type FieldRequirement = { readonly field: string; readonly negated: boolean; readonly value: string }

/**
 * Reads a field selector: `metadata.name=a,status.phase!=Running`; backslash escapes `,`, `=` and itself.
 *
 * @throws SelectorError when a term has no operator
 */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  const out: FieldRequirement[] = []
  for (const term of splitTerms(text)) {
    if (term === '') continue
    const match = /^([\s\S]*?)(!=|==|=)([\s\S]*)$/.exec(term)
    if (match === null) throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`)
    out.push({ field: match[1] ?? '', negated: match[2] === '!=', value: unescaped(match[3] ?? '') })
  }
  return out
}

/** At the commas that no backslash precedes, in order. */
const splitTerms = (text: string): string[] => (text.match(/(?:\\[\s\S]?|[^\\,])+/g) ?? []).sort()

function unescaped(value: string): string {
  const bad = /^(?:\\[\\,=]|[^\\,=])*/.exec(value)?.[0].length ?? 0
  if (bad === value.length) return value.replace(/\\([\\,=])/g, '$1')
  if (value[bad] !== '\\')
    throw new SelectorError(`invalid field selector: unescaped character in value: ${value.charCodeAt(bad)}`)
  throw new SelectorError(`invalid field selector: invalid escape sequence: ${value.slice(bad, bad + 2)}`)
}
