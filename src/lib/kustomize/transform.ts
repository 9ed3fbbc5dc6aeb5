import type { Accumulator, Build } from './accumulate.ts'
import { fieldSpecOf, imageArgs, patchArgs } from './entries.ts'
import { failure, placed, prefixed } from './failure.ts'
import { mergeFieldSpecs, type FieldSpec } from './field-spec.ts'
import {
  entriesOf,
  fieldNode,
  flagOf,
  nodeOf,
  numberOf,
  structsOf,
  textMapOf,
  textOf,
  type PatchArgs,
} from './kustomization.ts'
import { parseJsonPatch } from './json-patch.ts'
import { loadText, type Loader } from './loader.ts'
import { readLegacyPatches } from './legacy-patches.ts'
import { applyReplacement, readReplacements } from './replacements.ts'
import { imageEntries, type Target } from './target.ts'
import { transformNames, transformNamespace, transformPairs, transformReplicas } from './transform-fields.ts'
import { transformImages } from './transform-images.ts'
import { applyByName, applyPatch, readPatch, type Patch } from './transform-patches.ts'
import type { Decoded } from './decode.ts'
import { noteStep } from './provenance.ts'
import type { Resource } from './resource.ts'

const METADATA_LABELS: FieldSpec = { path: 'metadata/labels', group: '', version: '', kind: '', create: true }

/** Runs the transformers that fields of the kustomization file ask for, in kustomize's fixed order. */
export function transformBuiltIn(build: Build, target: Target, into: Accumulator): void {
  const { file, loader } = target
  const { config } = into
  const step = (by: string, field: string, run: () => void): void => runStep(build, into, { by, field, file }, run)
  runPatches(build, target, into)
  step('NamespaceTransformer', 'namespace', () => {
    const namespace = textOf(file, 'namespace')
    transformNamespace(into.resources, { namespace, unsetOnly: false, subjects: 'defaultOnly' }, config.namespace)
  })
  step('PrefixTransformer', 'namePrefix', () => {
    const prefix = textOf(file, 'namePrefix')
    if (prefix !== '') transformNames(into.resources, { prefix, suffix: '' }, config.namePrefix)
  })
  step('SuffixTransformer', 'nameSuffix', () => {
    const suffix = textOf(file, 'nameSuffix')
    if (suffix !== '') transformNames(into.resources, { prefix: '', suffix }, config.nameSuffix)
  })
  transformLabels(build, target, into)
  step('AnnotationsTransformer', 'commonAnnotations', () =>
    transformPairs(into.resources, textMapOf(file, 'commonAnnotations') ?? {}, config.commonAnnotations),
  )
  const json = structsOf(file, 'patchesJson6902').map((entry) =>
    placed(nodeOf(entry), () => readJsonPatch(loader, patchArgs(entry))),
  )
  json.forEach((patch, index) => runPatch(build, into, patch, 'PatchJson6902Transformer', `patchesJson6902[${index}]`))
  step('ReplicaCountTransformer', 'replicas', () => {
    for (const entry of structsOf(file, 'replicas')) placed(nodeOf(entry), () => setReplicas(into, entry))
  })
  step('ImageTagTransformer', fieldNode(file, 'images') ? 'images' : 'imageTags', () =>
    transformImages(into.resources, imageEntries(target).map(imageArgs), config.images),
  )
  runReplacements(build, target, into)
  dropDeleted(into)
}

type FieldStep = { readonly by: string; readonly field: string; readonly file: Decoded }

/** Runs the transformer of a field, and notes what it did where the build keeps that. */
function runStep(build: Build, into: Accumulator, { by, field, file }: FieldStep, run: () => void): void {
  const config = fieldNode(file, field)
  placed(config, run)
  if (build.keepsTouches && config) noteStep(into.resources, { by, field, config })
}

function setReplicas({ resources, config }: Accumulator, entry: Decoded): void {
  const count = numberOf(entry, 'count') ?? 0
  transformReplicas(resources, textOf(entry, 'name'), count, config.replicas, fieldNode(entry, 'count'))
}

