import { basename } from 'node:path/posix'
import { mapNode, plainNode, putField } from '../../yaml/make-nodes.ts'
import { type YamlMap, type YamlNode } from '../../yaml/nodes.ts'
import { reprintedValue } from '../../yaml/write/reprint.ts'
import { writeYaml } from '../../yaml/write/write.ts'
import type { Accumulator, Build } from './accumulator.ts'
import { decodeStruct, type Decoded, type Shape, type Unknown } from '../kustomization/decode.ts'
import { fieldSpecOf, imageArgs, patchArgs, selectorOf } from '../kustomization/entries.ts'
import { during, failure, prefixed, wrongKind } from '../failure.ts'
import { splitPath, type FieldSpec } from '../fields/field-spec.ts'
import { formatGvk, formatId } from '../objects/ids.ts'
import { hashNames } from '../transform/hash-names.ts'
import {
  entriesOf,
  fieldNode,
  flagOf,
  nodeOf,
  numberOf,
  structOf,
  structsOf,
  textMapOf,
  textOf,
  textsOf,
} from '../kustomization/decoded-fields.ts'
import { FIELD_SPEC, IMAGE, REPLICA } from '../kustomization/kustomization.ts'
import { emptyPatches, readLegacyPatches } from '../patches/legacy-patches.ts'
import { fileName, loadText, type Loader } from '../files/loader.ts'
import { becomeNode, lookup } from '../fields/lookup.ts'
import { isNull } from '../objects/null.ts'
import { parseConfig } from '../kustomization/parse-config.ts'
import { sortLegacy } from '../objects/order.ts'
import { KUSTOMIZATION, SELECTOR } from '../kustomization/kustomization.ts'
import { isMalformed, readInside } from '../objects/read-resources.ts'
import { applyReplacements, readReplacements } from '../transform/replacements.ts'
import { fieldMap, fieldText, originalId, type Resource } from '../objects/resource.ts'
import { selectResources } from '../kustomization/selector.ts'
import { readJsonPatch } from '../patches/read-json-patch.ts'
import { transformNames, transformNamespace, transformPairs, transformReplicas } from '../transform/transform-fields.ts'
import { transformImages } from '../transform/transform-images.ts'
import { applyByName, applyPatch, readPatch } from '../patches/transform-patches.ts'
import { own } from '../../value/own.ts'

/** Configures a transformer; what it answers runs it. */
type Configure = (config: Decoded, context: Context) => () => void
type Context = { readonly node: Resource; readonly build: Build; readonly loader: Loader; readonly into: Accumulator }

const file = typeof KUSTOMIZATION === 'object' && 'fields' in KUSTOMIZATION ? KUSTOMIZATION.fields : {}
const SPECS = { fieldSpecs: { list: FIELD_SPEC } } as const
const PATCH_OPTIONS: Shape = { struct: 'PatchArgs', fields: { allowNameChange: 'bool', allowKindChange: 'bool' } }
const VALUE_TARGETS: Shape = {
  list: { struct: 'Target', fields: { selector: SELECTOR, fieldPath: 'string', filePathPosition: 'int' } },
}

