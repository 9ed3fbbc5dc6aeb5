import { own } from '../value/own.ts'
import type { Json } from './json.ts'
import { isObject, listOf, objectOf, objectsOf, stringOf } from './json.ts'
import { type LabelSelector, matchesSelector } from './label-selector.ts'
import { labelKeyErrors } from './names.ts'

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
const OPERATORS: Readonly<Record<string, Requirement['operator']>> = {
  in: 'in',
  notin: 'notin',
  '=': 'in',
  '==': 'in',
  '!=': 'notin',
  '>': 'gt',
  '<': 'lt',
}

/** The tokens of a selector that are still to be read; '' behind the last. */
type Tokens = { readonly peek: () => string; readonly next: () => string }

/**
 * Reads a label selector: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
 *
 * @throws SelectorError when it is not one
 */
export function parseLabelSelector(text: string): readonly Requirement[] {
  const all = [...text.matchAll(TOKEN)].map((match) => match[1] ?? '')
  let index = 0
  const tokens: Tokens = { peek: () => all[index] ?? '', next: () => all[index++] ?? '' }
  const out: Requirement[] = []
  while (tokens.peek() !== '') {
    const first = tokens.peek()
    if (isSymbol(first) && first !== '!') throw expected(first, "!, identifier, or 'end of string'", '')
    out.push(parseRequirement(tokens))
    const end = tokens.next()
    if (end === '') break
    if (end !== ',') throw expected(end, "',' or 'end of string'", '')
    const after = tokens.peek()
    if (after === '' || (isSymbol(after) && after !== '!')) throw expected(after, "identifier after ','", '')
  }
  return out
}

const PREFIX = 'unable to parse requirement: '
const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/
const isSymbol = (token: string): boolean => /^(!=|==|=|!|,|\(|\)|<|>)$/.test(token)

function expected(found: string, wanted: string, prefix = PREFIX): SelectorError {
  return new SelectorError(`${prefix}found '${found}', expected: ${wanted}`)
}

function parseRequirement(tokens: Tokens): Requirement {
  const first = tokens.next()
  const key = first === '!' ? tokens.next() : first
  if (key === '' || isSymbol(key)) throw expected(key, 'identifier')
  checkKey(key)
  if (first === '!') return { key, operator: 'absent', values: [] }
  if (tokens.peek() === '' || tokens.peek() === ',') return { key, operator: 'exists', values: [] }
  const word = tokens.next()
  const operator = own(OPERATORS, word)
  if (operator === undefined) throw expected(word, 'in, notin, =, ==, !=, gt, lt')
  const values = word === 'in' || word === 'notin' ? parseGroup(tokens) : [parseValue(tokens)]
  const requirement = { key, operator, values: [...new Set(values)].sort() }
  checkValues(requirement)
  return requirement
}

function parseValue(tokens: Tokens): string {
  if (tokens.peek() === '' || tokens.peek() === ',') return ''
  const value = tokens.next()
  if (isSymbol(value)) throw expected(value, 'identifier')
  return value
}

/** `(a,b)`; where a value is missing it is the empty one. */
function parseGroup(tokens: Tokens): string[] {
  const open = tokens.next()
  if (open !== '(') throw new SelectorError(`${PREFIX}found '${open}' expected: '('`)
  const first = tokens.peek()
  if (first === '' || (isSymbol(first) && first !== ',' && first !== ')'))
    throw expected(first, "',', ')' or identifier")
  const values: string[] = []
  let isOpen = true
  for (let token = tokens.next(); token !== ')'; token = tokens.next()) {
    if (token === '' || (isSymbol(token) && token !== ',')) throw expected(token, "',', or identifier")
    if (token === ',') {
      if (isOpen) values.push('')
      isOpen = true
    } else {
      values.push(token)
      isOpen = false
      if (tokens.peek() !== ',' && tokens.peek() !== ')') throw expected(tokens.peek(), "',' or ')'")
    }
  }
  return isOpen ? [...values, ''] : values
}

function checkKey(key: string): void {
  const why = labelKeyErrors(key).join('; ')
  if (why !== '') throw new SelectorError(`${PREFIX}<nil>: Invalid value: ${JSON.stringify(key)}: ${why}`)
}

function checkValues({ key, operator, values }: Requirement): void {
  const faults: string[] = []
  const isNumber = operator === 'gt' || operator === 'lt'
  for (const [index, value] of values.entries())
    if (isNumber && !isInteger(value))
      faults.push(
        `values[${index}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
      )
  for (const [index, value] of values.entries()) {
    const place = `values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: `
    if (Buffer.byteLength(value) > 63) faults.push(`${place}must be no more than 63 bytes`)
    if (value !== '' && !NAME.test(value))
      faults.push(
        `${place}a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
      )
  }
  if (faults.length > 0) throw new SelectorError(PREFIX + (faults.length === 1 ? faults[0] : `[${faults.join(', ')}]`))
}

const [LEAST, MOST] = [-(2n ** 63n), 2n ** 63n - 1n]

/** A number of 64 bits; the length of labels bounds what is read. */
function isInteger(text: string): boolean {
  if (!/^[-+]?\d{1,63}$/.test(text)) return false
  const value = BigInt(text.replace(/^\+/, ''))
  return value >= LEAST && value <= MOST
}

/** How a `LabelSelector` object names the operators. */
const EXPRESSION_OPERATORS = { in: 'In', notin: 'NotIn', exists: 'Exists', absent: 'DoesNotExist', gt: 'Gt', lt: 'Lt' }

/** A test of labels for parsed requirements. */
export function matchLabels(requirements: readonly Requirement[]): LabelMatch {
  const matchExpressions = requirements.map((one) => ({ ...one, operator: EXPRESSION_OPERATORS[one.operator] }))
  const selector: LabelSelector = { matchExpressions }
  return (labels) => matchesSelector(selector, objectOf(labels))
}

/** A test of labels for a `LabelSelector` object as it stands; an absent one selects nothing, an empty one everything. */
export function matchSelector(selector: Json | undefined): LabelMatch {
  if (!isObject(selector)) return () => false
  const wanted = Object.entries(objectOf(selector.matchLabels)).map(([key, value]) => [key, stringOf(value)])
  const read: LabelSelector = {
    matchLabels: Object.fromEntries(wanted),
    matchExpressions: objectsOf(selector.matchExpressions).map(({ key, operator, values }) => ({
      key: stringOf(key),
      operator: stringOf(operator),
      values: listOf(values).map(stringOf),
    })),
  }
  return (labels) => matchesSelector(read, objectOf(labels))
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
    const [field, value] = [match[1] ?? '', unescaped(match[3] ?? '')]
    if (field !== '' || value !== '') out.push({ field, negated: match[2] === '!=', value })
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
