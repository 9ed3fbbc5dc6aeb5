import { putField } from '../../yaml/make-nodes.ts'
import { removeField, type YamlMap, type YamlNode, type YamlScalar, type YamlSeq } from '../../yaml/nodes.ts'
import { isReadAsOther } from '../../yaml/load.ts'
import { tagOf } from '../../yaml/resolve.ts'
import { buildError, wrongKind } from '../failure.ts'
import { isNull } from '../objects/null.ts'
import { mergeKeyedList } from './merge-list.ts'
import { fieldText, overwriteScalar } from '../objects/resource.ts'
import { mergeSchemaOf, type ListKeys, type MergeSchema } from '../schema/merge-keys.ts'

/** Gives the merge keys of a kind; undefined for a kind without a schema. */
export type SchemaLookup = (apiVersion: string, kind: string) => MergeSchema | undefined

/** What the merge knows of the node at hand: its type, and its keys when it is a list. */
export type Place = {
  readonly schema: MergeSchema | undefined
  readonly keys: ListKeys | undefined
  /** Where nothing is known yet, an object inside an object may say what it is. */
  readonly lookup?: SchemaLookup | undefined
}

/**
 * Merges a strategic-merge patch into an object; both are consumed.
 *
 * @returns the merged object, undefined when the patch deletes it
 * @see https://github.com/kubernetes-sigs/kustomize/tree/master/kyaml/yaml/merge2
 */
export function strategicMerge(
  object: YamlMap,
  patch: YamlMap,
  lookup: SchemaLookup = mergeSchemaOf,
): YamlMap | undefined {
  const isReplaced = fieldText(patch, '$patch') === 'replace'
  const merged = mergeNodes(object, patch, { schema: undefined, keys: undefined, lookup })
  // kustomize drops the result of the merge and looks at the object, where nothing has changed then
  if (isReplaced) return object
  return merged?.kind === 'map' ? merged : undefined
}

/** Merges one node; undefined means that it goes. */
export function mergeNodes(
  dest: YamlNode | undefined,
  patch: YamlNode | undefined,
  place: Place,
): YamlNode | undefined {
  const leader = present(dest) ?? present(patch)
  if (leader?.kind === 'seq') return mergeLists(dest, patch, place, leader)
  if (leader?.kind === 'scalar') {
    checkKinds(leader, dest, patch)
    return patch ?? dest
  }
  if (leader) checkKinds(leader, dest, patch)
  return mergeMaps(dest, patch, leader ? placeOfObject(place, dest, patch) : place)
}

/** An object that says what it is has the type of its kind. */
function placeOfObject(place: Place, ...nodes: (YamlNode | undefined)[]): Place {
  const { lookup } = place
  if (place.schema || !lookup) return place
  for (const node of nodes) {
    const schema = node && lookup(fieldText(node, 'apiVersion'), fieldText(node, 'kind'))
    if (schema) return { schema, keys: undefined }
  }
  return place
}

function present(node: YamlNode | undefined): YamlNode | undefined {
  return node === undefined || isNull(node) ? undefined : node
}

function checkKinds(leader: YamlNode, ...nodes: (YamlNode | undefined)[]): void {
  for (const node of nodes)
    if (node !== undefined && node.kind !== leader.kind && !isNull(node))
      throw wrongKind(leader.kind, node, 'the patch has another type here than the object')
}

function mergeMaps(dest: YamlNode | undefined, patch: YamlNode | undefined, place: Place): YamlNode | undefined {
  const start = startMap(dest, patch)
  if (start === undefined || start.kind !== 'map') return start
  const names = new Set(start.fields.keys())
  const source = patch?.kind === 'map' ? patch : undefined
  for (const name of source?.fields.keys() ?? []) names.add(name)
  for (const name of [...names].sort()) mergeField(start, source, name, place)
  return start
}

/** The mapping that the fields go into; a scalar is a null that stays. */
function startMap(dest: YamlNode | undefined, patch: YamlNode | undefined): YamlNode | undefined {
  if (present(dest) === undefined) {
    if (patch?.kind === 'map' && takeMapDirective(patch) === 'delete') return undefined
    if (patch === undefined && dest?.kind === 'scalar' && dest.value !== '') return dest
    return patch === undefined || isNull(patch) ? undefined : patch
  }
  if (patch === undefined) return dest
  if (isNull(patch)) return undefined
  const directive = patch.kind === 'map' ? takeMapDirective(patch) : 'merge'
  if (directive === 'delete') return undefined
  return directive === 'replace' ? patch : dest
}

