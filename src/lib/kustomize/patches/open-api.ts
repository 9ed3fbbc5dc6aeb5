import { parseDocuments } from '../../yaml/parse-documents.ts'
import { type YamlNode } from '../../yaml/nodes.ts'
import { during } from '../failure.ts'
import type { SchemaLookup } from './merge.ts'
import { mergeSchemaOf, mergeTypeOf, type ListKeys, type MergeSchema } from '../schema/merge-keys.ts'

/** How a schema of one's own stands to the built-in one: alone, over it, or under it. */
export type Layer = 'alone' | 'over' | 'under'

/** Reads an OpenAPI document; only merge strategies and keys are taken from it. */
export function loadSchema(text: string, file: string, layer: Layer): SchemaLookup {
  const root = during('invalid schema file', () => parseDocuments(text, file)[0]?.root)
  const definitions = child(root, 'definitions')
  const byKind = new Map<string, YamlNode>()
  for (const [, definition] of definitions?.kind === 'map' ? definitions.fields : []) {
    const kinds = child(definition, 'x-kubernetes-group-version-kind')
    for (const gvk of kinds?.kind === 'seq' ? kinds.items : []) {
      const group = scalar(child(gvk, 'group'))
      const version = scalar(child(gvk, 'version'))
      byKind.set(`${group === '' ? version : `${group}/${version}`} ${scalar(child(gvk, 'kind'))}`, definition)
    }
  }
  const types: Types = { definitions, layer, known: new Map() }
  return (apiVersion, kind) => {
    const definition = byKind.get(`${apiVersion} ${kind}`)
    const own = (): MergeSchema | undefined => definition && schemaOf(definition, types)
    return layered(layer, own, () => mergeSchemaOf(apiVersion, kind))
  }
}

function layered(
  layer: Layer,
  own: () => MergeSchema | undefined,
  builtIn: () => MergeSchema | undefined,
): MergeSchema | undefined {
  if (layer === 'alone') return own()
  return layer === 'over' ? (own() ?? builtIn()) : (builtIn() ?? own())
}

type Types = {
  readonly definitions: YamlNode | undefined
  readonly layer: Layer
  readonly known: Map<YamlNode, MergeSchema>
}

function child(node: YamlNode | undefined, name: string): YamlNode | undefined {
  return node?.kind === 'map' ? node.fields.get(name) : undefined
}

function scalar(node: YamlNode | undefined): string {
  return node?.kind === 'scalar' ? node.value : ''
}

/** The schema of a definition; types that contain themselves are made once and shared. */
function schemaOf(definition: YamlNode, types: Types): MergeSchema {
  const made = types.known.get(definition)
  if (made) return made
  const lists: Record<string, ListKeys> = {}
  const fields: Record<string, MergeSchema> = {}
  const schema = { lists, fields }
  types.known.set(definition, schema)
  const properties = child(definition, 'properties')
  for (const [name, property] of properties?.kind === 'map' ? properties.fields : []) {
    const keys = keysOf(property)
    if (keys) lists[name] = keys
    const type = typeOf(child(property, 'items') ?? property, types)
    if (type) fields[name] = type
  }
  return schema
}

function keysOf(property: YamlNode): ListKeys | undefined {
  const strategy = scalar(child(property, 'x-kubernetes-patch-strategy')).split(',')
  if (!strategy.includes('merge')) return undefined
  const mapKeys = child(property, 'x-kubernetes-list-map-keys')
  if (mapKeys?.kind === 'seq') return mapKeys.items.map(scalar)
  const key = scalar(child(property, 'x-kubernetes-patch-merge-key'))
  return key === '' ? [] : [key]
}

function typeOf(type: YamlNode, types: Types): MergeSchema | undefined {
  const reference = scalar(child(type, '$ref'))
  if (reference === '') return child(type, 'properties') && schemaOf(type, types)
  const name = reference.slice(reference.lastIndexOf('/') + 1)
  const definition = child(types.definitions, name)
  return layered(
    types.layer,
    () => definition && schemaOf(definition, types),
    () => mergeTypeOf(name),
  )
}
