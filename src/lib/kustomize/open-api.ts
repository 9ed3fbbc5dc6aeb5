import { parseDocuments, type YamlNode } from '../yaml/nodes.ts'
import type { SchemaLookup } from './merge.ts'
import type { ListKeys, MergeSchema } from './schema/merge-keys.ts'

/** Reads an OpenAPI document; only merge strategies and keys are taken from it. */
export function loadSchema(text: string, file: string): SchemaLookup {
  const root = parseDocuments(text, file)[0]?.root
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
  const known = new Map<YamlNode, MergeSchema>()
  return (apiVersion, kind) => {
    const definition = byKind.get(`${apiVersion} ${kind}`)
    return definition && schemaOf(definition, definitions, known)
  }
}

function child(node: YamlNode | undefined, name: string): YamlNode | undefined {
  return node?.kind === 'map' ? node.fields.get(name) : undefined
}

function scalar(node: YamlNode | undefined): string {
  return node?.kind === 'scalar' ? node.value : ''
}

/** The schema of a definition; types that contain themselves are made once and shared. */
function schemaOf(
  definition: YamlNode,
  definitions: YamlNode | undefined,
  known: Map<YamlNode, MergeSchema>,
): MergeSchema {
  const made = known.get(definition)
  if (made) return made
  const lists: Record<string, ListKeys> = {}
  const fields: Record<string, MergeSchema> = {}
  const schema = { lists, fields }
  known.set(definition, schema)
  const properties = child(definition, 'properties')
  for (const [name, property] of properties?.kind === 'map' ? properties.fields : []) {
    const keys = keysOf(property)
    if (keys) lists[name] = keys
    const type = referred(child(property, 'items') ?? property, definitions)
    if (type) fields[name] = schemaOf(type, definitions, known)
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

function referred(type: YamlNode, definitions: YamlNode | undefined): YamlNode | undefined {
  const reference = scalar(child(type, '$ref'))
  if (reference === '') return child(type, 'properties') ? type : undefined
  return child(definitions, reference.slice(reference.lastIndexOf('/') + 1))
}
