import { mapNode, plainNode } from '../../yaml/make-nodes.ts'
import { copyNode, type YamlMap } from '../../yaml/nodes.ts'
import { goStruct } from '../kustomization/configured.ts'
import { writeYaml } from '../../yaml/write/write.ts'
import { hideNotes, rereadNotes, showNotes } from '../objects/build-notes.ts'
import { SluiceError } from '../../error/sluice-error.ts'
import { buildError, during, failure, prefixed } from '../failure.ts'
import { isNull } from '../objects/null.ts'
import { goQuote } from '../../value/go-quote.ts'
import { formatId, idKey } from '../objects/ids.ts'
import { applyJsonPatch } from './apply-json-patch.ts'
import { parseJsonPatch, type JsonPatchOperation } from './json-patch.ts'
import type { PatchArgs } from '../kustomization/kustomization.ts'
import { fileName, loadText, type Loader } from '../files/loader.ts'
import { strategicMerge, type SchemaLookup } from './merge.ts'
import { insideOf, readResources } from '../objects/read-resources.ts'
import {
  copyResource,
  currentId,
  earlierIds,
  currentKey,
  fieldMap,
  hasNotes,
  originalId,
  renewPreviousIds,
  setText,
  setTextMap,
  metadataOf,
  storePreviousId,
  textMap,
  type Resource,
} from '../objects/resource.ts'
import { selectResources, type Selector } from '../kustomization/selector.ts'
import { sharePlace } from '../objects/provenance.ts'
import type { Notices } from '../kustomization/target.ts'

/** A patch that was read. */
export type Patch = {
  readonly source: string
  readonly target: Selector | undefined
  readonly node: YamlMap
} & (
  | { readonly kind: 'strategic'; readonly patches: readonly Resource[] }
  | {
      readonly kind: 'json'
      readonly operations: readonly JsonPatchOperation[]
      /** Whether objects remember what they were called before; those of `patchesJson6902` do not. */
      readonly keepsId: boolean
    }
)

/**
 * Reads an entry of `patches`: strategic merge or JSON 6902, whichever the text is.
 *
 * @param shown gives the configuration as an error shows it
 */
export function readPatch(
  loader: Loader,
  args: PatchArgs,
  { find }: Pick<Notices, 'find'>,
  shown = (): string => configOf(args),
): Patch {
  const inline = args.patch.trim()
  if (inline === '' && args.path === '')
    throw failure('KUSTOMIZE_INVALID', `must specify one of patch and path in\n${shown()}`, args.node)
  if (inline !== '' && args.path !== '')
    throw failure('KUSTOMIZE_INVALID', `patch and path can't be set at the same time\n${shown()}`, args.node)
  const text =
    inline !== ''
      ? inline
      : during(`failed to get the patch file from path(${args.path})`, () => loadText(loader, args.path))
  const source = inline !== '' ? `[patch: ${goQuote(inline)}]` : `[path: ${goQuote(args.path)}]`
  const inside = insideOf(text, args.node.fields.get('patch'))
  const [file, within] = inline !== '' ? inside : [fileName(loader, args.path), undefined]
  const strategic = attempt(() => readResources(text, file, within, find))
  const json = attempt(() => parseJsonPatch(text, file, within))
  if (strategic.value && json.value && strategic.value.length > 0 && json.value.length > 0)
    throw buildError(`illegally qualifies as both an SM and JSON patch: ${source}`, args.node)
  const base = { source, target: args.target, node: args.node }
  if (strategic.value && (strategic.value.length > 0 || json.error))
    return { ...base, kind: 'strategic', patches: withOptions(strategic.value, args) }
  if (json.value && (json.value.length > 0 || strategic.error))
    return { ...base, kind: 'json', operations: json.value, keepsId: true }
  if (strategic.value && !loader.rules.emptyPatches && !(text === '' && args.target))
    throw emptyPatch(text, source, args)
  if (strategic.value) return { ...base, kind: 'strategic', patches: [] }
  const cause = strategic.error instanceof SluiceError ? strategic.error : undefined
  throw new SluiceError('KUSTOMIZE_BUILD', `unable to parse SM or JSON patch from ${source}`, {
    ...(cause?.where ? { where: cause.where } : {}),
    ...(cause ? { hint: cause.message } : {}),
  })
}

/** An older release takes a patch without content for both forms, or for a JSON patch where there is not even a comment. */
function emptyPatch(text: string, source: string, args: PatchArgs): Error {
  return text === ''
    ? buildError(`must specify a target for JSON patch ${source}`, args.node)
    : buildError(`illegally qualifies as both an SM and JSON patch: ${source}`, args.node)
}