function runReplacements(build: Build, { file, loader }: Target, into: Accumulator): void {
  const replacements = readReplacements(loader, structsOf(file, 'replacements'), build.unknownFields)
  for (const [index, replacement] of replacements.entries()) {
    const touched = placed(nodeOf(replacement), () => applyReplacement(into.resources, replacement))
    if (!build.keepsTouches) continue
    const field = `replacements[${index}]`
    noteStep(touched, { by: 'ReplacementTransformer', field, config: nodeOf(replacement) })
  }
}

/** Takes out what patches deleted. */
export function dropDeleted(into: Accumulator): void {
  if (into.resources.some((resource) => resource.isDeleted))
    into.resources = into.resources.filter((resource) => !resource.isDeleted)
}

function runPatches(build: Build, { file, loader }: Target, into: Accumulator): void {
  const legacy = entriesOf(file, 'patchesStrategicMerge').flatMap((entry, index) =>
    placed(entry.node, () => readLegacyPatches(loader, entry)).map((patch) => ({ patch, index, config: entry.node })),
  )
  const patches = structsOf(file, 'patches').map((entry) =>
    placed(nodeOf(entry), () => configured(() => readPatch(loader, patchArgs(entry)), 'PatchTransformer')),
  )
  const note = (resource: Resource, at: number): void => {
    const { index, config } = legacy[at] ?? { index: 0, config: undefined }
    const field = `patchesStrategicMerge[${index}]`
    noteStep([resource], { by: 'PatchStrategicMergeTransformer', field, config })
  }
  const all = legacy.map(({ patch }) => patch)
  if (all.length > 0) applyByName(into.resources, all, build.schema, false, build.keepsTouches ? note : undefined)
  dropDeleted(into)
  patches.forEach((patch, index) => {
    runPatch(build, into, patch, 'PatchTransformer', `patches[${index}]`)
    dropDeleted(into)
  })
}

function runPatch(build: Build, into: Accumulator, patch: Patch, by: string, field: string): void {
  const touched = placed(patch.node, () => applyPatch(into.resources, patch, build.schema))
  if (build.keepsTouches) noteStep(touched, { by, field, config: patch.node })
}

function configured<T>(read: () => T, name: string): T {
  try {
    return read()
  } catch (error) {
    throw prefixed(`trouble configuring builtin ${name} with config`, error)
  }
}

function transformLabels(build: Build, { file }: Target, into: Accumulator): void {
  const { config } = into
  for (const [index, label] of structsOf(file, 'labels').entries()) {
    let specs: readonly FieldSpec[] = mergeFieldSpecs(structsOf(label, 'fields').map(fieldSpecOf), config.labels)
    if (flagOf(label, 'includeSelectors')) specs = mergeFieldSpecs(specs, config.commonLabels)
    else {
      if (flagOf(label, 'includeTemplates')) specs = mergeFieldSpecs(specs, config.templateLabels)
      specs = mergeFieldSpecs(specs, [METADATA_LABELS])
    }
    placed(nodeOf(label), () => transformPairs(into.resources, textMapOf(label, 'pairs') ?? {}, specs))
    if (build.keepsTouches)
      noteStep(into.resources, { by: 'LabelTransformer', field: `labels[${index}]`, config: nodeOf(label) })
  }
  runStep(build, into, { by: 'LabelTransformer', field: 'commonLabels', file }, () =>
    transformPairs(into.resources, textMapOf(file, 'commonLabels') ?? {}, config.commonLabels),
  )
}

/** An entry of `patchesJson6902`. */
export function readJsonPatch(loader: Loader, args: PatchArgs): Patch {
  const fault = (text: string): Error =>
    failure('KUSTOMIZE_INVALID', `trouble configuring builtin PatchJson6902Transformer with config: ${text}`, args.node)
  if (!args.target?.name) throw fault('must specify the target name')
  if (args.path === '' && args.patch === '') throw fault('empty file path and empty jsonOp')
  if (args.path !== '' && args.patch !== '') throw fault('must specify a file path or jsonOp, not both')
  const text = args.path === '' ? args.patch : loadText(loader, args.path)
  const operations = configured(() => parseJsonPatch(text, args.path || 'jsonOp'), 'PatchJson6902Transformer')
  if (operations.length === 0) throw fault(`patch appears to be empty; file=${args.path}, JsonOp=${args.patch}`)
  return { kind: 'json', source: text, target: args.target, node: args.node, operations }
}
