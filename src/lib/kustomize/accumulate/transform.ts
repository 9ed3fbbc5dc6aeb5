import type { Accumulator, Build } from './accumulator.ts'
import { configured, goStruct } from '../kustomization/configured.ts'
import type { Decoded } from '../kustomization/decode.ts'
import { fieldSpecOf, imageArgs, patchArgs } from '../kustomization/entries.ts'
import { during, placed } from '../failure.ts'
import { mergeFieldSpecs, type FieldSpec } from '../fields/field-spec.ts'
import {
  entriesOf,
  fieldNode,
  flagOf,
  nodeOf,
  numberOf,
  structsOf,
  textMapOf,
  textOf,
  textsOf,
} from '../kustomization/decoded-fields.ts'
import { emptyPatches, readLegacyPatches } from '../patches/legacy-patches.ts'
import type { Loader } from '../files/loader.ts'
import { markTransformed, originOfField } from '../objects/origin.ts'
import { noteStep } from '../objects/provenance.ts'
import { readJsonPatch } from '../patches/read-json-patch.ts'
import { applyReplacement, readReplacements } from '../transform/replacements.ts'
import type { Origin, Resource } from '../objects/resource.ts'
import { imageEntries, type Target } from '../kustomization/target.ts'
import { transformNames, transformNamespace, transformPairs, transformReplicas } from '../transform/transform-fields.ts'
import { transformImages } from '../transform/transform-images.ts'
import { applyByName, applyPatch, readPatch, type BeforeMerge, type Patch } from '../patches/transform-patches.ts'
import type { YamlNode } from '../../yaml/nodes.ts'
import { findInImages, findReplacedLists, findUnmatched } from './find-in-steps.ts'

/** A transformer that was configured, and waits for its turn. */
export type TransformStep = {
  /** Kustomize's name of it. */
  readonly by: string
  readonly run: () => void
  /** What `buildMetadata` notes of it; undefined for the built-in ones, which have one in common. */
  readonly origin?: Origin | undefined
}

type Context = { readonly build: Build; readonly file: Decoded; readonly loader: Loader; readonly into: Accumulator }

const METADATA_LABELS: FieldSpec = { path: 'metadata/labels', group: '', version: '', kind: '', create: true }

/**
 * The transformers that fields of the kustomization file ask for, in kustomize's fixed order. All are configured, and so have read
 * their files, before the first one runs.
 */
export function builtInSteps(build: Build, target: Target, into: Accumulator): TransformStep[] {
  const context = { build, file: target.file, loader: target.loader, into }
  return [
    ...legacyPatchSteps(context),
    ...patchSteps(context),
    ...nameSteps(context),
    ...labelSteps(context),
    ...annotationSteps(context),
    ...jsonPatchSteps(context),
    ...replicaSteps(context),
    ...imageSteps(context, target),
    ...replacementSteps(context),
  ]
}

/** Runs transformers in turn. */
export function runSteps(build: Build, target: Target, into: Accumulator, steps: readonly TransformStep[]): void {
  for (const { by, run, origin } of steps) {
    run()
    if (build.hasOrigins) markTransformed(into.resources, origin ?? originOfField(target.loader, target.fileName, by))
    dropDeleted(into)
  }
}

/** Takes out what patches deleted. */
function dropDeleted(into: Accumulator): void {
  if (into.resources.some((resource) => resource.isDeleted))
    into.resources = into.resources.filter((resource) => !resource.isDeleted)
}

/** A step that works on everything, and notes what it did where the build keeps that. */
function onAll(
  context: Context,
  by: string,
  field: string,
  config: YamlNode | undefined,
  run: () => void,
): TransformStep {
  const { build, into } = context
  return {
    by,
    run: () => {
      placed(config, run)
      if (build.keepsTouches) noteStep(into.resources, { by, field, config })
    },
  }
}

