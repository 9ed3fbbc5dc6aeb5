import { clone, type JsonObject, listOf, numberOf, objectOf, stringOf } from '../../../lib/kube/json.ts'
import { admitNamespaceDelete } from '../admission/namespace.ts'
import { validateByPolicies } from '../admission/policies/validating.ts'
import type { Call } from '../request/call.ts'
import { type Environment, timestamp } from '../environment.ts'
import { conflict, Fault } from '../fault.ts'
import { finalizersOf, type Obj, specOf } from '../object.ts'
import { toVersion } from '../conversion/convert.ts'
import { isDefinition } from '../resources/definitions.ts'
import type { Resource } from '../resources/resource.ts'
import { hasUnsafeDeleter, isOrphaning } from '../strategies/verbs.ts'
import { afterWrite } from '../upkeep/after-write.ts'
import { toEnd } from '../upkeep/definition-end.ts'
import { end, isFinished } from './end.ts'
import { placeOf } from './place.ts'
import { type Removal, UNSAFE } from './removal.ts'

/** Everything that is kept here can be read. */
function refuseUnsafe(call: Call): void {
  const { name, resource } = call
  if (!hasUnsafeDeleter(resource))
    throw new Fault(
      500,
      'InternalError',
      `Internal error occurred: no unsafe deleter provided, can not honor ${UNSAFE}`,
      { causes: [{ message: `no unsafe deleter provided, can not honor ${UNSAFE}` }] },
    )
  const key = `/registry${placeOf(call)}`
  const why = 'unsafe deletion is not allowed because the object is decodable from storage'
  throw conflict(
    resource,
    name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`,
  )
}

/** An object as it is now, or as it was when it went. */
type Removed = { readonly object: Obj; readonly gone: boolean }

/** Deletes an object, or marks it as being deleted while finalizers or a grace period hold it. */
export function remove(env: Environment, call: Call, stored: Obj, removal: Removal): Removed {
  const { resource } = call
  if (removal.isUnsafe) refuseUnsafe(call)
  admitNamespaceDelete(resource, stored.metadata.name)
  checkPreconditions(call, stored, removal)
  const { said: options } = removal
  validateByPolicies(env, {
    call,
    operation: 'DELETE',
    object: undefined,
    before: toVersion(resource, stored),
    options,
  })
  if (isDefinition(stored) && stored.metadata.deletionTimestamp === undefined)
    return endDefinition(env, call, stored, removal)
  const marked = clone(stored)
  const grace = graceOf(stored, removal)
  const finalizers = withPropagation(finalizersOf(stored), removal, resource)
  if (finalizers.length > 0) marked.metadata.finalizers = finalizers
  else delete marked.metadata.finalizers
  const isDeleting = stored.metadata.deletionTimestamp !== undefined
  const holds = finalizers.length > 0 || grace > 0 || isNamespaceHeld(stored)
  if (!holds) {
    const isPod = stored.kind === 'Pod' && stored.apiVersion === 'v1'
    if (isPod) markEnded(env, marked, isDeleting)
    if (removal.dryRun) return { object: toVersion(resource, marked), gone: true }
    if (isPod) {
      const ended = env.store.put(resource.storageKey, marked)
      return { object: lastOf(env, call, ended, clone(ended)), gone: true }
    }
    return { object: lastOf(env, call, stored, marked), gone: true }
  }
  if (!isDeleting) {
    marked.metadata.deletionTimestamp = timestamp(env.nowMs() + grace * 1000)
    if (stored.kind !== 'Namespace') marked.metadata.deletionGracePeriodSeconds = grace
    if (typeof marked.metadata.generation === 'number') marked.metadata.generation++
  } else shorten(env, marked, grace)
  if (stored.kind === 'Namespace') marked.status = { ...objectOf(marked.status), phase: 'Terminating' }
  if (removal.dryRun) return { object: toVersion(resource, marked), gone: false }
  if (isDeleting && isFinished(marked)) return { object: lastOf(env, call, stored, marked), gone: true }
  if (isDeleting && JSON.stringify(marked) === JSON.stringify(stored))
    return { object: toVersion(resource, stored), gone: false }
  const kept = env.store.put(resource.storageKey, marked)
  afterWrite(env, kept, stored)
  return { object: toVersion(resource, kept), gone: false }
}

/** A definition goes with the last of its objects, which may wait for somebody. */
function endDefinition(env: Environment, { resource }: Call, stored: Obj, { dryRun }: Removal): Removed {
  const ending = toEnd(clone(stored), timestamp(env.nowMs()))
  if (dryRun) return { object: toVersion(resource, ending), gone: false }
  const kept = env.store.put(resource.storageKey, ending)
  const object = clone(toVersion(resource, kept))
  afterWrite(env, kept, stored)
  return { object, gone: false }
}

/** The object that is gone now, with the version of its end. */
function lastOf(env: Environment, call: Call, stored: Obj, last: Obj): Obj {
  const resourceVersion = end(env, call, stored, last)
  const shown = toVersion(call.resource, last)
  return { ...shown, metadata: { ...shown.metadata, resourceVersion } }
}

/** Refuses to remove another object than the one that is meant. @throws Fault 409 */
export function checkPreconditions({ resource }: Call, stored: Obj, { uid, resourceVersion }: Removal): void {
  // Events are named as they were before they had a group.
  const group = resource.storageKey === '/events' ? '' : resource.group
  const naming = { ...resource, group, plural: resource.kind }
  const { name, uid: own = '', resourceVersion: ownVersion = '' } = stored.metadata
  const start = OWN_PRECONDITIONS[resource.storageKey]
  if (start !== undefined) {
    if (uid !== undefined && uid !== own) throw conflict(resource, name, unmet(start, 'UID', uid, own))
    if (resourceVersion !== undefined && resourceVersion !== ownVersion)
      throw conflict(resource, name, unmet(start, 'ResourceVersion', resourceVersion, ownVersion))
  }
  if (uid !== undefined && uid !== own)
    throw conflict(
      naming,
      name,
      `the UID in the precondition (${uid}) does not match the UID in record (${own}). The object might have been deleted and then recreated`,
    )
  if (resourceVersion !== undefined && resourceVersion !== ownVersion)
    throw conflict(
      naming,
      name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${ownVersion}). The object might have been modified`,
    )
}

