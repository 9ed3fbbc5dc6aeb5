import { createHash } from 'node:crypto'
import { regexFunctions } from './regex-functions.ts'

/** A value inside a template: plain data; a Map ranges by sorted key; an object with `String` prints by it. */
export type Value = unknown

type GoFunction = (...given: Value[]) => Value

/** Says whether a value counts as false in Go's templates: zero, empty, absent. */
export function isTrue(value: Value): boolean {
  if (value instanceof Map) return value.size > 0
  if (Array.isArray(value)) return value.length > 0
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== ''
}

/** Prints a value as Go's `{{ . }}` does. */
export function print(value: Value): string {
  if (value === undefined || value === null) return '<no value>'
  if (Array.isArray(value)) return `[${value.map(print).join(' ')}]`
  if (value instanceof Map)
    return `map[${sortedEntries(value)
      .map(([key, one]) => `${print(key)}:${print(one)}`)
      .join(' ')}]`
  if (typeof value === 'object') return printObject(value)
  return String(value)
}

function printObject(value: object): string {
  const shown: unknown = Reflect.get(value, 'String')
  if (typeof shown === 'function') return String(shown.call(value))
  return `{${Object.values(value)
    .filter((one) => typeof one !== 'function')
    .map(print)
    .join(' ')}}`
}

/** Entries in the order in which Go ranges over a map: by key, structs field by field. */
export function sortedEntries(map: ReadonlyMap<Value, Value>): readonly (readonly [Value, Value])[] {
  const textOf = (key: Value): string =>
    typeof key === 'object' && key !== null ? Object.values(key).map(print).join('\0') : print(key)
  return [...map].sort(([a], [b]) =>
    typeof a === 'number' && typeof b === 'number' ? a - b : order(textOf(a), textOf(b)),
  )
}

function order(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}

const LONGEST = 1024 * 1024

function bounded(text: string): string {
  if (text.length > LONGEST) throw new Error('the text is above 1 MiB')
  return text
}

const text = (value: Value): string => (value === undefined || value === null ? '' : print(value))
const number = (value: Value): number => (Number.isFinite(Number(value)) ? Number(value) : 0)
const list = (value: Value): readonly Value[] => (Array.isArray(value) ? value : [])
const words = (value: Value): readonly string[] =>
  text(value)
    .split(/[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])/)
    .filter((word) => word !== '')
const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1)

function lengthOf(one: Value): number {
  if (one instanceof Map) return one.size
  if (typeof one === 'string') return Buffer.byteLength(one)
  if (typeof one === 'number' || typeof one === 'boolean')
    throw new Error(`len of type ${typeof one === 'number' ? 'int' : 'bool'}`)
  return list(one).length
}