function mergeField(map: YamlMap, patch: YamlMap | undefined, name: string, { schema, lookup }: Place): void {
  const old = map.fields.get(name)
  const given = patch?.fields.get(name)
  if (given === undefined && old?.kind === 'scalar' && old.value !== '') return quoteText(old)
  const place = { schema: schema?.fields?.[name], keys: schema?.lists?.[name], lookup }
  const merged = mergeNodes(old, given, place)
  const keepsNull = given === undefined && merged === old && old !== undefined
  if (merged === undefined || (isNull(merged) && !keepsNull)) removeField(map, name)
  else if (patch?.oldKeys?.has(name)) putField(map, name, inOldStyle(merged, old))
  else map.fields.set(name, inOldStyle(merged, old))
}

/** A merge sets every field anew, and so quotes what a transformer put there without a type and what is no text as it stands. */
function quoteText(node: YamlScalar): void {
  const isMade = node.tag === '!!str' || (node.tag === '' && node.end === 0)
  if (isMade && node.style === 'plain' && isReadAsOther(node.value)) node.style = 'double'
}

/** What takes the place of something has its style: brackets where there were some; a scalar in quotes is a text. */
function inOldStyle(fresh: YamlNode, old: YamlNode | undefined): YamlNode {
  if (fresh === old || old === undefined) return fresh
  if (fresh.kind !== 'scalar') {
    fresh.isFlow = old.kind !== 'scalar' && old.isFlow === true
    return fresh
  }
  if (old.kind !== 'scalar') return fresh
  const isText = fresh.tag === '!!str' || (fresh.tag === '' && fresh.style !== 'plain')
  // a tag that the text without it would have too goes without saying, and is lost in quotes
  const isSaid = old.style === 'plain' || tagOf({ ...fresh, tag: '', style: 'plain' }) !== fresh.tag
  const tag = isText ? '!!str' : isSaid ? fresh.tag : ''
  return overwriteScalar(old, fresh.value, tag, old.style, fresh)
}

function mergeLists(
  dest: YamlNode | undefined,
  patch: YamlNode | undefined,
  place: Place,
  leader: YamlNode,
): YamlNode | undefined {
  checkKinds(leader, dest, patch)
  if (place.keys === undefined) return patch ?? dest
  const start = startList(dest, patch)
  if (start?.kind !== 'seq') return start
  const source = patch?.kind === 'seq' ? patch : undefined
  const ofElement: Place = { schema: place.schema, keys: undefined }
  return mergeKeyedList(start, source, place.keys, (own, given) => mergeNodes(own, given, ofElement))
}

function startList(dest: YamlNode | undefined, patch: YamlNode | undefined): YamlNode | undefined {
  if (present(dest) === undefined) return patch
  if (patch === undefined) return dest
  if (isNull(patch)) return undefined
  const directive = patch.kind === 'seq' ? takeListDirective(patch) : 'merge'
  if (directive === 'delete') return undefined
  return directive === 'replace' ? patch : dest
}

type Directive = 'merge' | 'replace' | 'delete'

/** Takes `$patch` out of a mapping. */
function takeMapDirective(patch: YamlMap): Directive {
  const node = patch.fields.get('$patch')
  if (node === undefined) return 'merge'
  const directive = asDirective(node)
  removeField(patch, '$patch')
  return directive
}

/** Takes the element `- $patch: …` out of a list; an element with further fields is about itself. */
function takeListDirective(patch: YamlSeq): Directive {
  const element = patch.items.find((item) => item.kind === 'map' && item.fields.has('$patch'))
  if (element?.kind !== 'map' || element.fields.size > 1) return 'merge'
  const node = element.fields.get('$patch')
  if (node === undefined) return 'merge'
  const directive = asDirective(node)
  patch.items = patch.items.filter((item) => item.kind !== 'map' || fieldText(item, '$patch') !== directive)
  return directive
}

function asDirective(node: YamlNode): Directive {
  const value = node.kind === 'scalar' ? node.value : ''
  if (value === 'merge' || value === 'replace' || value === 'delete') return value
  throw buildError(`unknown patch strategy '${value}'`, node, 'use merge, replace or delete')
}
