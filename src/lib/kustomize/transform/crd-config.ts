import type { YamlNode } from '../../yaml/nodes.ts'
import { parseConfig } from '../kustomization/parse-config.ts'
import { resolveScalar } from '../../yaml/resolve.ts'
import { mergeConfig, NO_CONFIG, type TransformerConfig } from './config.ts'
import { during, failure, placed } from '../failure.ts'
import type { FieldSpec } from '../fields/field-spec.ts'
import type { Gvk } from '../objects/ids.ts'
import type { TextEntry } from '../kustomization/decoded-fields.ts'
import { fileName, loadText, type Loader } from '../files/loader.ts'
import { isNull } from '../objects/null.ts'

/** Reads the schemas of `crds`: maps of type names to OpenAPI definitions, not CustomResourceDefinitions. */
export function loadCrdConfig(loader: Loader, paths: readonly TextEntry[]): TransformerConfig {
  let config = NO_CONFIG
  for (const { text: path, node } of paths)
    placed(node, () => {
      const text = loadText(loader, path)
      const types = during(`unable to parse open API definition from '${path}'`, () =>
        parseTypes(text, fileName(loader, path)),
      )
      config = mergeConfig(config, crdConfig(types))
    })
  return config
}

/** A text that begins with a brace is JSON to kustomize. */
function parseTypes(text: string, file: string): ReadonlyMap<string, YamlNode> {
  const isJson = text.startsWith('{')
  const root = parseConfig(text, file)
  if (!root || isNull(root)) return new Map()
  const prefix = isJson ? '' : 'error unmarshaling JSON: while decoding JSON: '
  if (root.kind !== 'map') throw notA(root, 'accumulator.nameToApiMap', prefix)
  const fields = [...root.fields].sort(([a], [b]) => (isJson || a > b ? 1 : -1))
  for (const [, type] of fields)
    if (type.kind !== 'map' && !isNull(type)) throw notA(type, 'accumulator.OpenAPIDefinition', prefix)
  return root.fields
}

function notA(node: YamlNode, type: string, prefix: string): Error {
  const message = `${prefix}json: cannot unmarshal ${jsonType(node)} into Go value of type ${type}`
  return failure('KUSTOMIZE_INVALID', message, node, 'list a CustomResourceDefinition under resources')
}

function jsonType(node: YamlNode): string {
  if (node.kind !== 'scalar') return node.kind === 'map' ? 'object' : 'array'
  const value = resolveScalar(node, 'v2')
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'number'
}

function crdConfig(types: ReadonlyMap<string, YamlNode>): TransformerConfig {
  let config = NO_CONFIG
  for (const [name, type] of types) {
    const kind = kindOfCrd(name, type)
    if (kind === undefined) continue
    config = mergeConfig(config, fieldsOfCrd(types, kind, name, [], new Set()))
  }
  return config
}

/** A type is an object's when it has apiVersion, kind and metadata. */
function kindOfCrd(name: string, type: YamlNode): Gvk | undefined {
  const properties = propertiesOf(type)
  if (!properties || !['kind', 'apiVersion', 'metadata'].every((field) => child(properties, field))) return undefined
  return { group: '', version: '', kind: name.slice(name.lastIndexOf('.') + 1) }
}

function propertiesOf(type: YamlNode): YamlNode | undefined {
  return child(child(type, 'Schema') ?? child(type, 'schema'), 'properties')
}

function child(node: YamlNode | undefined, name: string): YamlNode | undefined {
  return node?.kind === 'map' ? node.fields.get(name) : undefined
}

function text(node: YamlNode | undefined): string {
  return node?.kind === 'scalar' ? node.value : ''
}

function fieldsOfCrd(
  types: ReadonlyMap<string, YamlNode>,
  gvk: Gvk,
  typeName: string,
  path: readonly string[],
  visited: ReadonlySet<string>,
): TransformerConfig {
  const type = types.get(typeName)
  if (!type || visited.has(typeName)) return NO_CONFIG
  const properties = propertiesOf(type)
  if (properties?.kind !== 'map') return NO_CONFIG
  let config = NO_CONFIG
  for (const [name, property] of properties.fields) {
    const at = [...path, name]
    config = mergeConfig(config, extensionsOf(property, gvk, at))
    const reference = text(child(property, '$ref'))
    if (reference !== '')
      config = mergeConfig(config, fieldsOfCrd(types, gvk, reference, at, new Set([...visited, typeName])))
  }
  return config
}

function extensionsOf(property: YamlNode, gvk: Gvk, path: readonly string[]): TransformerConfig {
  const spec: FieldSpec = { ...gvk, path: path.join('/'), create: false }
  const has = (name: string): boolean => isText(child(property, name))
  let config = NO_CONFIG
  if (has('x-kubernetes-annotation')) config = { ...config, commonAnnotations: [spec] }
  if (has('x-kubernetes-label-selector')) config = { ...config, commonLabels: [spec] }
  if (has('x-kubernetes-identity')) config = { ...config, namePrefix: [spec] }
  if (!has('x-kubernetes-object-ref-api-version') || !has('x-kubernetes-object-ref-kind')) return config
  const version = text(child(property, 'x-kubernetes-object-ref-api-version'))
  const kind = text(child(property, 'x-kubernetes-object-ref-kind'))
  const keyNode = child(property, 'x-kubernetes-object-ref-name-key')
  const key = isText(keyNode) ? text(keyNode) : 'name'
  const referrer = { ...spec, path: [...path, key].join('/') }
  // kustomize takes the whole apiVersion for the version, so that one with a group matches nothing
  return { ...config, nameReference: [{ kind, group: '', version, referrers: [referrer] }] }
}

function isText(node: YamlNode | undefined): boolean {
  return node?.kind === 'scalar' && typeof resolveScalar(node, 'v2') === 'string'
}
