import {
  at,
  byBytes,
  clone,
  isObject,
  type Json,
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import { readObject, readPatch } from '../decoding/body.ts'
import { bodyKindOf } from '../decoding/body-kind.ts'
import { decodeCustom } from '../decoding/custom.ts'
import { decodeObject } from '../decoding/object.ts'
import { booleanIn } from '../request/query.ts'
import type { Environment } from '../environment.ts'
import { badRequest, conflict, Fault, invalid, MODIFIED, otherName, unnamed } from '../fault.ts'
import { type Obj, objFrom } from '../object.ts'
import { CUSTOM_SCALES, apiVersionOf, type Resource } from '../resources/resource.ts'
import { trackApply, trackUpdate } from '../ownership/managed-fields.ts'
import { appliedMap, checkApplied } from '../verbs/apply.ts'
import { patchedObject } from '../verbs/patch.ts'
import { change } from '../verbs/change.ts'
import { checkUid } from '../verbs/place.ts'
import { writerOf } from '../verbs/writer.ts'
import { ownersAfterScale, ownersOfScale } from './scale-owners.ts'

type Paths = {
  readonly replicas: readonly string[]
  readonly current: readonly string[]
  readonly selector: readonly string[]
}

function pathsOf(call: Call): Paths {
  const scale = call.resource.custom?.scale
  const split = (path: Json | undefined, fallback: string): string[] =>
    (stringOf(path) || fallback).split('.').filter((part) => part !== '')
  return {
    replicas: split(scale?.specReplicasPath, '.spec.replicas'),
    current: split(scale?.statusReplicasPath, '.status.replicas'),
    selector: scale === undefined ? ['spec', 'selector'] : split(scale.labelSelectorPath, ''),
  }
}

/** The Scale of an object. */
function scaleOf(call: Call, object: Obj): JsonObject {
  const { replicas, current, selector } = pathsOf(call)
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const wanted = numberOf(at(object, ...replicas))
  const found = selector.length === 0 ? undefined : at(object, ...selector)
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: wanted === undefined || wanted === 0 ? {} : { replicas: wanted },
    status: { replicas: numberOf(at(object, ...current)) ?? 0, selector: selectorText(found) || undefined },
  }
}

/** The Scale that is asked for. @throws Fault 500 when a custom resource does not say how many it wants */
export function readScale(call: Call, object: Obj): JsonObject {
  if (!saysSize(call, object))
    throw new Fault(
      500,
      'InternalError',
      `Internal error occurred: the spec replicas field ${sizeField(call)} does not exist`,
      {
        causes: [{ message: `the spec replicas field ${sizeField(call)} does not exist` }],
      },
    )
  return scaleOf(call, object)
}

/** Built-in kinds have a size by default. */
function saysSize(call: Call, object: Obj): boolean {
  return call.resource.custom === undefined || at(object, ...pathsOf(call).replicas) !== undefined
}

const sizeField = ({ resource }: Call): string => JSON.stringify(stringOf(resource.custom?.scale?.specReplicasPath))

/** A selector as Go writes it: its conditions by key. */
function selectorText(selector: Json | undefined): string {
  if (typeof selector === 'string') return selector
  const own = objectOf(selector)
  const isLabels = own.matchLabels === undefined && own.matchExpressions === undefined
  const labels = Object.entries(isLabels ? own : objectOf(own.matchLabels))
  return [
    ...labels.map(([key, value]) => ({ key, text: `${key}=${stringOf(value)}` })),
    ...objectsOf(isLabels ? undefined : own.matchExpressions).map(expressionText),
  ]
    .sort((a, b) => byBytes(a.key, b.key))
    .map(({ text }) => text)
    .join(',')
}

function expressionText(expression: JsonObject): { key: string; text: string } {
  const key = stringOf(expression.key)
  const values = `(${listOf(expression.values).map(stringOf).sort().join(',')})`
  switch (expression.operator) {
    case 'In':
      return { key, text: `${key} in ${values}` }
    case 'NotIn':
      return { key, text: `${key} notin ${values}` }
    case 'DoesNotExist':
      return { key, text: `!${key}` }
    default:
      return { key, text: key }
  }
}

/** The kind Scale as this resource has it. */
export function scaleResource(call: Call): Resource {
  return { ...bodyKindOf(call), storageKey: call.resource.custom === undefined ? 'autoscaling/scales' : CUSTOM_SCALES }
}