/** Kinds that look at preconditions themselves, and how they begin to tell of them. */
const OWN_PRECONDITIONS: Readonly<Record<string, string>> = {
  '/namespaces': 'Precondition failed',
  'apiextensions.k8s.io/customresourcedefinitions': 'precondition failed',
}

const unmet = (start: string, what: string, wanted: string, own: string): string =>
  `${start}: ${what} in precondition: ${wanted}, ${what} in object meta: ${own}`

/** Pods end gracefully when they are on a node; everything else at once. */
function graceOf(stored: Obj, { graceSeconds }: Removal): number {
  if (stored.kind !== 'Pod' || stored.apiVersion !== 'v1') return 0
  const spec: JsonObject = specOf(stored)
  if (stringOf(spec.nodeName) === '') return 0
  const phase = stringOf(objectOf(stored.status).phase)
  if (phase === 'Succeeded' || phase === 'Failed') return 0
  const grace = graceSeconds ?? numberOf(spec.terminationGracePeriodSeconds) ?? 30
  return grace < 0 ? 1 : grace
}

/** Also a pod that goes at once has ended when it is shown. */
function markEnded(env: Environment, { metadata }: Obj, isDeleting: boolean): void {
  metadata.deletionTimestamp = timestamp(env.nowMs())
  metadata.deletionGracePeriodSeconds = 0
  if (!isDeleting && typeof metadata.generation === 'number') metadata.generation++
}

function shorten(env: Environment, marked: Obj, grace: number): void {
  const { metadata } = marked
  if (marked.kind !== 'Pod' || grace >= (metadata.deletionGracePeriodSeconds ?? 0)) return
  metadata.deletionGracePeriodSeconds = grace
  metadata.deletionTimestamp = timestamp(env.nowMs() + grace * 1000)
}

function isNamespaceHeld(stored: Obj): boolean {
  return stored.kind === 'Namespace' && stored.apiVersion === 'v1' && listOf(specOf(stored).finalizers).length > 0
}

function withPropagation(finalizers: readonly string[], { propagation }: Removal, resource: Resource): string[] {
  // Nobody looks after the dependents of events.
  if (resource.storageKey === '/events') return [...finalizers]
  if (propagation === undefined) {
    const isSaid = finalizers.some((each) => each === 'orphan' || each === 'foregroundDeletion')
    return isOrphaning(resource) && !isSaid ? [...finalizers, 'orphan'] : [...finalizers]
  }
  const out = finalizers.filter((each) => each !== 'orphan' && each !== 'foregroundDeletion')
  if (propagation === 'Orphan') out.push('orphan')
  if (propagation === 'Foreground') out.push('foregroundDeletion')
  return out
}
