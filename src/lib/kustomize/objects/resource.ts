import { plainNode, stringNode, mapNode, putField } from '../../yaml/make-nodes.ts'
import {
  copyNode,
  type ScalarStyle,
  type YamlMap,
  type YamlNode,
  type YamlScalar,
  removeField,
} from '../../yaml/nodes.ts'
import { buildError } from '../failure.ts'
import { isNull } from './null.ts'
import { inherit, placeLike } from './provenance.ts'
import { effectiveNamespace, idKey, splitApiVersion, type ResId } from './ids.ts'

/** How a generated object meets one that is there already. */
export type Behavior = 'create' | 'merge' | 'replace' | 'unspecified'

/** An object on its way through the build; undefined `node` when a patch deleted it. */
export type Resource = {
  node: YamlMap
  isDeleted: boolean
  /** Ids before each change of name, namespace or kind; the first is the original. */
  previousIds: ResId[]
  /** Whether one of them lacks a part, or has one with a comma. */
  hasOddIds: boolean
  prefixes: string[]
  suffixes: string[]
  /** Undefined for what no generator made. */
  behavior: Behavior | undefined
  needsHash: boolean
  /** Helm has put it into its namespace already. */
  isFromHelm: boolean
  /** Names of vars that take their value from here. */
  varNames: string[]
  allowNameChange: boolean
  allowKindChange: boolean
  /** `config.kubernetes.io/origin`, as kustomize words it; undefined when not asked for. */
  origin: Origin | undefined
  transformations: Origin[]
}

/** Where an object came from, for `buildMetadata`. */
export type Origin = {
  readonly path?: string
  readonly repo?: string
  readonly ref?: string
  readonly configuredIn?: string
  readonly configuredBy?: {
    readonly apiVersion?: string
    readonly kind?: string
    readonly name?: string
    readonly namespace?: string
  }
}

/** A resource around a node. */
export function newResource(node: YamlMap): Resource {
  return {
    node,
    isDeleted: false,
    previousIds: [],
    hasOddIds: false,
    prefixes: [],
    suffixes: [],
    behavior: undefined,
    needsHash: false,
    isFromHelm: false,
    varNames: [],
    allowNameChange: false,
    allowKindChange: false,
    origin: undefined,
    transformations: [],
  }
}

/** A copy that shares nothing. */
export function copyResource(resource: Resource): Resource {
  const node = copyNode(resource.node)
  return {
    ...resource,
    node: node.kind === 'map' ? node : resource.node,
    previousIds: [...resource.previousIds],
    prefixes: [...resource.prefixes],
    suffixes: [...resource.suffixes],
    varNames: [...resource.varNames],
    transformations: [...resource.transformations],
  }
}

/** The text of a scalar field; '' when there is none. */
export function fieldText(map: YamlNode | undefined, name: string): string {
  if (map?.kind !== 'map') return ''
  const value = map.fields.get(name)
  return value?.kind === 'scalar' ? value.value : ''
}

/** The text of a scalar field that is not null. */
export function filledText(map: YamlNode | undefined, name: string): string {
  const value = map?.kind === 'map' ? map.fields.get(name) : undefined
  return value?.kind === 'scalar' && !isNull(value) ? value.value : ''
}

/** The mapping in a field, if it is one. */
export function fieldMap(map: YamlNode | undefined, name: string): YamlMap | undefined {
  const value = map?.kind === 'map' ? map.fields.get(name) : undefined
  return value?.kind === 'map' ? value : undefined
}

/** Whether kustomize would keep anything in annotations of the object. */
export function hasNotes({ previousIds, prefixes, suffixes, behavior, needsHash, origin }: Resource): boolean {
  return (
    previousIds.length + prefixes.length + suffixes.length > 0 ||
    needsHash ||
    behavior !== undefined ||
    origin !== undefined
  )
}

/** What the object is called now. */
export function currentId(resource: Resource): ResId {
  const { node } = resource
  const metadata = node.fields.get('metadata')
  const { group, version } = splitApiVersion(fieldText(node, 'apiVersion'))
  const kind = fieldText(node, 'kind')
  return { group, version, kind, name: filledText(metadata, 'name'), namespace: filledText(metadata, 'namespace') }
}

/** What the object was called when it was read. */
export function originalId(resource: Resource): ResId {
  return earlierIds(resource)[0] ?? currentId(resource)
}

/**
 * What the object was called before each change.
 *
 * @throws SluiceError where kustomize panics: it keeps names, namespaces and kinds in lists with commas between
 */
export function earlierIds(resource: Resource): readonly ResId[] {
  if (resource.hasOddIds) checkLists(resource)
  return resource.previousIds
}

/** Key of the current id. */
export function currentKey(resource: Resource): string {
  return idKey(currentId(resource))
}

