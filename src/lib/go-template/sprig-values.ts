import { parseGoDuration, renderGoDuration } from '../go-duration/go-duration.ts'
import { parseConstraint, satisfies } from '../semver/constraint.ts'
import { parseLoose, type Version } from '../semver/version.ts'
import { type GoFunction, isTrue, list, number, text, type Value } from './values.ts'

type Fields = Map<string, Value>

const fields = (one: Value): Fields => (one instanceof Map ? one : new Map())
const whole = (one: Value): number => Math.trunc(number(one))
const floats = (given: readonly Value[], by: (a: number, b: number) => number): number => given.map(number).reduce(by)
const merge =
  (overwrites: boolean): GoFunction =>
  (into, ...others) =>
    others.reduce<Fields>((all, other) => mergeInto(all, fields(other), overwrites), fields(into))

/** Sprig's functions of numbers, dictionaries, types, versions and durations. */
export const valueFunctions: Readonly<Record<string, GoFunction>> = {
  fail: (message) => {
    throw new Error(text(message))
  },
  ...{ int: whole, int64: whole, float64: number },
  atoi: (one) => (/^[+-]?\d+$/.test(text(one)) ? number(one) : 0),
  toDecimal: (one) => (/^[+-]?[0-7]+$/.test(text(one)) ? parseInt(text(one), 8) : 0),
  add: (...given) => given.map(whole).reduce((sum, one) => sum + one, 0),
  add1: (one) => whole(one) + 1,
  sub: (a, b) => whole(a) - whole(b),
  mul: (...given) => given.map(whole).reduce((product, one) => product * one, 1),
  div: (a, b) => Math.trunc(whole(a) / divisor(b)),
  mod: (a, b) => whole(a) % divisor(b),
  ...{ max: (...given) => Math.max(...given.map(whole)), biggest: (...given) => Math.max(...given.map(whole)) },
  min: (...given) => Math.min(...given.map(whole)),
  addf: (...given) => floats(given, (a, b) => a + b),
  add1f: (one) => number(one) + 1,
  subf: (...given) => floats(given, (a, b) => a - b),
  mulf: (...given) => floats(given, (a, b) => a * b),
  divf: (...given) => floats(given, (a, b) => a / b),
  maxf: (...given) => floats(given, (a, b) => Math.max(a, b)),
  minf: (...given) => floats(given, (a, b) => Math.min(a, b)),
  ceil: (one) => Math.ceil(number(one)),
  floor: (one) => Math.floor(number(one)),
  round: (one, places) => roundTo(number(one), number(places)),
  default: (fallback, one) => (isTrue(one) ? one : fallback),
  empty: (one) => !isTrue(one),
  coalesce: (...given) => given.find(isTrue),
  ternary: (yes, no, one) => (isTrue(one) ? yes : no),
  dict: (...given) => new Map(given.flatMap((key, i) => (i % 2 === 0 ? [[text(key), given[i + 1] ?? '']] : []))),
  get: (one, key) => fields(one).get(text(key)) ?? '',
  set: (one, key, value) => fields(one).set(text(key), value),
  unset(one, key) {
    fields(one).delete(text(key))
    return one
  },
  hasKey: (one, key) => fields(one).has(text(key)),
  pluck: (key, ...maps) => maps.map(fields).flatMap((one) => (one.has(text(key)) ? [one.get(text(key))] : [])),
  keys: (...maps) => maps.flatMap((one) => [...fields(one).keys()]),
  values: (one) => [...fields(one).values()],
  pick: (one, ...keys) => new Map([...fields(one)].filter(([key]) => keys.includes(key))),
  omit: (one, ...keys) => new Map([...fields(one)].filter(([key]) => !keys.includes(key))),
  ...{ merge: merge(false), mustMerge: merge(false), mergeOverwrite: merge(true), mustMergeOverwrite: merge(true) },
  dig: (...given) => dig(given.slice(0, -2).map(text), given.at(-2), given.at(-1)),
  ...{ deepCopy: copy, mustDeepCopy: copy, deepEqual: (a, b) => JSON.stringify(plain(a)) === JSON.stringify(plain(b)) },
  ...{ toJson: (one) => goJson(one), mustToJson: (one) => goJson(one) },
  ...{ toPrettyJson: (one) => goJson(one, 2), mustToPrettyJson: (one) => goJson(one, 2) },
  ...{ toRawJson: (one) => JSON.stringify(plain(one)), mustToRawJson: (one) => JSON.stringify(plain(one)) },
  fromJson: (one) => readJson(text(one)),
  mustFromJson: (one) => fromPlain(JSON.parse(text(one))),
  typeOf: (one) => typeOf(one),
  kindOf: (one) => kindOf(one),
  typeIs: (type, one) => typeOf(one) === type,
  typeIsLike: (type, one) => typeOf(one) === type || typeOf(one) === `*${text(type)}`,
  kindIs: (kind, one) => kindOf(one) === kind,
  semver: (one) => versionOf(text(one)),
  semverCompare: (range, one) => satisfies(readVersion(text(one)), parseConstraint(text(range))),
  duration: (one) => renderGoDuration(BigInt(whole(one)) * 1_000_000_000n),
  durationRound: (one) => roundDuration(text(one)),
}