/** The Scale that a PUT or PATCH makes of the one that is there, with its owners. */
function nextScale(env: Environment, call: Call, live: Obj, isCustom: boolean): Obj {
  const { resource } = call
  const writer = writerOf(env, call)
  if (call.contentType === 'application/apply-patch+yaml' && call.method === 'PATCH') {
    const body = appliedMap(readPatch(call))
    const namespace = stringOf(objectOf(body.metadata).namespace)
    checkApplied(call, body, true)
    if (isCustom && listOf(live.metadata.managedFields).length === 0) throw unconverted('live', '/', BEFORE_FIRST_APPLY)
    const applied = trackApply(resource, live, body, writer, booleanIn(call.query, 'force') === true)
    if (isCustom && !applied.isSame) throw unconverted('new', `${namespace}/${call.name}`)
    const next = objFrom(clone(applied.value), apiVersionOf(resource), resource.kind)
    next.metadata.managedFields = applied.managedFields
    return next
  }
  const next =
    call.method === 'PUT' ? decodeObject(env, call, readObject(call)) : patchedObject(env, call, live, readPatch(call))
  if (at(next, 'spec', 'replicas') === 0) next.spec = {}
  trackUpdate(resource, live, next, undefined, writer)
  return next
}

/** What the server is at when nobody owns the size yet that is applied. */
const BEFORE_FIRST_APPLY = 'failed to create manager for existing fields: '

/** What the server says of every apply that would change the size of a custom resource. */
const unconverted = (which: 'live' | 'new', name: string, during = ''): Fault =>
  new Fault(
    500,
    '',
    `${during}failed to convert ${which} object (${name}; autoscaling/v1, Kind=Scale) to proper version: request to convert CR to an invalid group/version: autoscaling/v1`,
  )

/** The size that a patch finds where there is none. */
const UNSAID = -(2 ** 31)

/** PUT or PATCH of /scale. */
export function writeScale(env: Environment, call: Call, stored: Obj): JsonObject {
  const { replicas: path } = pathsOf(call)
  const place = { apiVersion: apiVersionOf(call.resource), path }
  const scale = scaleOf(call, stored)
  if (!saysSize(call, stored)) scale.spec = { replicas: UNSAID }
  const owners = ownersOfScale(stored.metadata.managedFields, place)
  const owned = owners.length === 0 ? scale.metadata : { ...objectOf(scale.metadata), managedFields: owners }
  const live = objFrom({ ...scale, metadata: owned }, 'autoscaling/v1', 'Scale')
  const next = nextScale(env, { ...call, resource: scaleResource(call) }, live, call.resource.custom !== undefined)
  const { name, resourceVersion, uid } = next.metadata
  if (name === '' && call.method === 'PUT') throw unnamed(call.name)
  if (name !== '' && name !== call.name) throw otherName(name, call.name)
  if ((resourceVersion ?? '') !== '' && resourceVersion !== stored.metadata.resourceVersion)
    throw conflict(call.resource, call.name, MODIFIED)
  if (uid !== undefined) checkUid(call, stored, next)
  const replicas = numberOf(at(next, 'spec', 'replicas')) ?? 0
  if (!Number.isInteger(replicas)) throw new Fault(400, 'BadRequest', 'spec.replicas must be an integer')
  if (replicas === UNSAID) throw badRequest(`the spec replicas field ${sizeField(call)} cannot be empty`)
  if (replicas < 0) throw tooSmall(call, replicas)
  const object = clone(stored)
  setAt(object, path, replicas)
  if (call.resource.custom !== undefined) decodeCustom(call.resource.type, object, [])
  const managedFields = ownersAfterScale(stored.metadata.managedFields, next.metadata.managedFields, place)
  return scaleOf(call, change(env, call, stored, object, { managedFields }))
}

/** Custom kinds say in their own words that a size is none. */
function tooSmall({ resource, name }: Call, replicas: number): Fault {
  const isCustom = resource.custom !== undefined
  const why = isCustom ? 'should be a non-negative integer' : 'must be greater than or equal to 0'
  return invalid(isCustom ? resource : { group: 'autoscaling', kind: 'Scale' }, name, [
    {
      field: isCustom ? stringOf(resource.custom?.scale?.specReplicasPath) : 'spec.replicas',
      type: 'Invalid',
      message: `Invalid value: ${replicas}: ${why}`,
    },
  ])
}

function setAt(object: JsonObject, path: readonly string[], value: Json): void {
  const [name, ...rest] = path
  if (name === undefined) return
  if (rest.length === 0) {
    object[name] = value
    return
  }
  const below = isObject(object[name]) ? object[name] : {}
  object[name] = below
  setAt(below, rest, value)
}