/** Remembers what the object is called, before that changes. */
export function storePreviousId(resource: Resource): void {
  const id = currentId(resource)
  resource.previousIds.push({ ...id, namespace: effectiveNamespace(id) })
  if (isOdd(id)) resource.hasOddIds = true
}

function isOdd({ name, kind, namespace }: ResId): boolean {
  return name === '' || kind === '' || name.includes(',') || kind.includes(',') || namespace.includes(',')
}

/** What is empty is not in a list; objects that had no name from the start have none. */
function checkLists({ previousIds, node }: Resource): void {
  const lengthOf = (texts: readonly string[]): number =>
    texts
      .filter((text) => text !== '')
      .join(',')
      .split(',').length
  const names = previousIds.map(({ name }) => name)
  if (names.every((name) => name === '')) return
  const length = lengthOf(names)
  const others = [previousIds.map(({ namespace }) => namespace), previousIds.map(({ kind }) => kind)]
  if (others.every((texts) => lengthOf(texts) === length)) return
  throw buildError(
    'number of previous names, number of previous namespaces, number of previous kinds not equal',
    node,
    'let no name, namespace or kind hold a comma, and take none away from an object',
  )
}

/** Kustomize remembers no apiVersions: after a change of it the earlier ids have the one of today, too. */
export function renewPreviousIds(resource: Resource): void {
  if (resource.previousIds.length === 0) return
  const { group, version } = splitApiVersion(fieldText(resource.node, 'apiVersion'))
  const [first] = resource.previousIds
  if (first?.group === group && first.version === version) return
  resource.previousIds = resource.previousIds.map((id) => ({ ...id, group, version }))
}

/** `metadata`, created where missing. */
export function metadataOf(resource: Resource): YamlMap {
  const metadata = resource.node.fields.get('metadata')
  if (metadata?.kind === 'map') return metadata
  const created = mapNode()
  resource.node.fields.set('metadata', created)
  return created
}

/** Sets a scalar as kustomize does: the quotes of a value that is there stay. */
export function setText(map: YamlMap, name: string, value: string, tag: '' | '!!str' | '!!int'): void {
  const old = map.fields.get(name)
  const fresh = scalarLike(old, value, tag)
  if (old) placeLike(fresh, old)
  map.fields.set(name, fresh)
}

/** A scalar in the place and with the quotes of another. */
export function scalarLike(old: YamlNode | undefined, value: string, tag: '' | '!!str' | '!!int'): YamlNode {
  const fresh = tag === '!!str' ? stringNode(value) : plainNode(value)
  if (tag === '!!int') fresh.tag = '!!int'
  if (old?.kind !== 'scalar') return fresh
  inherit(fresh, old)
  fresh.style = old.style
  return fresh
}

/**
 * Changes a scalar where it stands. Kustomize puts one and the same node of a label into every field of an object that the label
 * goes to, so that a later change of one of them changes them all; here the same node is shared and changed, too.
 */
export function overwriteScalar(
  old: YamlScalar,
  value: string,
  tag: string,
  style: ScalarStyle,
  from: YamlNode,
): YamlScalar {
  old.value = value
  old.tag = tag
  old.style = style
  placeLike(old, from)
  old.end = from.end
  return old
}

/** Labels or annotations as texts; kustomize takes the items of a list for names and values by turns, and panics at one without value. */
export function textMap(resource: Resource, field: 'labels' | 'annotations'): Map<string, string> {
  const metadata = fieldMap(resource.node, 'metadata')
  const node = metadata?.fields.get(field)
  const texts = new Map<string, string>()
  if (node?.kind === 'map') for (const [key, value] of node.fields) texts.set(key, textOf(value))
  else if (node?.kind === 'seq' && node.items.length % 2 === 1) {
    const { length } = node.items
    const message = `runtime error: index out of range [${length}] with length ${length}`
    throw buildError(message, node, `write metadata.${field} as a mapping`)
  } else if (node?.kind === 'seq')
    for (let at = 0; at < node.items.length; at += 2) texts.set(textOf(node.items[at]), textOf(node.items[at + 1]))
  return texts
}

function textOf(node: YamlNode | undefined): string {
  return node?.kind === 'scalar' ? node.value : ''
}

/** Writes labels or annotations anew, by name and without quotes around the names; none at all removes the field. */
export function setTextMap(
  resource: Resource,
  field: 'labels' | 'annotations',
  texts: ReadonlyMap<string, string>,
): void {
  const metadata = metadataOf(resource)
  const old = fieldMap(metadata, field)
  removeField(metadata, field)
  if (texts.size === 0) return
  // where the text has the field twice, the second one is there now
  const fresh = fieldMap(metadata, field) ?? mapNode()
  for (const [key, value] of [...texts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const text = stringNode(value)
    const known = old?.fields.get(key)
    if (known) placeLike(inherit(text, known), known)
    putField(fresh, key, text)
  }
  metadata.fields.set(field, fresh)
}
