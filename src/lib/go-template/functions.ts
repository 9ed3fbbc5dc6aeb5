import { listFunctions } from './sprig-lists.ts'
import { textFunctions } from './sprig-texts.ts'
import { valueFunctions } from './sprig-values.ts'
import { regexFunctions } from './regex-functions.ts'
import {
  bounded,
  type GoFunction,
  isTrue,
  list,
  number,
  order,
  print,
  printNamed,
  same,
  show,
  text,
  type Value,
} from './values.ts'

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
  print: (...given) => bounded(joinAsPrint(given)),
  println: (...given) => bounded(`${given.map(show).join(' ')}\n`),
  printf: (format, ...given) => formatText(text(format), given),
  html: (one) => text(one).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`),
  urlquery: (...given) => queryEscape(joinAsPrint(given)),
  js: (one) => JSON.stringify(text(one)).slice(1, -1),
}

/** Those that hold nothing of a render. */
const STATELESS: ReadonlyMap<string, GoFunction> = new Map([
  ...Object.entries(BUILTIN),
  ...Object.entries(textFunctions),
  ...Object.entries(listFunctions),
  ...Object.entries(valueFunctions),
])

/** Every function that one render may call: Go's own, and those of sprig that depend on nothing but their arguments. */
export function functionsOfRender(): ReadonlyMap<string, GoFunction> {
  return new Map([...STATELESS, ...Object.entries(regexFunctions())])
}

function lengthOf(one: Value): number {
  if (one instanceof Map) return one.size
  if (typeof one === 'string') return Buffer.byteLength(one)
  if (typeof one === 'number' || typeof one === 'boolean')
    throw new Error(`len of type ${typeof one === 'number' ? 'int' : 'bool'}`)
  return list(one).length
}

function queryEscape(value: string): string {
  return encodeURIComponent(value)
    .replaceAll('%20', '+')
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** A blank stands between two values of which neither is a text. */
function joinAsPrint(given: readonly Value[]): string {
  return given
    .map((one, i) => `${i > 0 && typeof one !== 'string' && typeof given[i - 1] !== 'string' ? ' ' : ''}${show(one)}`)
    .join('')
}

function compare(a: Value, b: Value): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : order(text(a), text(b))
}

function indexInto(from: Value, key: Value): Value {
  if (from instanceof Map) return from.get(key) ?? ''
  if (Array.isArray(from)) {
    if (typeof key !== 'number' || key < 0 || key >= from.length) throw new Error(`index out of range: ${print(key)}`)
    return from[key]
  }
  throw new Error(`can't index item of type ${typeof from}`)
}

function formatText(format: string, given: readonly Value[]): string {
  let next = 0
  const out = format.replace(
    /%([-+0]*)(\d*)(?:\.(\d+))?([a-zA-Z%])/g,
    (whole, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%'
      if (next >= given.length) return `%!${verb}(MISSING)`
      const value = given[next++]
      const one = flags.includes('+') ? formatPlus(verb, value) : formatOne(verb, value, precision)
      if (one === undefined) return whole
      const size = Math.min(Number(width), 1000)
      return flags.includes('-') ? one.padEnd(size) : one.padStart(size, flags.includes('0') ? '0' : ' ')
    },
  )
  return bounded(out)
}

/** With a plus sign fields are printed with their names, and numbers with their sign. */
function formatPlus(verb: string, value: Value): string | undefined {
  if (verb === 'v') return printNamed(value)
  if (verb === 'd') return `${number(value) < 0 ? '' : '+'}${Math.trunc(number(value))}`
  return undefined
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