/** A merge needs the schema; and its lists are looked at. */
function beforeMerge(build: Build): BeforeMerge {
  return (resource, given) => {
    if (!build.hasSchema) build.readsBuiltIn = 'now'
    findReplacedLists(build, resource, given)
  }
}

function legacyPatchSteps({ build, file, loader, into }: Context): TransformStep[] {
  const before = beforeMerge(build)
  const by = 'PatchStrategicMergeTransformer'
  const paths = textsOf(file, 'patchesStrategicMerge')
  if (paths.length === 0) return []
  const read = configured(by, { paths }, () => {
    const patches = entriesOf(file, 'patchesStrategicMerge').flatMap((entry, index) =>
      placed(entry.node, () => readLegacyPatches(loader, entry)).map((patch) => ({ patch, index, node: entry.node })),
    )
    if (patches.length === 0) throw emptyPatches(paths, '')
    return patches
  })
  const note = (resource: Resource, at: number): void => {
    const { index, node } = read[at] ?? { index: 0, node: undefined }
    noteStep([resource], { by, field: `patchesStrategicMerge[${index}]`, config: node })
  }
  const patches = read.map(({ patch }) => patch)
  const run = (): void =>
    void applyByName(into.resources, patches, build.schema, false, build.keepsTouches ? note : undefined, before)
  return [{ by, run }]
}

function patchSteps(context: Context): TransformStep[] {
  const by = 'PatchTransformer'
  return structsOf(context.file, 'patches').map((entry, index) => {
    const patch = placed(nodeOf(entry), () =>
      configured(by, goStruct(entry), () => readPatch(context.loader, patchArgs(entry), context.build)),
    )
    return patchStep(context, patch, by, `patches[${index}]`)
  })
}

function jsonPatchSteps(context: Context): TransformStep[] {
  const by = 'PatchJson6902Transformer'
  return structsOf(context.file, 'patchesJson6902').map((entry, index) => {
    const { path, target, patch: jsonOp } = entry
    const patch = placed(nodeOf(entry), () =>
      configured(by, goStruct({ path, target, jsonOp }), () => readJsonPatch(context.loader, patchArgs(entry))),
    )
    return patchStep(context, patch, by, `patchesJson6902[${index}]`)
  })
}

function patchStep({ build, into }: Context, patch: Patch, by: string, field: string): TransformStep {
  const run = (): void => {
    const touched = placed(patch.node, () => applyPatch(into.resources, patch, build.schema, beforeMerge(build)))
    if (touched.length === 0) findUnmatched(build, patch, field)
    if (build.keepsTouches) noteStep(touched, { by, field, config: patch.node })
  }
  return { by, run }
}

function nameSteps(context: Context): TransformStep[] {
  const { file, into } = context
  const { config } = into
  const [namespace, prefix, suffix] = ['namespace', 'namePrefix', 'nameSuffix'].map((name) => textOf(file, name))
  const steps: TransformStep[] = []
  const add = (by: string, field: string, run: () => void): void =>
    void steps.push(onAll(context, by, field, fieldNode(file, field), run))
  if (namespace)
    add('NamespaceTransformer', 'namespace', () =>
      transformNamespace(
        into.resources,
        { namespace, unsetOnly: false, subjects: 'defaultOnly', rules: context.loader.rules },
        config.namespace,
      ),
    )
  if (prefix)
    add('PrefixTransformer', 'namePrefix', () =>
      transformNames(into.resources, { prefix, suffix: '' }, config.namePrefix),
    )
  if (suffix)
    add('SuffixTransformer', 'nameSuffix', () =>
      transformNames(into.resources, { prefix: '', suffix }, config.nameSuffix),
    )
  return steps
}

