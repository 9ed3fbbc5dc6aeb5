import { clone, type JsonObject, objectOf, objectsOf } from '../../../lib/kube/json.ts'
import { type Environment, timestamp } from '../environment.ts'
import type { Obj } from '../object.ts'
import { trackUpdate } from '../ownership/managed-fields.ts'

/** Where definitions are kept. */
export const DEFINITIONS = 'apiextensions.k8s.io/customresourcedefinitions'

type Condition = { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }

/** A status with a condition, which keeps its place, and its time as long as it says the same. */
export function withCondition(status: JsonObject, condition: Condition, now: string): JsonObject {
  const conditions = objectsOf(status.conditions)
  const had = conditions.find(({ type }) => type === condition.type)
  const lastTransitionTime = had?.status === condition.status ? (had.lastTransitionTime ?? now) : now
  const next: JsonObject = { ...condition, lastTransitionTime }
  return {
    ...status,
    conditions: had === undefined ? [...conditions, next] : conditions.map((each) => (each === had ? next : each)),
  }
}

/** True when a status says so. */
export const isTrue = (status: JsonObject, wanted: string): boolean =>
  objectsOf(status.conditions).some(({ type, status: value }) => type === wanted && value === 'True')

/** Writes the status of a definition, as the server itself. */
export function writeDefinitionStatus(env: Environment, before: Obj, status: JsonObject): Obj {
  const next: Obj = { ...clone(before), status }
  trackStatus(env, before, next)
  return env.store.put(DEFINITIONS, next)
}

/** Remembers the server as the owner of what it writes into a status. In place. */
export function trackStatus(env: Environment, before: Obj, next: Obj): void {
  const resource = env.registry.byStorageKey(DEFINITIONS)
  const writer = { manager: 'kube-apiserver', now: timestamp(env.nowMs()), subresource: 'status' }
  if (resource !== undefined) trackUpdate(resource, before, next, undefined, writer)
}

/** The status of a definition. */
export const statusOf = ({ status }: Obj): JsonObject => objectOf(status)
