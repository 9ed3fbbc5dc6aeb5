import { type JsonObject, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { addQuantities } from '../../../lib/kube/quantity.ts'
import {
  addTo,
  amounts,
  hasPodResources,
  isInScope,
  MUST_BE_NAMED,
  namesOfKind,
  NOTHING,
  type Usage,
  usageOf,
} from '../../../lib/kube/quota.ts'
import type { Call } from '../request/call.ts'
import { type Environment, timestamp } from '../environment.ts'
import { forbidden } from '../fault.ts'
import type { Obj } from '../object.ts'
import { trackUpdate } from '../ownership/managed-fields.ts'
import { RESIZE } from '../resources/resource.ts'

const KEY = '/resourcequotas'

/**
 * Refuses what would exceed a quota of its namespace, and counts it at once otherwise: two writes never share the last free place.
 *
 * @see k8s.io/apiserver/pkg/admission/plugin/resourcequota
 */
export function admitToQuota(env: Environment, call: Call, object: Obj, before: Obj | undefined): void {
  const { resource, namespace } = call
  if (!resource.isNamespaced || !isAccounted(call, object, before)) return
  const counted = env.store
    .list(KEY, namespace)
    .filter((quota) => isInScope(quota, resource, object) && namesOf(call, quota).length > 0)
    .map((quota) => {
      refuseUnnamed(call, object, quota)
      refuseUncounted(call, object, quota)
      // What another scope counted before is new to this quota.
      const known = before !== undefined && isInScope(quota, resource, before) ? before : undefined
      return { quota, delta: deltaOf(call, object, known, env.nowMs()) }
    })
    .map(({ quota, delta }) => ({ quota, next: count(call, object, quota, delta) }))
  if (call.dryRun) return
  for (const { quota, next } of counted) if (next !== undefined) putCounted(env, quota, next)
}

/** What is counted belongs to the server, until its controller counts anew. */
function putCounted(env: Environment, quota: Obj, next: Obj): void {
  const resource = env.registry.byStorageKey(KEY)
  const writer = { manager: 'kube-apiserver', now: timestamp(env.nowMs()), subresource: 'status' }
  if (resource !== undefined) trackUpdate(resource, quota, next, undefined, writer)
  env.store.put(KEY, next)
}

/** True when the write can change an amount: only services and claims, and pods whose amounts or scope change, are counted after their creation. */
function isAccounted({ resource, subresource }: Call, object: Obj, before: Obj | undefined): boolean {
  if (subresource === RESIZE) return true
  if (subresource !== '') return false
  if (before === undefined || ['/services', '/persistentvolumeclaims'].includes(resource.storageKey)) return true
  return resource.storageKey === '/pods' && isTerminating(object) !== isTerminating(before)
}

const isTerminating = (pod: Obj): boolean => objectOf(pod.spec).activeDeadlineSeconds !== undefined

const namesOf = ({ resource }: Call, quota: Obj): string[] => namesOfKind(resource, Object.keys(hardOf(quota)))

function refuseUncounted(call: Call, { metadata }: Obj, quota: Obj): void {
  const { used } = objectOf(quota.status)
  const names = namesOf(call, quota)
  if (names.every((name) => objectOf(used)[name] !== undefined)) return
  const why = `status unknown for quota: ${quota.metadata.name}, resources: ${names.sort().join(',')}`
  throw forbidden(call.resource, metadata.name, why)
}

/** A compute resource that the quota limits must be named by every container, else nothing could be counted. */
function refuseUnnamed({ resource }: Call, pod: Obj, quota: Obj): void {
  if (resource.storageKey !== '/pods') return
  const names = Object.keys(hardOf(quota)).filter((name) => MUST_BE_NAMED.has(name))
  const spec = objectOf(pod.spec)
  if (hasPodResources(spec)) return
  const containers = [...objectsOf(spec.initContainers), ...objectsOf(spec.containers)]
  const missing = names
    .map(
      (name) =>
        [name, containers.filter((container) => !asks(container, name)).map(({ name: own }) => stringOf(own))] as const,
    )
    .filter(([, list]) => list.length > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  if (missing.length === 0) return
  const text = missing.map(([name, list]) => `${name} for: ${list.sort().join(',')}`).join('; ')
  throw forbidden(resource, pod.metadata.name, `failed quota: ${quota.metadata.name}: must specify ${text}`)
}

function asks(container: JsonObject, name: string): boolean {
  const { requests, limits } = objectOf(container.resources)
  const ofLimits = name.startsWith('limits.')
  return objectOf(ofLimits ? limits : requests)[name.replace(/^(limits|requests)\./, '')] !== undefined
}

function deltaOf({ resource }: Call, object: Obj, before: Obj | undefined, nowMs: number): Usage {
  const delta = new Map(usageOf(resource, object, nowMs))
  if (before === undefined) return delta
  for (const [name, amount] of usageOf(resource, before, nowMs))
    delta.set(name, addQuantities(delta.get(name) ?? NOTHING, amount, -1))
  return delta
}

const hardOf = (quota: Obj): JsonObject => objectOf(objectOf(quota.status).hard)

/** The quota with what the write uses; undefined when the write changes nothing of it. */
function count({ resource }: Call, object: Obj, quota: Obj, delta: Usage): Obj | undefined {
  const hard = amounts(hardOf(quota))
  const used = amounts(objectOf(quota.status).used)
  const asked = new Map([...delta].filter(([name, amount]) => hard.has(name) && amount.nano > 0n))
  if (asked.size === 0) return undefined
  const after = new Map(used)
  addTo(after, asked)
  const exceeded = [...asked.keys()]
    .filter((name) => (after.get(name) ?? NOTHING).nano > (hard.get(name) ?? NOTHING).nano)
    .sort()
  if (exceeded.length > 0) {
    const show = (amount: Usage): string =>
      exceeded.map((name) => `${name}=${(amount.get(name) ?? NOTHING).text}`).join(',')
    throw forbidden(
      resource,
      object.metadata.name,
      `exceeded quota: ${quota.metadata.name}, requested: ${show(asked)}, used: ${show(used)}, limited: ${show(hard)}`,
    )
  }
  const texts = Object.fromEntries([...after].map(([name, amount]) => [name, amount.text]))
  return { ...quota, metadata: { ...quota.metadata }, status: { ...objectOf(quota.status), used: texts } }
}