/** The fields of the built-in transformers, by kind. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, Shape>>>> = {
  PrefixTransformer: { ...SPECS, prefix: 'string' },
  SuffixTransformer: { ...SPECS, suffix: 'string' },
  PrefixSuffixTransformer: { ...SPECS, prefix: 'string', suffix: 'string' },
  NamespaceTransformer: {
    ...SPECS,
    metadata: file['metadata'] ?? 'any',
    unsetOnly: 'bool',
    setRoleBindingSubjects: 'string',
  },
  LabelTransformer: { ...SPECS, labels: { map: 'string' } },
  AnnotationsTransformer: { ...SPECS, annotations: { map: 'string' } },
  ImageTagTransformer: { ...SPECS, imageTag: IMAGE },
  ReplicaCountTransformer: { ...SPECS, replica: REPLICA },
  PatchTransformer: { path: 'string', patch: 'string', target: SELECTOR, options: PATCH_OPTIONS },
  PatchJson6902Transformer: { path: 'string', jsonOp: 'string', target: SELECTOR },
  PatchStrategicMergeTransformer: { paths: { list: 'types.PatchStrategicMerge' }, patches: 'string' },
  ReplacementTransformer: { replacements: file['replacements'] ?? 'any' },
  HashTransformer: {},
  ValueAddTransformer: { value: 'string', targetFilePath: 'string', targets: VALUE_TARGETS },
}

function decodePlugin(node: YamlNode, kind: string, unknown: Unknown = 'printed'): Decoded {
  const prefix = kind === 'NamespaceTransformer' ? 'unmarshalling NamespaceTransformer config: ' : ''
  const faultPrefix = `${prefix}error unmarshaling JSON: while decoding JSON`
  return decodeStruct(node, { struct: `${kind}Plugin`, fields: own(FIELDS, kind) ?? {} }, unknown, faultPrefix)
}

const TRANSFORMERS: Readonly<Record<string, Configure>> = {
  PrefixTransformer: (config, { into }) => {
    const specs = neededSpecsOf(config)
    return () => transformNames(into.resources, { prefix: textOf(config, 'prefix'), suffix: '' }, specs)
  },
  SuffixTransformer: (config, { into }) => {
    const specs = neededSpecsOf(config)
    return () => transformNames(into.resources, { prefix: '', suffix: textOf(config, 'suffix') }, specs)
  },
  PrefixSuffixTransformer: (config, { into }) => {
    const specs = neededSpecsOf(config)
    const [prefix, suffix] = [textOf(config, 'prefix'), textOf(config, 'suffix')]
    return () => {
      if (prefix !== '') transformNames(into.resources, { prefix, suffix: '' }, specs)
      if (suffix !== '') transformNames(into.resources, { prefix: '', suffix }, specs)
    }
  },
  NamespaceTransformer: (config, { node, into, loader }) => {
    const namespace = fieldText(fieldMap(node.node, 'metadata'), 'namespace')
    const options = {
      namespace,
      unsetOnly: flagOf(config, 'unsetOnly'),
      subjects: subjectsOf(config, node),
      rules: loader.rules,
    }
    return () => transformNamespace(into.resources, options, specsOf(config))
  },
  LabelTransformer:
    (config, { into }) =>
    () =>
      transformPairs(into.resources, textMapOf(config, 'labels') ?? {}, specsOf(config)),
  AnnotationsTransformer:
    (config, { into }) =>
    () =>
      transformPairs(into.resources, textMapOf(config, 'annotations') ?? {}, specsOf(config)),
  ImageTagTransformer:
    (config, { into, loader }) =>
    () => {
      const image = structOf(config, 'imageTag')
      if (image) transformImages(into.resources, [imageArgs(image)], specsOf(config), loader.rules)
    },
  ReplicaCountTransformer:
    (config, { into }) =>
    () => {
      const replica = structOf(config, 'replica') ?? {}
      transformReplicas(into.resources, textOf(replica, 'name'), numberOf(replica, 'count') ?? 0, specsOf(config))
    },
  PatchTransformer: (config, { node, build, loader, into }) => {
    const patch = readPatch(loader, patchArgs(config), build, () => writeYaml(reprintedValue(node.node)))
    return () => void applyPatch(into.resources, patch, build.schema)
  },
  PatchJson6902Transformer: (config, { build, loader, into }) => {
    const patch = readJsonPatch(loader, { ...patchArgs(config), patch: textOf(config, 'jsonOp') })
    return () => void applyPatch(into.resources, patch, build.schema)
  },
  PatchStrategicMergeTransformer: (config, { build, loader, into, node }) => {
    const patches = legacyPatchesOf(config, loader, node)
    return () => void applyByName(into.resources, patches, build.schema, false)
  },
  ReplacementTransformer: (config, { loader, into }) => {
    const replacements = readReplacements(loader, structsOf(config, 'replacements'))
    return () => applyReplacements(into.resources, replacements, loader.rules)
  },
  HashTransformer:
    (_, { into }) =>
    () =>
      hashNames(into.resources),
  ValueAddTransformer: configureValueAdd,
}

/** Kinds that `generators:` takes, and `transformers:` does not. */
export const GENERATORS: readonly string[] = [
  'ConfigMapGenerator',
  'SecretGenerator',
  'IAMPolicyGenerator',
  'HelmChartInflationGenerator',
]

