import type { Call } from '../request/call.ts'
import type { Body } from '../decoding/body.ts'
import { decodeObject } from '../decoding/object.ts'
import { defaultObject } from '../defaulting/object.ts'
import { admitToNamespace } from '../admission/namespace.ts'
import type { Environment } from '../environment.ts'
import { alreadyExists, Fault } from '../fault.ts'
import { type Meta, type Obj, toldName } from '../object.ts'
import { toStored, toVersion } from '../conversion/convert.ts'
import type { Resource } from '../resources/resource.ts'
import { type Applied, trackUpdate } from '../ownership/managed-fields.ts'
import { whyNotKept } from '../strategies/verbs.ts'
import { afterWrite } from '../upkeep/after-write.ts'
import { placeInNamespace } from './place.ts'
import { prepareNew } from './prepare.ts'
import { writerOf } from './writer.ts'

/** POST of a new object. */
export function create(env: Environment, call: Call, body: Body): Obj {
  return createDecoded(env, call, decodeObject(env, call, body))
}

/** Creates an object that is decoded already. `applied`: whose managedFields are final (server-side apply). */
export function createDecoded(
  env: Environment,
  call: Call,
  object: Obj,
  applied?: Pick<Applied, 'managedFields'>,
): Obj {
  const { resource } = call
  refuseByName(resource)
  placeInNamespace(call, object)
  const { metadata } = object
  const sentVersion = metadata.resourceVersion ?? ''
  if (!call.dryRun && sentVersion !== '' && sentVersion !== '0')
    throw new Fault(500, '', 'resourceVersion should not be set on objects to be created')
  admitToNamespace(env, resource, metadata.namespace ?? '', toldName(object))
  wipeServerMeta(object.metadata)
  // Only a dry run comes so far with a version; it shows it.
  if (sentVersion !== '' && sentVersion !== '0') metadata.resourceVersion = sentVersion
  defaultObject(resource, object)
  if (applied !== undefined) metadata.managedFields = applied.managedFields
  else trackUpdate(resource, undefined, object, undefined, writerOf(env, call))
  prepareNew(env, call, object)
  const existing = env.store.get(resource.storageKey, metadata.namespace ?? '', metadata.name)
  if (existing !== undefined) throw existsFault(call, existing)
  if (call.dryRun) return object
  const stored = env.store.put(resource.storageKey, toStored(resource, object))
  afterWrite(env, stored, undefined)
  return toVersion(resource, stored)
}

function refuseByName(resource: Resource): void {
  const why = whyNotKept(resource)
  if (why === undefined) return
  throw new Fault(501, 'NotImplemented', `${resource.plural} are not kept: ${why}, or a Kubernetes cluster`)
}

function existsFault(call: Call, existing: Obj): Fault {
  const fault = alreadyExists(call.resource, existing.metadata.name)
  if (existing.metadata.deletionTimestamp === undefined) return fault
  return new Fault(409, 'AlreadyExists', `object is being deleted: ${fault.message}`, fault.details)
}

/** What only the server says, and who creates an object cannot. In place. */
function wipeServerMeta(metadata: Meta): void {
  for (const field of [
    'uid',
    'creationTimestamp',
    'resourceVersion',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'selfLink',
    'managedFields',
  ])
    delete metadata[field]
}
