import { definitionType } from '../../../lib/kube-schema/builtin.ts'
import type { FieldType } from '../../../lib/kube-schema/schema.ts'
import { clone, isObject, type Json, type JsonObject } from '../../../lib/kube/json.ts'
import { decodeTyped, type Unknown } from './typed.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** Reads an object of a custom kind: metadata as Go reads it, the rest pruned by its schema. Errors as {@link decodeTyped}. */
export function decodeCustom(type: FieldType, value: JsonObject, unknown: Unknown): void {
  const meta = definitionType(META)
  if (meta !== undefined && value.metadata !== undefined && value.metadata !== null)
    value.metadata = decodeTyped(meta, value.metadata, 'metadata', unknown, 'ObjectMeta') ?? {}
  for (const name of Object.keys(value)) {
    if (name === 'apiVersion' || name === 'kind' || name === 'metadata') continue
    pruneField(type, value, name, name, unknown)
  }
}

/** True when a value has fields that its schema does not know. */
export function hasUnknownFields(type: FieldType, value: Json): boolean {
  const unknown: Unknown = []
  prune(type, clone(value), '', unknown)
  return unknown.length > 0
}

function pruneField(type: FieldType, holder: JsonObject, name: string, path: string, unknown: Unknown): void {
  const child = type.child(name)
  const value = holder[name]
  if (child === undefined) {
    if (type.preservesUnknown || type.schema.additionalProperties === true) return
    unknown.push(path)
    delete holder[name]
    return
  }
  if (value !== undefined) prune(child, value, path, unknown)
}

function prune(type: FieldType, value: Json, path: string, unknown: Unknown): void {
  if (Array.isArray(value)) {
    const { element } = type
    if (element !== undefined) value.forEach((item, index) => prune(element, item, `${path}[${index}]`, unknown))
    return
  }
  if (!isObject(value) || type.special !== undefined) return
  const isEmbedded = type.schema['x-kubernetes-embedded-resource'] === true
  for (const name of Object.keys(value)) {
    if (isEmbedded && (name === 'apiVersion' || name === 'kind' || name === 'metadata')) continue
    pruneField(type, value, name, `${path}.${name}`, unknown)
  }
}
