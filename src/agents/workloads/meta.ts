import type { KubeObject, ObjectMeta, OwnerReference } from '../../lib/kube/object.ts'
import type { Condition, IntOrPercent } from './shapes.ts'

/** The owner that controls the object. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true)
}

/** The reference by which `owner` controls what it makes. */
export function controlledBy(owner: KubeObject): OwnerReference {
  const { apiVersion, kind, metadata } = owner
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true, blockOwnerDeletion: true }
}

/** How queues name an object, as in client-go: `namespace/name`, its name alone where it is in no namespace. */
export function keyOf({ metadata: { namespace = '', name } }: { readonly metadata: ObjectMeta }): string {
  return namespace === '' ? name : `${namespace}/${name}`
}

/** Time as the API writes it: UTC, whole seconds. */
export function timeText(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19)}Z`
}

/** Milliseconds of a time that the API wrote; 0 when absent. */
export function timeMs(text: string | null | undefined): number {
  const ms = text ? Date.parse(text) : 0
  return Number.isNaN(ms) ? 0 : ms
}

/** A number, or its share of `total`, rounded as asked. A text that is neither is 0. */
export function scaledValue(value: IntOrPercent, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value
  const percent = /^(\d+)%$/.exec(value)?.[1]
  if (percent === undefined) return 0
  const share = (Number(percent) * total) / 100
  return round === 'up' ? Math.ceil(share) : Math.floor(share)
}

/** The condition of that type. */
export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type)
}

/** Oldest first; the name decides between twins. */
export function byCreation(a: KubeObject, b: KubeObject): number {
  const difference = timeMs(a.metadata.creationTimestamp) - timeMs(b.metadata.creationTimestamp)
  return difference !== 0 ? difference : compareText(a.metadata.name, b.metadata.name)
}

/** Order of texts by code unit. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Whether two JSON values are equal; the order of keys does not matter, and an undefined field is an absent one. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b))
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, at) => isSame(item, b[at]))
  const left = Object.entries(a).filter(([, value]) => value !== undefined)
  const right = new Map(Object.entries(b).filter(([, value]) => value !== undefined))
  return left.length === right.size && left.every(([key, value]) => right.has(key) && isSame(value, right.get(key)))
}

/** Leaves out the counts that are 0, as the API does. */
export function withoutNoughts<T extends object>(fields: T): Partial<T> {
  // Object.fromEntries forgets the field names, nothing else changes.
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== 0 && value !== undefined),
  ) as Partial<T>
}
