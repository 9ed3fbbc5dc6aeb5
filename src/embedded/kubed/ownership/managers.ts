import { type JsonObject, stringOf } from '../../../lib/kube/json.ts'
import { apiVersionOf, type Resource } from '../resources/resource.ts'

/** Who writes, when and through what. */
export type Writer = {
  readonly manager: string
  /** RFC 3339, seconds. */
  readonly now: string
  readonly subresource: string
}

/** One who owns fields: a program, what it does and in which version. */
export type Manager = {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  readonly time: string | undefined
}

/** The manager of a write. */
export function managerOf(resource: Resource, writer: Writer, operation: 'Apply' | 'Update'): Manager {
  return {
    manager: writer.manager,
    operation,
    apiVersion: apiVersionOf(resource),
    subresource: writer.subresource,
    // The handler of scale writes no times.
    time: writer.subresource === 'scale' ? undefined : writer.now,
  }
}

/** What tells managers apart. */
export const idOf = ({ manager, operation, apiVersion, subresource }: Manager): string =>
  JSON.stringify(
    operation === 'Apply' ? [manager, operation, subresource] : [manager, operation, apiVersion, subresource],
  )

/** The manager of an entry of managedFields. */
export function readManager(entry: JsonObject): Manager {
  return {
    manager: stringOf(entry.manager),
    operation: entry.operation === 'Apply' ? 'Apply' : 'Update',
    apiVersion: stringOf(entry.apiVersion),
    subresource: stringOf(entry.subresource),
    time: typeof entry.time === 'string' ? entry.time : undefined,
  }
}

/** managedFields in the order in which they are kept: appliers first, then by time and name. */
export function sortEntries(entries: readonly JsonObject[]): JsonObject[] {
  return entries
    .map((entry) => ({ entry, manager: readManager(entry) }))
    .sort((a, b) => compareManagers(a.manager, b.manager))
    .map(({ entry }) => entry)
}

/** Appliers first, then by time and name. */
export const compareManagers = (a: Manager, b: Manager): number => order(a) - order(b) || compareText(rank(a), rank(b))

/** The oldest first, then by what the original calls them inside. */
export const compareAges = (a: Manager, b: Manager): number =>
  compareText(a.time ?? '', b.time ?? '') || compareText(internalName(a), internalName(b))

/** What tells managers apart, as the original writes it. */
export function internalName({ manager, operation, apiVersion, subresource }: Manager): string {
  const version = operation === 'Update' ? { apiVersion } : {}
  return JSON.stringify({ manager, operation, ...version, ...(subresource === '' ? {} : { subresource }) })
}

const order = ({ operation }: Manager): number => (operation === 'Apply' ? 0 : 1)
const rank = ({ time, manager, apiVersion, subresource }: Manager): string =>
  `${time ?? ''}\u0000${manager}\u0000${apiVersion}\u0000${subresource}`

/** The order of Go's strings, as far as names go. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