/** Go's own functions. */
const BUILTIN: Readonly<Record<string, GoFunction>> = {
  and: (...given) => given.find((one) => !isTrue(one)) ?? given.at(-1),
  or: (...given) => given.find(isTrue) ?? given.at(-1),
  not: (one) => !isTrue(one),
  eq: (first, ...rest) => rest.some((one) => same(first, one)),
  ne: (a, b) => !same(a, b),
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  len: lengthOf,
  index: (one, ...keys) => keys.reduce<Value>(indexInto, one),
  slice: (one, from, to) =>
    (typeof one === 'string' ? one : list(one)).slice(number(from), to === undefined ? undefined : number(to)),
  print: (...given) => given.map(print).join(' '),
  println: (...given) => `${given.map(print).join(' ')}\n`,
  printf: (format, ...given) => formatText(text(format), given),
  html: (one) => text(one).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`),
  urlquery: (one) => encodeURIComponent(text(one)),
  js: (one) => JSON.stringify(text(one)).slice(1, -1),
}

/** Sprig's functions that depend on nothing but their arguments. */
const SPRIG: Readonly<Record<string, GoFunction>> = {
  fail: (message) => {
    throw new Error(text(message))
  },
  lower: (one) => text(one).toLowerCase(),
  upper: (one) => text(one).toUpperCase(),
  title: (one) => text(one).replace(/(^|\s)(\S)/g, (whole) => whole.toUpperCase()),
  untitle: (one) => text(one).replace(/(^|\s)(\S)/g, (whole) => whole.toLowerCase()),
  trim: (one) => text(one).trim(),
  trimAll: (cut, one) => trimChars(text(one), text(cut)),
  trimSuffix: (cut, one) =>
    text(one).endsWith(text(cut)) && text(cut) !== '' ? text(one).slice(0, -text(cut).length) : text(one),
  trimPrefix: (cut, one) => (text(one).startsWith(text(cut)) ? text(one).slice(text(cut).length) : text(one)),
  trunc: (size, one) => (number(size) < 0 ? text(one).slice(number(size)) : text(one).slice(0, number(size))),
  substr: (from, to, one) => text(one).slice(Math.max(0, number(from)), number(to) < 0 ? undefined : number(to)),
  replace: (from, to, one) => bounded(text(one).replaceAll(text(from), text(to))),
  repeat: (count, one) => bounded(text(one).repeat(Math.min(Math.max(0, number(count)), LONGEST))),
  contains: (part, one) => text(one).includes(text(part)),
  hasPrefix: (part, one) => text(one).startsWith(text(part)),
  hasSuffix: (part, one) => text(one).endsWith(text(part)),
  quote: (...given) =>
    given
      .filter((one) => one !== undefined)
      .map((one) => JSON.stringify(text(one)))
      .join(' '),
  squote: (...given) =>
    given
      .filter((one) => one !== undefined)
      .map((one) => `'${text(one)}'`)
      .join(' '),
  cat: (...given) =>
    given
      .filter((one) => one !== undefined)
      .map(text)
      .join(' '),
  indent: (count, one) => indentBy(number(count), text(one)),
  nindent: (count, one) => `\n${indentBy(number(count), text(one))}`,
  nospace: (one) => text(one).replace(/\s+/g, ''),
  snakecase: (one) =>
    words(one)
      .map((word) => word.toLowerCase())
      .join('_'),
  kebabcase: (one) =>
    words(one)
      .map((word) => word.toLowerCase())
      .join('-'),
  camelcase: (one) => words(one).map(capital).join(''),
  plural: (one, many, count) => (number(count) === 1 ? one : many),
  abbrev: (size, one) =>
    text(one).length > number(size) && number(size) >= 4 ? `${text(one).slice(0, number(size) - 3)}...` : text(one),
  initials: (one) =>
    words(one)
      .map((word) => word.slice(0, 1))
      .join(''),
  toString: text,
  int: (one) => Math.trunc(number(one)),
  int64: (one) => Math.trunc(number(one)),
  float64: number,
  atoi: (one) => Math.trunc(number(one)),
  add: (...given) => given.map(number).reduce((sum, one) => sum + one, 0),
  add1: (one) => number(one) + 1,
  sub: (a, b) => number(a) - number(b),
  mul: (...given) => given.map(number).reduce((product, one) => product * one, 1),
  div: (a, b) => Math.trunc(number(a) / divisor(b)),
  mod: (a, b) => number(a) % divisor(b),
  max: (...given) => Math.max(...given.map(number)),
  min: (...given) => Math.min(...given.map(number)),
  default: (fallback, one) => (isTrue(one) ? one : fallback),
  empty: (one) => !isTrue(one),
  coalesce: (...given) => given.find(isTrue),
  ternary: (yes, no, one) => (isTrue(one) ? yes : no),
  list: (...given) => given,
  first: (one) => list(one)[0],
  last: (one) => list(one).at(-1),
  rest: (one) => list(one).slice(1),
  initial: (one) => list(one).slice(0, -1),
  reverse: (one) => [...list(one)].reverse(),
  uniq: (one) => list(one).filter((each, i, all) => all.findIndex((other) => same(each, other)) === i),
  compact: (one) => list(one).filter(isTrue),
  has: (part, one) => list(one).some((each) => same(each, part)),
  without: (one, ...cut) => list(one).filter((each) => !cut.some((other) => same(each, other))),
  append: (one, more) => [...list(one), more],
  prepend: (one, more) => [more, ...list(one)],
  concat: (...given) => given.flatMap(list),
  join: (separator, one) => list(one).map(text).join(text(separator)),
  sortAlpha: (one) => list(one).map(text).sort(order),
  split: (separator, one) =>
    new Map(
      text(one)
        .split(text(separator))
        .map((part, i) => [`_${i}`, part]),
    ),
  splitList: (separator, one) => text(one).split(text(separator)),
  until: (count) => Array.from({ length: Math.min(Math.max(0, number(count)), 10_000) }, (_, i) => i),
  dict: (...given) => new Map(given.flatMap((key, i) => (i % 2 === 0 ? [[text(key), given[i + 1]]] : []))),
  get: (one, key) => (one instanceof Map ? (one.get(key) ?? '') : ''),
  hasKey: (one, key) => one instanceof Map && one.has(key),
  keys: (...maps) => maps.flatMap((one) => (one instanceof Map ? [...one.keys()] : [])),
  values: (one) => (one instanceof Map ? [...one.values()] : []),
  base: (one) => text(one).replace(/\/+$/, '').split('/').at(-1) ?? '',
  dir: (one) => text(one).split('/').slice(0, -1).join('/') || '.',
  ext: (one) => /\.[^./]*$/.exec(text(one))?.[0] ?? '',
  b64enc: (one) => Buffer.from(text(one)).toString('base64'),
  b64dec: (one) => Buffer.from(text(one), 'base64').toString('utf8'),
  sha1sum: (one) => hashOf('sha1', one),
  sha256sum: (one) => hashOf('sha256', one),
  sha512sum: (one) => hashOf('sha512', one),
  ...regexFunctions(text),
  toJson: (one) =>
    JSON.stringify(one, (_key, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value)),
}

/** Every function that templates may call. */
export const FUNCTIONS: ReadonlyMap<string, GoFunction> = new Map([
  ...Object.entries(BUILTIN),
  ...Object.entries(SPRIG),
])

function hashOf(algorithm: string, one: Value): string {
  return createHash(algorithm).update(text(one)).digest('hex')
}

function same(a: Value, b: Value): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && print(a) === print(b))
}

function compare(a: Value, b: Value): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : order(text(a), text(b))
}

function divisor(value: Value): number {
  if (number(value) === 0) throw new Error('runtime error: integer divide by zero')
  return number(value)
}

function indexInto(from: Value, key: Value): Value {
  if (from instanceof Map) return from.get(key) ?? ''
  if (Array.isArray(from)) {
    if (typeof key !== 'number' || key < 0 || key >= from.length) throw new Error(`index out of range: ${print(key)}`)
    return from[key]
  }
  throw new Error(`can't index item of type ${typeof from}`)
}

