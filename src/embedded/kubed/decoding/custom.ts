import { definition, definitionType } from '../../../lib/kube-schema/builtin.ts'
import { type FieldType, typeOf } from '../../../lib/kube-schema/schema.ts'
import { clone, isObject, type Json, type JsonObject, sorted } from '../../../lib/kube/json.ts'
import { shapeLikeGo } from './go-shape.ts'
import { DecodeError, decodeTyped, goKindOf, type Unknown } from './typed.ts'

/** What has no fields besides those of every object. */
export const BARE = typeOf({ type: 'object' }, definition)

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** Reads an object of a custom kind: metadata as Go reads it, the rest pruned by its schema. Errors as {@link decodeTyped}. */
export function decodeCustom(type: FieldType, value: JsonObject, unknown: Unknown): void {
  decodeMetadata(value, unknown)
  pruneCustom(type, value, unknown)
  // what the metadata of resources in it does not have is told last
  unknown.sort()
  coerceFields(type, value, unknown)
}

/** Takes away what the schema of a custom kind does not have. In place. */
export function pruneCustom(type: FieldType, value: JsonObject, unknown: Unknown): void {
  for (const name of Object.keys(value)) {
    if (name === 'apiVersion' || name === 'kind' || name === 'metadata') continue
    pruneField(type, value, name, name, unknown)
  }
}

function coerceFields(type: FieldType, value: JsonObject, unknown: Unknown): void {
  for (const name of Object.keys(value)) {
    const child = type.child(name)
    const field = value[name]
    if (name !== 'metadata' && child !== undefined && field !== undefined) coerce(child, field, name, unknown)
  }
}

/** Reads an object of a custom kind that was applied: it had to fit, so that only nulls that no type forbids are taken away. In place. */
export function decodeApplied(type: FieldType, value: JsonObject, unknown: Unknown): void {
  decodeMetadata(value, unknown)
  dropUntypedNulls(type, value)
  try {
    coerceFields(type, value, unknown)
  } catch (error) {
    // Of what was merged only the checks tell, which look at resources that stand in it, too.
    if (!(error instanceof DecodeError)) throw error
  }
}

function decodeMetadata(value: JsonObject, unknown: Unknown): void {
  const meta = definitionType(META)
  if (meta !== undefined && value.metadata !== undefined && value.metadata !== null)
    value.metadata = decodeTyped(meta, value.metadata, 'metadata', { unknown }, 'ObjectMeta') ?? {}
}

/** A null that no type forbids is not kept where it may not be. */
function dropUntypedNulls(type: FieldType, value: Json): void {
  if (Array.isArray(value)) {
    const { element } = type
    if (element !== undefined) for (const item of value) dropUntypedNulls(element, item)
    return
  }
  if (!isObject(value) || type.special !== undefined) return
  for (const [name, field] of Object.entries(value)) {
    const child = type.child(name)
    if (child === undefined || field === undefined || child.name !== undefined) continue
    const isTyped = child.schema.type !== undefined || child.special !== undefined
    if (field === null && !isTyped && isAbsent(child, field)) delete value[name]
    else dropUntypedNulls(child, field)
  }
}

/** A null that may not be is as good as absent; where there is a default it takes that. */
const isAbsent = ({ schema }: FieldType, value: Json | undefined): boolean =>
  value === null && schema.nullable !== true && schema.default === undefined

/**
 * Reads the metadata of resources that stand in others as Go reads it. In place.
 *
 * @see k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta Coerce
 */
function coerce(type: FieldType, value: Json, path: string, unknown: Unknown): void {
  if (Array.isArray(value)) {
    const { element } = type
    if (element !== undefined) value.forEach((item, index) => coerce(element, item, `${path}[${index}]`, unknown))
    return
  }
  if (!isObject(value) || type.special !== undefined) return
  if (isEmbedded(type)) coerceResource(value, path, unknown)
  for (const [name, field] of Object.entries(value)) {
    const child = type.child(name)
    const below = type.names.length === 0 ? `${path}[${name}]` : `${path}.${name}`
    if (child !== undefined && field !== undefined) coerce(child, field, below, unknown)
  }
}

function coerceResource(resource: JsonObject, path: string, unknown: Unknown): void {
  for (const name of ['apiVersion', 'kind']) {
    const found = resource[name]
    if (found !== undefined && typeof found !== 'string')
      throw new DecodeError(`${path}.${name}: Invalid value: ${JSON.stringify(found)}: must be a string`)
  }
  if (resource.metadata === undefined) return
  const { metadata, fault } = readMetadata(resource.metadata, `${path}.metadata`, unknown)
  if (fault !== undefined)
    throw new DecodeError(`${path}.metadata: Invalid value: ${JSON.stringify(sorted(resource.metadata))}: ${fault}`)
  const meta = definitionType(META)
  // It went through Go's type, which keeps no empty maps.
  if (meta !== undefined) shapeLikeGo(meta, metadata)
  resource.metadata = metadata
}

/** The metadata of a resource that stands in another one, or why it is none, in the words of Go's decoder. */
export function readMetadata(
  value: Json,
  path: string,
  unknown: Unknown,
): { readonly metadata: JsonObject; readonly fault?: string } {
  const meta = definitionType(META)
  if (meta === undefined || value === null) return { metadata: {} }
  if (!isObject(value))
    return { metadata: {}, fault: `json: cannot unmarshal ${goKindOf(value)} into Go value of type v1.ObjectMeta` }
  try {
    const metadata = decodeTyped(meta, clone(value), path, { unknown }, 'ObjectMeta', '')
    return { metadata: isObject(metadata) ? metadata : {} }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return { metadata: {}, fault: error.message }
  }
}

/** True for a schema of resources that stand in others. */
export const isEmbedded = ({ schema }: FieldType): boolean => schema['x-kubernetes-embedded-resource'] === true

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
  if (isAbsent(child, value)) delete holder[name]
  else if (value !== undefined) prune(child, value, path, unknown)
}

/** What stands where nothing with fields may stand has none. */
function pruneAll(value: JsonObject, path: string, unknown: Unknown): void {
  for (const name of Object.keys(value)) {
    unknown.push(`${path}.${name}`)
    delete value[name]
  }
}

function prune(type: FieldType | undefined, value: Json, path: string, unknown: Unknown): void {
  if (Array.isArray(value)) {
    const isKept = type?.element === undefined && type?.preservesUnknown === true
    if (!isKept) value.forEach((item, index) => prune(type?.element, item, `${path}[${index}]`, unknown))
    return
  }
  if (!isObject(value)) return
  if (type === undefined) return pruneAll(value, path, unknown)
  for (const name of Object.keys(value)) {
    if (isEmbedded(type) && (name === 'apiVersion' || name === 'kind' || name === 'metadata')) continue
    pruneField(type, value, name, `${path}.${name}`, unknown)
  }
}