function divisor(value: Value): number {
  if (whole(value) === 0) throw new Error('runtime error: integer divide by zero')
  return whole(value)
}

function roundTo(value: number, places: number): number {
  const power = 10 ** places
  const digit = power * value
  return (digit - Math.trunc(digit) >= 0.5 ? Math.ceil(digit) : Math.floor(digit)) / power
}

/** What is there already stays, unless it is empty or is to be overwritten; maps are merged within. */
function mergeInto(into: Fields, other: Fields, overwrites: boolean): Fields {
  for (const [key, value] of other) {
    const own = into.get(key)
    if (own instanceof Map && value instanceof Map) mergeInto(own, value, overwrites)
    else if (overwrites ? isTrue(value) || !into.has(key) : !isTrue(own)) into.set(key, value)
  }
  return into
}

function dig(path: readonly string[], fallback: Value, from: Value): Value {
  const [key = '', ...more] = path
  if (!(from instanceof Map))
    throw new Error(`interface conversion: interface {} is ${typeOf(from)}, not map[string]interface {}`)
  if (!from.has(key)) return fallback
  return more.length === 0 ? from.get(key) : dig(more, fallback, from.get(key))
}

function copy(one: Value): Value {
  if (one instanceof Map) return new Map([...one].map(([key, value]) => [key, copy(value)]))
  return Array.isArray(one) ? list(one).map(copy) : one
}

function plain(one: Value): unknown {
  if (one instanceof Map)
    return Object.fromEntries(
      [...one].map(([key, value]) => [text(key), plain(value)] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
    )
  if (Array.isArray(one)) return list(one).map(plain)
  return one === undefined ? null : one
}

function fromPlain(value: unknown): Value {
  if (Array.isArray(value)) return value.map(fromPlain)
  if (typeof value !== 'object' || value === null) return value ?? undefined
  return new Map(Object.entries(value).map(([key, one]) => [key, fromPlain(one)]))
}

/** What is no JSON is nothing. */
function readJson(written: string): Value {
  try {
    return fromPlain(JSON.parse(written))
  } catch {
    return undefined
  }
}

const ESCAPED = /[<>&\u2028\u2029]/g

/** As Go writes it, which keeps HTML out. */
function goJson(one: Value, indent?: number): string {
  return JSON.stringify(plain(one), undefined, indent).replace(
    ESCAPED,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function kindOf(one: Value): string {
  if (one === undefined || one === null) return 'invalid'
  if (one instanceof Map) return 'map'
  if (Array.isArray(one)) return 'slice'
  if (typeof one === 'boolean') return 'bool'
  if (typeof one === 'number') return Number.isInteger(one) ? 'int' : 'float64'
  return typeof one === 'string' ? 'string' : 'struct'
}

const TYPES: Readonly<Record<string, string>> = {
  invalid: '<nil>',
  map: 'map[string]interface {}',
  slice: '[]interface {}',
}

function typeOf(one: Value): string {
  const kind = kindOf(one)
  return TYPES[kind] ?? kind
}

function readVersion(written: string): Version {
  const version = parseLoose(written)
  if (!version) throw new Error('invalid semantic version')
  return version
}

/** Its parts are fields here; printed it is written in full. */
function versionOf(written: string): object {
  const { major, minor, patch, pre, build, original } = readVersion(written)
  const shown = `${major}.${minor}.${patch}${pre === '' ? '' : `-${pre}`}${build === '' ? '' : `+${build}`}`
  const numbers = { Major: Number(major), Minor: Number(minor), Patch: Number(patch) }
  return { ...numbers, Prerelease: pre, Metadata: build, Original: original, String: () => shown }
}

const SPANS: readonly (readonly [name: string, ns: bigint])[] = [
  ['y', 31_536_000_000_000_000n],
  ['mo', 2_592_000_000_000_000n],
  ['d', 86_400_000_000_000n],
  ['h', 3_600_000_000_000n],
  ['m', 60_000_000_000n],
  ['s', 1_000_000_000n],
]

/** The largest unit that fits, and how often. */
function roundDuration(written: string): string {
  const duration = parseGoDuration(written)
  const ns = 'fault' in duration ? 0n : duration.ns
  const size = ns < 0n ? -ns : ns
  const [name, span] = SPANS.find(([, one]) => size > one) ?? ['s', size + 1n]
  return `${ns < 0n ? '-' : ''}${size / span}${name}`
}
