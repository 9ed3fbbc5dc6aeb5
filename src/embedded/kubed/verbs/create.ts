import type { Call } from '../request/call.ts'
import type { Body } from '../decoding/body.ts'
import { decodeObject } from '../decoding/object.ts'
import { defaultObject } from '../defaulting/object.ts'
import { admitToNamespace } from '../admission/namespace.ts'
import type { Environment } from '../environment.ts'
import { alreadyExists, Fault, forbidden } from '../fault.ts'
import { type Meta, type Obj, toldName } from '../object.ts'
import { asKept, toStored, toVersion } from '../conversion/convert.ts'
import type { Resource } from '../resources/resource.ts'
import { type Applied, trackUpdate } from '../ownership/managed-fields.ts'
import { whyNotKept } from '../strategies/verbs.ts'
import { afterWrite } from '../upkeep/after-write.ts'
import { dropRepeatedOwners } from './owner-references.ts'
import { checkUid, isVersion, placeInNamespace, requireNumber, requirePlace } from './place.ts'
import { prepareNew } from './prepare.ts'
import { writerOf } from './writer.ts'

/** POST of a new object. */
export function create(env: Environment, call: Call, body: Body): Obj {
  const object = decodeObject(env, call, body)
  dropRepeatedOwners(call, object)
  return createDecoded(env, call, object)
}

/** PUT of an object that is not there yet, of a kind that is made by it. */
export function createByPut(env: Environment, call: Call, body: Body): Obj {
  const object = decodeObject(env, call, body)
  requirePlace(call, object)
  dropRepeatedOwners(call, object)
  checkUid(call, { ...object, metadata: { name: '' } }, object)
  requireNumber(object.metadata.resourceVersion ?? '')
  return createDecoded(env, call, object)
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
  admitToNamespace(env, resource, metadata.namespace ?? '', toldName(object))
  wipeServerMeta(object.metadata)
  // A dry run shows it; what is kept gets one of its own.
  if (sentVersion !== '') metadata.resourceVersion = sentVersion
  defaultObject(resource, object)
  if (applied !== undefined) metadata.managedFields = applied.managedFields
  else trackUpdate(resource, undefined, object, undefined, writerOf(env, call))
  if (resource.custom?.isEnding === true)
    throw forbidden(resource, toldName(object), 'create not allowed while custom resource definition is terminating')
  prepareNew(env, call, object)
  // What is no number is no version; and who updates what is not there, or applies it, may say one.
  if (!call.dryRun && call.method === 'POST' && isVersion(sentVersion))
    throw new Fault(500, '', 'resourceVersion should not be set on objects to be created')
  const existing = env.store.get(resource.storageKey, metadata.namespace ?? '', metadata.name)
  if (existing !== undefined) throw existsFault(call, existing, metadata.generateName)
  if (call.dryRun) return asKept(resource, object)
  const stored = env.store.put(resource.storageKey, toStored(resource, object))
  afterWrite(env, stored, undefined)
  return toVersion(resource, stored)
}

function refuseByName(resource: Resource): void {
  const why = whyNotKept(resource)
  if (why === undefined) return
  throw new Fault(501, 'NotImplemented', `${resource.plural} are not kept: ${why}, or a Kubernetes cluster`)
}

/** Who lets the server choose a name, and says one as well, is told as if it had been chosen. */
function existsFault(call: Call, existing: Obj, prefix = ''): Fault {
  const exists = alreadyExists(call.resource, existing.metadata.name)
  const chosen = `${exists.message}, the server was not able to generate a unique name for the object`
  const fault =
    prefix === '' ? exists : new Fault(409, 'AlreadyExists', chosen, { ...exists.details, retryAfterSeconds: 1 })
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