/** Configures a built-in transformer from a configuration of its own. @returns what runs it */
export function configureTransformer(node: Resource, build: Build, loader: Loader, into: Accumulator): () => void {
  const kind = fieldText(node.node, 'kind')
  const id = formatId(originalId(node))
  const configure = Object.hasOwn(TRANSFORMERS, kind) ? TRANSFORMERS[kind] : undefined
  if (!configure) throw unknownBuiltIn(node, 'only the transformers that kustomize has built in are run')
  checkPrint(node)
  return during(`plugin ${id} fails configuration`, () =>
    configure(decodePlugin(node.node, kind), { node, build, loader, into }),
  )
}

/** Refuses a configuration that kustomize could not print for its plug-in. */
export function checkPrint(config: Resource): void {
  during(`marshalling yaml from res ${formatId(originalId(config))}`, () => reprintedValue(config.node))
}

/** Whether a kind is that of a built-in transformer. */
export function isTransformer(kind: string): boolean {
  return Object.hasOwn(TRANSFORMERS, kind)
}

/** The error for a kind that kustomize does not have built in. */
export function unknownBuiltIn(node: Resource, hint: string): Error {
  const gvk = formatGvk(originalId(node))
  return failure('KUSTOMIZE_UNSUPPORTED', `unable to load builtin ${gvk}`, node.node, hint)
}

function specsOf(config: Decoded): readonly FieldSpec[] {
  return structsOf(config, 'fieldSpecs').map(fieldSpecOf)
}

function neededSpecsOf(config: Decoded): readonly FieldSpec[] {
  if (config['fieldSpecs'] === undefined)
    throw failure('KUSTOMIZE_INVALID', 'fieldSpecs is not expected to be nil', nodeOf(config), 'say which fields: path')
  return specsOf(config)
}

function subjectsOf(config: Decoded, node: Resource): string {
  const mode = textOf(config, 'setRoleBindingSubjects') || 'defaultOnly'
  if (['allServiceAccounts', 'defaultOnly', 'none'].includes(mode)) return mode
  throw failure(
    'KUSTOMIZE_INVALID',
    `invalid value "${mode}" for setRoleBindingSubjects: must be one of "defaultOnly", "none" or "allServiceAccounts"`,
    node.node,
  )
}

function legacyPatchesOf(config: Decoded, loader: Loader, node: Resource): readonly Resource[] {
  const paths = textsOf(config, 'paths')
  const inline = textOf(config, 'patches')
  if (paths.length === 0 && inline === '')
    throw failure('KUSTOMIZE_INVALID', 'empty file path and empty patch content', node.node)
  const patches = entriesOf(config, 'paths').flatMap((entry) => readLegacyPatches(loader, entry))
  if (inline !== '') patches.push(...readInlinePatches(inline, config))
  if (patches.length === 0) throw emptyPatches(paths, inline)
  return patches
}

function readInlinePatches(inline: string, config: Decoded): readonly Resource[] {
  try {
    return readInside(inline, fieldNode(config, 'patches'))
  } catch (error) {
    throw isMalformed(error) ? prefixed('MalformedYAMLError', error) : error
  }
}