/** The configuration as kustomize shows it. */
function configOf({ path, patch, target, options }: PatchArgs): string {
  return writeYaml(goStruct({ path, patch, target, options }))
}

function attempt<T>(read: () => T): { readonly value?: T; readonly error?: unknown } {
  try {
    return { value: read() }
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return { error }
  }
}

function withOptions(patches: readonly Resource[], { options }: PatchArgs): readonly Resource[] {
  for (const patch of patches) {
    patch.allowNameChange = options?.allowNameChange === true
    patch.allowKindChange = options?.allowKindChange === true
    if (patch.allowNameChange) enable(patch, 'allowNameChange')
    if (patch.allowKindChange) enable(patch, 'allowKindChange')
  }
  return patches
}

/** Kustomize keeps an option as an annotation of the patch; so the patch has annotations, and all of them become texts. */
function enable(patch: Resource, option: string): void {
  const note = `internal.config.kubernetes.io/${option}`
  setTextMap(patch, 'annotations', new Map([...textMap(patch, 'annotations'), [note, 'enabled']]))
}

/** Sees an object and the strategic merge patch for it, before they are merged. */
export type BeforeMerge = (resource: Resource, patch: YamlMap) => void

/** Applies a patch; answers which objects it touched. */
export function applyPatch(
  resources: readonly Resource[],
  patch: Patch,
  lookup: SchemaLookup | undefined,
  before?: BeforeMerge,
): readonly Resource[] {
  if (patch.kind === 'json') return applyJson(resources, patch)
  if (patch.patches.length === 0) return []
  return patch.target
    ? applyToTargets(resources, patch, patch.patches, patch.target, lookup, before)
    : applyByName(resources, patch.patches, lookup, true, undefined, before)
}

function applyJson(resources: readonly Resource[], patch: Patch & { readonly kind: 'json' }): readonly Resource[] {
  if (patch.target === undefined) throw buildError(`must specify a target for JSON patch ${patch.source}`, patch.node)
  const selected = selectResources(live(resources), patch.target)
  for (const resource of selected) {
    if (patch.keepsId) storePreviousId(resource)
    // through JSON and back, so that nothing is shared any more
    const copy = copyNode(resource.node)
    if (copy.kind === 'map') resource.node = copy
    showNotes(resource)
    applyJsonPatch(resource.node, patch.operations)
    hideNotes(resource)
    setTextMap(resource, 'annotations', textMap(resource, 'annotations'))
    renewPreviousIds(resource)
  }
  return selected
}

function live(resources: readonly Resource[]): readonly Resource[] {
  return resources.some((resource) => resource.isDeleted)
    ? resources.filter((resource) => !resource.isDeleted)
    : resources
}

function applyToTargets(
  resources: readonly Resource[],
  patch: Patch,
  patches: readonly Resource[],
  target: Selector,
  lookup: SchemaLookup | undefined,
  before: BeforeMerge | undefined,
): readonly Resource[] {
  const [one, ...more] = patches
  if (more.length > 0)
    throw buildError(
      `Multiple Strategic-Merge Patches in one \`patches\` entry is not allowed to set \`patches.target\` field: ${patch.source}`,
      patch.node,
    )
  const selected = during(`unable to find patch target ${goQuote(formatSelector(target))} in \`resources\``, () =>
    selectResources(live(resources), target),
  )
  for (const resource of selected) {
    if (!one) continue
    const copy = copyFor(resource, one)
    before?.(resource, copy.node)
    mergePatch(resource, copy, lookup)
  }
  refuseTwins(live(resources))
  return selected
}

/** As Go prints it. */
function formatSelector(selector: Selector): string {
  const { group = '', version = '', kind = '', name = '', namespace = '' } = selector
  const id = formatId({ group, version, kind, name, namespace })
  return `${id}:a=${selector.annotationSelector ?? ''}:l=${selector.labelSelector ?? ''}`
}

/** A patch for several objects is copied for each: its labels and annotations are texts then, and the apiVersion is the object's. */
function copyFor(resource: Resource, patch: Resource): Resource {
  const copy = copyResource(patch)
  setTextMap(copy, 'labels', textMap(copy, 'labels'))
  setTextMap(copy, 'annotations', textMap(copy, 'annotations'))
  copy.node.fields.set('apiVersion', resource.node.fields.get('apiVersion') ?? plainNode(''))
  return copy
}