/** `labels`, then `commonLabels`, which takes its turn even when there are none. */
function labelSteps(context: Context): TransformStep[] {
  const { file, into } = context
  const by = 'LabelTransformer'
  const labels = structsOf(file, 'labels')
  const common = textMapOf(file, 'commonLabels') ?? {}
  if (labels.length === 0 && Object.keys(common).length === 0) return []
  const steps = labels.map((label, index) => {
    const specs = placed(nodeOf(label), () => during('failed to merge labels', () => labelSpecs(label, into)))
    return onAll(context, by, `labels[${index}]`, nodeOf(label), () =>
      transformPairs(into.resources, textMapOf(label, 'pairs') ?? {}, specs),
    )
  })
  const config = fieldNode(file, 'commonLabels')
  const run = (): void => transformPairs(into.resources, common, into.config.commonLabels)
  return [...steps, onAll(context, by, 'commonLabels', config, run)]
}

function labelSpecs(label: Decoded, { config }: Accumulator): readonly FieldSpec[] {
  const specs = mergeFieldSpecs(structsOf(label, 'fields').map(fieldSpecOf), config.labels)
  if (flagOf(label, 'includeSelectors')) return mergeFieldSpecs(specs, config.commonLabels)
  const templates = flagOf(label, 'includeTemplates') ? mergeFieldSpecs(specs, config.templateLabels) : specs
  const claims = flagOf(label, 'includeVolumeClaimTemplates')
    ? mergeFieldSpecs(templates, config.volumeClaimTemplateLabels)
    : templates
  return mergeFieldSpecs(claims, [METADATA_LABELS])
}

function annotationSteps(context: Context): TransformStep[] {
  const { file, into } = context
  const pairs = textMapOf(file, 'commonAnnotations') ?? {}
  if (Object.keys(pairs).length === 0) return []
  const run = (): void => transformPairs(into.resources, pairs, into.config.commonAnnotations)
  return [onAll(context, 'AnnotationsTransformer', 'commonAnnotations', fieldNode(file, 'commonAnnotations'), run)]
}

function replicaSteps(context: Context): TransformStep[] {
  const { build, file, into } = context
  const by = 'ReplicaCountTransformer'
  return structsOf(file, 'replicas').map((entry, index) => {
    const run = (): void => {
      const [name, count] = [textOf(entry, 'name'), numberOf(entry, 'count') ?? 0]
      const specs = into.config.replicas
      const config = nodeOf(entry)
      const touched = placed(config, () =>
        transformReplicas(into.resources, name, count, specs, fieldNode(entry, 'count')),
      )
      if (build.keepsTouches) noteStep(touched, { by, field: `replicas[${index}]`, config })
    }
    return { by, run }
  })
}

/** One step for all entries, because one walk finds the images for all of them; it counts as one each. */
function imageSteps(context: Context, target: Target): TransformStep[] {
  const { build, file, into } = context
  const entries = imageEntries(target)
  if (entries.length === 0) return []
  const field = fieldNode(file, 'images') ? 'images' : 'imageTags'
  const run = (): void => {
    const { rules } = target.loader
    const matches = transformImages(into.resources, entries.map(imageArgs), into.config.images, rules)
    for (const match of matches) findInImages(build, match)
  }
  const idle: TransformStep = { by: 'ImageTagTransformer', run: () => {} }
  return [
    onAll(context, 'ImageTagTransformer', field, fieldNode(file, field), run),
    ...entries.slice(1).map(() => idle),
  ]
}

function replacementSteps({ build, file, loader, into }: Context): TransformStep[] {
  const by = 'ReplacementTransformer'
  const entries = structsOf(file, 'replacements')
  if (entries.length === 0) return []
  const replacements = placed(fieldNode(file, 'replacements'), () =>
    configured(by, { Replacements: goStruct(entries) }, () => readReplacements(loader, entries)),
  )
  const run = (): void => {
    for (const [index, replacement] of replacements.entries()) {
      const touched = placed(nodeOf(replacement), () => applyReplacement(into.resources, replacement, loader.rules))
      const field = `replacements[${index}]`
      if (build.keepsTouches) noteStep(touched, { by, field, config: nodeOf(replacement) })
    }
  }
  return [{ by, run }]
}