/** Sorts as `sortOptions` asks. */
export function sortBy(resources: Resource[], options: Decoded | undefined): Resource[] {
  const order = options ? textOf(options, 'order') : ''
  if (order === 'fifo' && options && structOf(options, 'legacySortOptions'))
    throw failure(
      'KUSTOMIZE_INVALID',
      "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'",
    )
  if (order === 'fifo') return resources
  if (order !== 'legacy')
    throw failure('KUSTOMIZE_INVALID', `the field 'sortOptions.order' must be one of [fifo, legacy]`)
  const legacy = options && structOf(options, 'legacySortOptions')
  if (!legacy) return sortLegacy(resources)
  const [first, last] = [textsOf(legacy, 'orderFirst'), textsOf(legacy, 'orderLast')]
  return sortLegacy(resources, { first, last })
}

function configureValueAdd(config: Decoded, { node, loader, into }: Context): () => void {
  const value = textOf(config, 'value').trim() || basename(loader.root)
  const targets = [...structsOf(config, 'targets'), ...targetsOfFile(config, loader)]
  if (targets.length === 0) throw failure('KUSTOMIZE_INVALID', 'must specify at least one target', node.node)
  for (const target of targets) {
    if (textOf(target, 'fieldPath') === '') throw failure('KUSTOMIZE_INVALID', 'fieldPath cannot be empty', node.node)
    const position = numberOf(target, 'filePathPosition') ?? 0
    if (position < 0)
      throw failure('KUSTOMIZE_INVALID', `value of FilePathPosition (${position}) cannot be negative`, node.node)
  }
  return () => addValue(into, targets, value)
}

function addValue(into: Accumulator, targets: readonly Decoded[], value: string): void {
  for (const target of targets) {
    const path = textOf(target, 'fieldPath')
    const chosen = structOf(target, 'selector')
    const selected = chosen ? selectResources(into.resources, selectorOf(chosen)) : into.resources
    const position = numberOf(target, 'filePathPosition') ?? 0
    if (path === 'metadata/namespace') transformNamespaceOf(selected, value)
    else for (const resource of selected) addTo(resource, path, value, position)
  }
}

function targetsOfFile(config: Decoded, loader: Loader): readonly Decoded[] {
  const path = textOf(config, 'targetFilePath')
  if (path === '') return []
  const root = parseConfig(loadText(loader, path), fileName(loader, path))
  return root ? structsOf(decodePlugin(root, 'ValueAddTransformer', 'lenient'), 'targets') : []
}

function transformNamespaceOf(resources: readonly Resource[], namespace: string): void {
  for (const resource of resources) {
    const copy = resource.previousIds
    resource.previousIds = [...copy]
    transformNamespace([resource], { namespace, unsetOnly: false, subjects: 'defaultOnly' }, [])
    resource.previousIds = copy
  }
}

function addTo(resource: Resource, path: string, value: string, position: number): void {
  const steps = splitPath(path)
  const node = lookup(resource.node, steps) ?? makeField(resource.node, steps)
  if (node.kind !== 'scalar') throw wrongKind('scalar', node)
  const text = position > 0 ? insertPart(node.value, position - 1, value) : value
  becomeNode(node, { ...plainNode(text), style: node.style })
}

/** Makes a field, and the mappings on the way to it where they are missing. */
function makeField(root: YamlMap, steps: readonly string[]): YamlNode {
  let at: YamlNode = root
  for (const [index, step] of steps.entries()) {
    if (at.kind !== 'map') throw wrongKind('map', at)
    const known = at.fields.get(step)
    const next: YamlNode = known && !isNull(known) ? known : index < steps.length - 1 ? mapNode() : plainNode('')
    putField(at, step, next)
    at = next
  }
  return at
}

/** Puts a part into a file path. */
function insertPart(path: string, position: number, part: string): string {
  const isAbsolute = path.startsWith('/')
  const parts = path.split('/').filter((one) => one !== '')
  parts.splice(Math.min(position, parts.length), 0, part)
  return (isAbsolute ? '/' : '') + parts.join('/')
}
