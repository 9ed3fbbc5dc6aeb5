import { equal, isObject, type JsonObject } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import type { Body } from '../decoding/body.ts'
import { decodeObject } from '../decoding/object.ts'
import { defaultObject } from '../defaulting/object.ts'
import type { Environment } from '../environment.ts'
import { conflict, type FieldError, invalid, MODIFIED, notFound } from '../fault.ts'
import { finalizersOf, type Obj, objFrom } from '../object.ts'
import { asKept, toStored, toVersion } from '../conversion/convert.ts'
import { apiVersionOf, writesStatus } from '../resources/resource.ts'
import { type Applied, trackUpdate } from '../ownership/managed-fields.ts'
import { sameOwners } from '../ownership/state.ts'
import { countGeneration } from '../strategies/generations.ts'
import { mustSayVersion } from '../strategies/verbs.ts'
import { afterWrite } from '../upkeep/after-write.ts'
import { finish, isFinished } from './end.ts'
import { dropRepeatedOwners } from './owner-references.ts'
import { checkUid, requireNumber, requirePlace } from './place.ts'
import { prepareChanged } from './prepare.ts'
import { writerOf } from './writer.ts'

/** The owners that an object is to have. */
type Owned = Pick<Applied, 'managedFields'> & Partial<Pick<Applied, 'isSame'>>

/** PUT of the whole object that is there. */
export function replace(env: Environment, call: Call, before: Obj | undefined, body: Body): Obj {
  const object = decodeObject(env, call, body)
  requirePlace(call, object)
  dropRepeatedOwners(call, object)
  if (before === undefined) throw notFound(call.resource, call.name)
  checkUid(call, before, object)
  requireVersion(call, object)
  return change(env, call, before, object)
}

/** Refuses a replacement without the version that it replaces, where the kind wants it. @throws Fault 422 */
export function requireVersion({ resource, name }: Call, { metadata }: Obj): void {
  if (!mustSayVersion(resource)) return
  if (!/^0?$/.test(metadata.resourceVersion ?? '')) return
  throw invalid({ group: resource.group, kind: resource.plural }, name, [
    {
      field: 'metadata.resourceVersion',
      type: 'Invalid',
      message: 'Invalid value: 0: must be specified for an update',
    },
  ])
}

/** Writes a changed, decoded object over the stored one. `applied`: whose managedFields are final (server-side apply). */
export function change(env: Environment, call: Call, stored: Obj, object: Obj, applied?: Owned): Obj {
  const { resource } = call
  const before = toVersion(resource, stored)
  const sentVersion = object.metadata.resourceVersion
  if (typeof sentVersion === 'string' && !/^0?$/.test(sentVersion) && sentVersion !== before.metadata.resourceVersion) {
    requireNumber(sentVersion)
    throw conflict(resource, call.name, MODIFIED)
  }
  const faults = metaFaults(object, before)
  const sentFields = object.metadata.managedFields
  object.apiVersion = apiVersionOf(resource)
  object.kind = resource.kind
  defaultObject(resource, object)
  if (applied !== undefined) putOwners(object, applied)
  else trackUpdate(resource, before, object, sentFields, writerOf(env, call))
  dropRepeatedOwners(call, object)
  prepareChanged(env, call, object, before, faults)
  const next = keptForm(call, object, before, stored, applied)
  if (isUnchanged(call, { next, stored, object, before })) return before
  if (call.dryRun) return asKept(resource, object)
  if (isFinished(object)) return finish(env, call, stored, object)
  const kept = env.store.put(resource.storageKey, next)
  afterWrite(env, kept, before)
  return toVersion(resource, kept)
}

/** The object as it is to be kept. Through another version it may look the same and be kept otherwise: items of a list change places. */
function keptForm(
  { resource, subresource }: Call,
  object: Obj,
  before: Obj,
  stored: Obj,
  applied: Owned | undefined,
): Obj {
  const next = toStored(resource, object)
  if (resource.custom !== undefined || object.apiVersion === stored.apiVersion) return next
  // An apply that changes nothing itself leaves the order alone; its annotation, admission and owners may change something still.
  const kept =
    applied?.isSame === true
      ? objFrom(withChanges(stored, toStored(resource, before), next), stored.apiVersion, stored.kind)
      : next
  if (writesStatus(subresource)) return kept
  countGeneration(resource, kept, stored)
  object.metadata.generation = kept.metadata.generation
  return kept
}

/** An object with what differs between two others; what does not differ stays as it is. */
function withChanges(value: JsonObject, from: JsonObject, to: JsonObject): JsonObject {
  const changed: JsonObject = { ...value }
  for (const name of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const [had, was, is] = [value[name], from[name], to[name]]
    if (equal(was, is)) continue
    if (is === undefined) delete changed[name]
    else changed[name] = isObject(had) && isObject(was) && isObject(is) ? withChanges(had, was, is) : is
  }
  return changed
}

/** Where nobody owns anything any more, nothing is said of owners. */
function putOwners({ metadata }: Obj, { managedFields }: Owned): void {
  if (managedFields === undefined) delete metadata.managedFields
  else metadata.managedFields = managedFields
}

/** What of metadata is the server's may be left out and sent as it is, but not changed; an object that goes gets no more finalizers. */
function metaFaults(object: Obj, before: Obj): FieldError[] {
  const isGoing = before.metadata.deletionTimestamp !== undefined
  const kept = ['uid', ...(isGoing ? [] : ['deletionTimestamp']), 'deletionGracePeriodSeconds']
  return [
    ...(isGoing ? newFinalizers(object, before) : []),
    ...kept.flatMap((name): FieldError[] => {
      const value = object.metadata[name]
      if (value === undefined || value === '' || value === before.metadata[name]) return []
      const message = `Invalid value: ${JSON.stringify(value)}: field is immutable`
      return [{ field: `metadata.${name}`, type: 'Invalid', message }]
    }),
  ]
}

function newFinalizers(object: Obj, before: Obj): FieldError[] {
  const old = new Set(finalizersOf(before))
  const added = finalizersOf(object)
    .filter((finalizer) => !old.has(finalizer))
    .sort()
  if (added.length === 0) return []
  const told = added.map((each) => JSON.stringify(each)).join(', ')
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${told}}`
  return [{ field: 'metadata.finalizers', type: 'Forbidden', message }]
}

type Versioned = { readonly next: Obj; readonly stored: Obj; readonly object: Obj; readonly before: Obj }

/**
 * A custom resource that is kept in the version in which it is written may only have got defaults since, which are no change; one that is kept
 * in a version in which none are kept any more is written anew.
 */
function isUnchanged({ resource }: Call, { next, stored, object, before }: Versioned): boolean {
  const isAsKept =
    resource.custom !== undefined && stored.apiVersion === object.apiVersion && stored.apiVersion === next.apiVersion
  return isAsKept ? isSame(object, before) : isSame(next, stored)
}

function isSame(object: Obj, before: Obj): boolean {
  const { metadata, ...content } = object
  const { metadata: oldMetadata, ...oldContent } = before
  const { managedFields, ...meta } = metadata
  const { managedFields: oldFields, ...oldMeta } = oldMetadata
  return equal(meta, oldMeta) && equal(content, oldContent) && sameOwners(managedFields, oldFields)
}
