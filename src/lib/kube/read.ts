/** Reads a nested field of a value that came from outside; `undefined` where the way ends. */
export function read(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    value,
  )
}

/** As {@link read}, for a text; `''` when there is none. */
export function readText(value: unknown, ...path: readonly string[]): string {
  const found = read(value, ...path)
  return typeof found === 'string' ? found : ''
}

/** As {@link read}, for a list; empty when there is none. */
export function readList(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = read(value, ...path)
  return Array.isArray(found) ? found : []
}

/** A condition of `status.conditions`. */
export type Condition = {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

/** The condition of a type in an object's status; `undefined` when it has none. */
export function conditionOf(object: unknown, type: string): Condition | undefined {
  const found = readList(object, 'status', 'conditions').find((entry) => read(entry, 'type') === type)
  if (found === undefined) return undefined
  return {
    type,
    status: readText(found, 'status'),
    reason: readText(found, 'reason'),
    message: readText(found, 'message'),
  }
}
