/** What an expression works with: CEL's name of its kind. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null_type'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'double'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  if (Array.isArray(value) || value instanceof Set) return 'list'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof Date) return 'timestamp'
  if (isDuration(value)) return 'duration'
  if (value instanceof Map || Object.getPrototypeOf(value) === Object.prototype) return 'map'
  if (Object.getPrototypeOf(value) === null) return 'map'
  return typeof value.valueOf() === 'bigint' ? 'uint' : 'other'
}

/** A span of time, as the library of expressions has it. */
export type Duration = {
  readonly seconds: bigint
  readonly nanos: number
  readonly addDuration: (other: Duration) => Duration
}

export function isDuration(value: unknown): value is Duration {
  return typeof value === 'object' && value !== null && 'seconds' in value && 'nanos' in value && 'addDuration' in value
}

const BILLION = 1_000_000_000n

/** All of a span in nanoseconds. */
export const nanosOf = ({ seconds, nanos }: Duration): bigint => seconds * BILLION + BigInt(nanos)

/** Which of two values of one kind is less: negative when it is the first. */
export function compareValues(a: unknown, b: unknown): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  const [left, right] = [sizeOf(a), sizeOf(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

function sizeOf(value: unknown): bigint | number {
  if (isDuration(value)) return nanosOf(value)
  if (typeof value === 'bigint') return value
  if (typeof value === 'object' && value !== null)
    return typeof value.valueOf() === 'bigint' ? BigInt(String(value)) : Number(value)
  return Number(value)
}

/** Whether two values are the same; a whole number may be an int or a double, by where it came from. */
export function isSameValue(a: unknown, b: unknown): boolean {
  const [left, right] = [kindOf(a), kindOf(b)]
  if (NUMBERS.has(left) && NUMBERS.has(right)) return compareValues(a, b) === 0
  if (left !== right) return false
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((each, index) => isSameValue(each, b[index]))
  if (left === 'null_type') return true
  if (left === 'string') return a === b
  if (left !== 'map') return left !== 'other' && compareValues(a, b) === 0
  const [entries, others] = [entriesOf(a), entriesOf(b)]
  return (
    entries.length === others.length &&
    entries.every(([key, value]) => others.some(([name, other]) => isSameValue(key, name) && isSameValue(value, other)))
  )
}

const NUMBERS = new Set(['int', 'uint', 'double'])

/** The entries of a map, or of a list by index. @throws Error for what is neither */
export function entriesOf(value: unknown): (readonly [key: unknown, value: unknown])[] {
  if (Array.isArray(value)) return value.map((each: unknown, index) => [BigInt(index), each] as const)
  if (value instanceof Map) return [...value.entries()]
  if (typeof value === 'object' && value !== null) return Object.entries(value)
  throw new Error('expression is neither a list nor a map')
}
