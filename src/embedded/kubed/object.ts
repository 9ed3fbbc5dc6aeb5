import { at, isObject, type Json, type JsonObject, listOf, stringOf } from '../../lib/kube/json.ts'

/** `metadata` while the server works on it. */
export type Meta = JsonObject & {
  name: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  labels?: JsonObject
  annotations?: JsonObject
  finalizers?: Json[]
  ownerReferences?: Json[]
  managedFields?: Json[]
  creationTimestamp?: string | null
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  generateName?: string
}

/** An object of the API while the server works on it. Stored objects are never changed in place. */
export type Obj = JsonObject & { apiVersion: string; kind: string; metadata: Meta }

/** The value as an object of the API: metadata made where there is none, not checked further. */
export function objFrom(value: JsonObject, apiVersion: string, kind: string): Obj {
  const metadata = isObject(value.metadata) ? value.metadata : {}
  const meta: Meta = Object.assign(metadata, { name: stringOf(metadata.name) })
  return Object.assign(value, {
    apiVersion: stringOf(value.apiVersion) || apiVersion,
    kind: stringOf(value.kind) || kind,
    metadata: meta,
  })
}

/** Namespace of an object, '' when it has none. */
export function namespaceOf(object: Obj): string {
  return object.metadata.namespace ?? ''
}

/** What refusals call an object: its name, or before it has one, what its name begins with. */
export function toldName({ metadata: { name, generateName = '' } }: Obj): string {
  return name === '' ? generateName : name
}

/** Names of the finalizers that hold an object. */
export function finalizersOf(object: Obj): string[] {
  return listOf(object.metadata.finalizers).map(stringOf)
}

/** A field below spec. */
export function specOf(object: Obj): JsonObject {
  const spec = at(object, 'spec')
  return isObject(spec) ? spec : {}
}
