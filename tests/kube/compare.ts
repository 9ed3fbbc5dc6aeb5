import type { Body } from './server.ts'

/** Fields that two servers, or two moments, never share. */
const OWN = new Set(['uid', 'resourceVersion', 'creationTimestamp', 'time', 'selfLink'])

/** What an object says, whoever keeps it: no ids, versions and times; owners in order of their names. */
export function essence(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(essence)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, field]) => !OWN.has(key) && field !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      // The real server tells the causes of a conflict in any order of managers.
      .map(([key, field]) => [key, key === 'managedFields' || key === 'causes' ? unordered(field) : essence(field)]),
  )
}

function unordered(list: unknown): unknown {
  if (!Array.isArray(list)) return list
  return list.map((each) => JSON.stringify(essence(each))).sort()
}

/** Paths that some manager owns by apply, with their values. */
export function appliedPaths(object: Body, isOther: (manager: string) => boolean): Map<string, unknown> {
  const out = new Map<string, unknown>()
  const entries = object.metadata.managedFields as
    { manager: string; operation: string; fieldsV1: Record<string, unknown> }[] | undefined
  for (const { manager, fieldsV1 } of entries ?? []) if (isOther(manager)) collect(fieldsV1, object, '', out)
  return out
}

function collect(fields: Record<string, unknown>, value: unknown, path: string, out: Map<string, unknown>): void {
  const names = Object.keys(fields)
  // An emptied map is owned as such, not what others put into it.
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (names.length === 0 && !isMap) out.set(path, JSON.stringify(essence(value)))
  for (const name of names)
    if (name !== '.') collect(fields[name] as Record<string, unknown>, below(value, name), `${path}/${name}`, out)
}

function below(value: unknown, element: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  const rest = element.slice(2)
  if (element.startsWith('f:')) return (value as Record<string, unknown>)[rest]
  if (!Array.isArray(value)) return undefined
  const key = JSON.parse(rest) as unknown
  if (element.startsWith('v:')) return value.find((item) => item === key)
  return value.find((item) =>
    Object.entries(key as object).every(
      ([name, wanted]) => item[name] === wanted || (item[name] === undefined && name === 'protocol'),
    ),
  )
}