/** Kustomize makes its list anew at places, and finds out what an earlier patch did to ids. */
export function refuseTwins(resources: readonly Resource[]): void {
  const seen = new Set<string>()
  for (const resource of resources) {
    const id = currentId(resource)
    const key = idKey(id)
    if (seen.has(key))
      throw buildError(`may not add resource with an already registered id: ${formatId(id)}`, resource.node)
    seen.add(key)
  }
}

/** Each patch goes to the one object that has or had its id; answers these. */
export function applyByName(
  resources: readonly Resource[],
  patches: readonly Resource[],
  lookup: SchemaLookup | undefined,
  isPatchesField: boolean,
  onApplied?: (resource: Resource, index: number) => void,
  before?: BeforeMerge,
): readonly Resource[] {
  const touched: Resource[] = []
  let index = anyIdIndex(resources)
  for (const [at, patch] of patches.entries()) {
    const id = originalId(patch)
    const matches = (index.get(idKey(id)) ?? []).filter((resource) => !resource.isDeleted)
    const [target, second] = matches
    if (!target || second) {
      const many = second ? `multiple matches for Id ${formatId(id)}` : `no matches for Id ${formatId(id)}`
      const text = `${many}; failed to find unique target for patch ${formatId(id)}`
      const error = buildError(text, patch.node, 'check apiVersion, kind, name and namespace of the patch')
      throw isPatchesField
        ? prefixed(`no resource matches strategic merge patch ${goQuote(formatId(id))}`, error)
        : error
    }
    before?.(target, patch.node)
    mergePatch(target, isPatchesField ? copyResource(patch) : copyFor(target, patch), lookup)
    if (!isPatchesField && at === 0) refuseTwins(live(resources))
    touched.push(target)
    onApplied?.(target, at)
    if (patch.allowNameChange || patch.allowKindChange) index = anyIdIndex(resources)
  }
  return touched
}

/** Resources by every id they have or had. */
export function anyIdIndex(resources: readonly Resource[]): Map<string, Resource[]> {
  const index = new Map<string, Resource[]>()
  for (const resource of resources) {
    if (resource.isDeleted) continue
    const keys = new Set([...earlierIds(resource).map(idKey), currentKey(resource)])
    for (const key of keys) {
      const list = index.get(key)
      if (list) list.push(resource)
      else index.set(key, [resource])
    }
  }
  return index
}

/** Merges; kind, name and namespace of the object stay unless the patch may change them. */
function mergePatch(resource: Resource, patch: Resource, lookup: SchemaLookup | undefined): void {
  const { name, namespace, kind } = currentId(resource)
  if (patch.allowNameChange || patch.allowKindChange) storePreviousId(resource)
  else shareIdentity(resource.node, patch.node)
  const takesNotes = takesAnnotations(patch.node)
  openAnnotations(resource, patch.node)
  if (takesNotes) showNotes(resource)
  const merged = strategicMerge(resource.node, patch.node, lookup)
  if (!merged || merged.fields.size === 0) {
    resource.isDeleted = true
    return
  }
  resource.node = merged
  if (takesNotes) rereadNotes(resource)
  renewPreviousIds(resource)
  if (!patch.allowKindChange) setText(merged, 'kind', kind, '')
  const metadata = metadataOf(resource)
  if (!patch.allowNameChange) setText(metadata, 'name', name, '')
  if (namespace === '') metadata.fields.delete('namespace')
  else setText(metadata, 'namespace', namespace, '')
}

/** Where kustomize keeps notes of an object, it has annotations, and those of the patch go into them. */
function openAnnotations(resource: Resource, patch: YamlMap): void {
  if (!hasNotes(resource) || !fieldMap(fieldMap(patch, 'metadata'), 'annotations')) return
  const metadata = metadataOf(resource)
  if (!metadata.fields.has('annotations')) metadata.fields.set('annotations', mapNode())
}

/** The fields by which a patch finds its object stay where the object has them. */
function shareIdentity(object: YamlMap, patch: YamlMap): void {
  for (const name of ['apiVersion', 'kind']) sharePlace(object, patch, name)
  const [own, given] = [object.fields.get('metadata'), patch.fields.get('metadata')]
  for (const name of ['name', 'namespace']) sharePlace(own, given, name)
}

/** Whether a patch may take out annotations as a whole. */
function takesAnnotations(patch: YamlMap): boolean {
  const metadata = patch.fields.get('metadata')
  const annotations = metadata?.kind === 'map' ? metadata.fields.get('annotations') : undefined
  return [patch, metadata, annotations].some(
    (node) => node !== undefined && (node.kind === 'map' ? node.fields.has('$patch') : isNull(node)),
  )
}