function indentBy(count: number, value: string): string {
  const pad = ' '.repeat(Math.min(Math.max(0, count), 1000))
  return bounded(pad + value.replaceAll('\n', `\n${pad}`))
}

function trimChars(value: string, cut: string): string {
  let [start, end] = [0, value.length]
  while (start < end && cut.includes(value[start] ?? '')) start++
  while (end > start && cut.includes(value[end - 1] ?? '')) end--
  return value.slice(start, end)
}

function formatText(format: string, given: readonly Value[]): string {
  let next = 0
  const out = format.replace(
    /%(-?)(0?)(\d*)(?:\.(\d+))?([a-zA-Z%])/g,
    (whole, left: string, zero: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%'
      if (next >= given.length) return `%!${verb}(MISSING)`
      const one = formatOne(verb, given[next++], precision)
      if (one === undefined) return whole
      const size = Math.min(Number(width), 1000)
      return left === '-' ? one.padEnd(size) : one.padStart(size, zero === '0' ? '0' : ' ')
    },
  )
  return bounded(out)
}

function formatOne(verb: string, value: Value, precision: string | undefined): string | undefined {
  if (verb === 's' || verb === 'v')
    return precision === undefined ? text(value) : text(value).slice(0, Number(precision))
  if (verb === 'd') return String(Math.trunc(number(value)))
  if (verb === 'q') return JSON.stringify(text(value))
  if (verb === 'f') return number(value).toFixed(Math.min(Number(precision ?? 6), 100))
  if (verb === 'x') return typeof value === 'number' ? value.toString(16) : Buffer.from(text(value)).toString('hex')
  if (verb === 't') return String(isTrue(value))
  return undefined
}
