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
import { jsonPatch } from '../../../lib/kube/json-patch.ts'
import { mergePatch } from '../../../lib/kube/merge-patch.ts'
import type { Call } from '../call.ts'
import { readPatch } from '../decoding/body.ts'
import { decodeBodyKind } from '../decoding/body-kind.ts'
import type { Environment } from '../environment.ts'
import { badRequest, conflict, Fault, invalid, MODIFIED } from '../fault.ts'
import type { Meta, Obj } from '../object.ts'
import { change } from '../verbs/write.ts'

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
export function scaleOf(call: Call, object: Obj): JsonObject {
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

function patchScale(call: Call, stored: Obj): JsonObject {
  const before = scaleOf(call, stored)
  const { value } = readPatch(call)
  const next = call.contentType === 'application/json-patch+json' ? jsonPatch(before, value) : mergePatch(before, value)
  if (!isObject(next)) throw badRequest('the body must be a Scale')
  if (stringOf(next.kind) !== '' && next.kind !== 'Scale')
    throw badRequest(`the object provided is unrecognized: ${stringOf(next.kind)} is not Scale`)
  return next
}

/** PUT or PATCH of /scale. */
export function writeScale(env: Environment, call: Call, stored: Obj): JsonObject {
  const next = call.method === 'PUT' ? decodeBodyKind(env, call) : patchScale(call, stored)
  const { name, resourceVersion } = objectOf(next.metadata)
  if (typeof name === 'string' && name !== '' && name !== call.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.name})`)
  if (
    typeof resourceVersion === 'string' &&
    resourceVersion !== '' &&
    resourceVersion !== stored.metadata.resourceVersion
  )
    throw conflict(call.resource, call.name, MODIFIED)
  const replicas = numberOf(at(next, 'spec', 'replicas')) ?? 0
  if (!Number.isInteger(replicas)) throw new Fault(400, 'BadRequest', 'spec.replicas must be an integer')
  if (replicas < 0)
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, call.name, [
      {
        field: 'spec.replicas',
        type: 'Invalid',
        message: `Invalid value: ${replicas}: must be greater than or equal to 0`,
      },
    ])
  const object = clone(stored)
  const { replicas: path } = pathsOf(call)
  setAt(object, path, replicas)
  const { managedFields: _kept, ...metadata } = object.metadata
  object.metadata = metadata as Meta
  return scaleOf(call, change(env, call, stored, object))
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
