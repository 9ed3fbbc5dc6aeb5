import type { Accumulator, Build } from './accumulate.ts'
import { fieldSpecOf, imageArgs, patchArgs } from './entries.ts'
import { failure, prefixed } from './failure.ts'
import { mergeFieldSpecs, type FieldSpec } from './field-spec.ts'
import { flagOf, numberOf, structsOf, textMapOf, textOf, textsOf, type PatchArgs } from './kustomization.ts'
import { parseJsonPatch } from './json-patch.ts'
import { loadText, type Loader } from './loader.ts'
import { readLegacyPatches } from './legacy-patches.ts'
import { applyReplacements, readReplacements } from './replacements.ts'
import { imageEntries, type Target } from './target.ts'
import { transformNames, transformNamespace, transformPairs, transformReplicas } from './transform-fields.ts'
import { transformImages } from './transform-images.ts'
import { applyByName, applyPatch, readPatch, type Patch } from './transform-patches.ts'

const METADATA_LABELS: FieldSpec = { path: 'metadata/labels', group: '', version: '', kind: '', create: true }

/** Runs the transformers that fields of the kustomization file ask for, in kustomize's fixed order. */
export function transformBuiltIn(build: Build, target: Target, into: Accumulator): void {
  const { file, loader } = target
  const { config } = into
  runPatches(build, target, into)
  transformNamespace(
    into.resources,
    { namespace: textOf(file, 'namespace'), unsetOnly: false, subjects: 'defaultOnly' },
    config.namespace,
  )
  const [prefix, suffix] = [textOf(file, 'namePrefix'), textOf(file, 'nameSuffix')]
  if (prefix !== '') transformNames(into.resources, { prefix, suffix: '' }, config.namePrefix)
  if (suffix !== '') transformNames(into.resources, { prefix: '', suffix }, config.nameSuffix)
  transformLabels(target, into)
  transformPairs(into.resources, textMapOf(file, 'commonAnnotations') ?? {}, config.commonAnnotations)
  const json = structsOf(file, 'patchesJson6902').map((entry) => readJsonPatch(loader, patchArgs(entry)))
  for (const patch of json) applyPatch(into.resources, patch, build.schema)
  for (const entry of structsOf(file, 'replicas'))
    transformReplicas(into.resources, textOf(entry, 'name'), numberOf(entry, 'count') ?? 0, config.replicas)
  transformImages(into.resources, imageEntries(target).map(imageArgs), config.images)
  applyReplacements(into.resources, readReplacements(loader, structsOf(file, 'replacements'), build.unknownFields))
  dropDeleted(into)
}

/** Takes out what patches deleted. */
export function dropDeleted(into: Accumulator): void {
  if (into.resources.some((resource) => resource.isDeleted))
    into.resources = into.resources.filter((resource) => !resource.isDeleted)
}

function runPatches(build: Build, { file, loader }: Target, into: Accumulator): void {
  const legacy = textsOf(file, 'patchesStrategicMerge').flatMap((text) => readLegacyPatches(loader, text))
  const patches = structsOf(file, 'patches').map((entry) =>
    configured(() => readPatch(loader, patchArgs(entry)), 'PatchTransformer'),
  )
  if (legacy.length > 0) applyByName(into.resources, legacy, build.schema, false)
  dropDeleted(into)
  for (const patch of patches) {
    applyPatch(into.resources, patch, build.schema)
    dropDeleted(into)
  }
}

function configured<T>(read: () => T, name: string): T {
  try {
    return read()
  } catch (error) {
    throw prefixed(`trouble configuring builtin ${name} with config`, error)
  }
}

function transformLabels({ file }: Target, into: Accumulator): void {
  const { config } = into
  for (const label of structsOf(file, 'labels')) {
    let specs: readonly FieldSpec[] = mergeFieldSpecs(structsOf(label, 'fields').map(fieldSpecOf), config.labels)
    if (flagOf(label, 'includeSelectors')) specs = mergeFieldSpecs(specs, config.commonLabels)
    else {
      if (flagOf(label, 'includeTemplates')) specs = mergeFieldSpecs(specs, config.templateLabels)
      specs = mergeFieldSpecs(specs, [METADATA_LABELS])
    }
    transformPairs(into.resources, textMapOf(label, 'pairs') ?? {}, specs)
  }
  transformPairs(into.resources, textMapOf(file, 'commonLabels') ?? {}, config.commonLabels)
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
