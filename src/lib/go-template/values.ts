/** A value inside a template: plain data; a Map ranges by sorted key; an object with `String` prints by it. */
export type Value = unknown

/** What a template calls. */
export type GoFunction = (...given: Value[]) => Value

/** Says whether a value counts as false in Go's templates: zero, empty, absent. */
export function isTrue(value: Value): boolean {
  if (value instanceof Map) return value.size > 0
  if (Array.isArray(value)) return value.length > 0
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== ''
}

/** Prints a value as Go's `{{ . }}` does. */
export function print(value: Value): string {
  return value === undefined || value === null ? '<no value>' : printAs(value, show, ([, one]) => print(one))
}

/** Prints a value as Go's `%v` does, inside of others and by `print`. */
export function show(value: Value): string {
  return value === undefined || value === null ? '<nil>' : print(value)
}

/** Prints a value as Go's `%+v` does: the fields of structs have names. */
export function printNamed(value: Value): string {
  return value === undefined || value === null
    ? '<nil>'
    : printAs(value, printNamed, ([name, one]) => `${name}:${printNamed(one)}`)
}

function printAs(
  value: NonNullable<Value>,
  item: (one: Value) => string,
  field: (one: readonly [name: string, value: Value]) => string,
): string {
  if (Array.isArray(value)) return `[${value.map(item).join(' ')}]`
  if (value instanceof Map)
    return `map[${sortedEntries(value)
      .map(([key, one]) => `${item(key)}:${item(one)}`)
      .join(' ')}]`
  if (typeof value !== 'object') return String(value)
  const shown: unknown = Reflect.get(value, 'String')
  if (typeof shown === 'function') return String(shown.call(value))
  const fields = Object.entries(value).filter(([, one]) => typeof one !== 'function')
  return `{${fields.map(field).join(' ')}}`
}

/** Entries in the order in which Go ranges over a map: by key, structs field by field. */
export function sortedEntries(map: ReadonlyMap<Value, Value>): readonly (readonly [Value, Value])[] {
  const textOf = (key: Value): string =>
    typeof key === 'object' && key !== null ? Object.values(key).map(textOf).join('\0') : print(key)
  return [...map].sort(([a], [b]) =>
    typeof a === 'number' && typeof b === 'number' ? a - b : order(textOf(a), textOf(b)),
  )
}

/** Texts as Go orders them. */
export function order(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}

/** Characters that a template may make. */
export const LONGEST = 1024 * 1024

/** A text that is not too long. @throws Error */
export function bounded(text: string): string {
  if (text.length > LONGEST) throw new Error('the text is above 1 MiB')
  return text
}

/** Items that a list of a template may have. */
export const MOST_ITEMS = 10_000

/** A list that is not too long. @throws Error */
export function boundedList<Item>(items: readonly Item[]): readonly Item[] {
  if (items.length > MOST_ITEMS) throw new Error(`the list has more than ${MOST_ITEMS} items`)
  return items
}

/** A value as a text; nothing is an empty one. */
export const text = (value: Value): string => (value === undefined || value === null ? '' : print(value))
/** A value as a number, as sprig casts it; 0 for what is none. */
export const number = (value: Value): number => (Number.isFinite(Number(value)) ? Number(value) : 0)
/** The items of a list; of nothing else are there any. */
export const list = (value: Value): readonly Value[] => (Array.isArray(value) ? value : [])

/** Whether two values are equal in a template. */
export function same(a: Value, b: Value): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && print(a) === print(b))
}
