import type { Decoded } from './decode.ts'
import { entriesOf, fieldNode, flagOf, nodeOf, structOf, textMapOf, textOf, type TextEntry } from './decoded-fields.ts'
import { type GeneratorArgs, type GeneratorOptions, type ImageArgs, type PatchArgs } from './kustomization.ts'
import type { FieldSpec } from '../fields/field-spec.ts'
import type { Selector } from './selector.ts'

/** An entry of a generator list. */
export function generatorArgs(decoded: Decoded): GeneratorArgs {
  const options = structOf(decoded, 'options')
  return {
    node: nodeOf(decoded),
    name: textOf(decoded, 'name'),
    namespace: textOf(decoded, 'namespace'),
    behavior: textOf(decoded, 'behavior'),
    files: entriesOf(decoded, 'files'),
    literals: entriesOf(decoded, 'literals'),
    envs: [...entriesOf(decoded, 'envs'), ...oldEnv(decoded)],
    type: textOf(decoded, 'type'),
    options: options && generatorOptions(options),
  }
}

/** The deprecated `env`, one file. */
function oldEnv(decoded: Decoded): readonly TextEntry[] {
  const text = textOf(decoded, 'env')
  return text === '' ? [] : [{ text, node: fieldNode(decoded, 'env') }]
}

/** `generatorOptions` or the options of one generator. */
export function generatorOptions(decoded: Decoded): GeneratorOptions {
  return {
    labels: textMapOf(decoded, 'labels') ?? {},
    annotations: textMapOf(decoded, 'annotations') ?? {},
    disableNameSuffixHash: flagOf(decoded, 'disableNameSuffixHash'),
    immutable: flagOf(decoded, 'immutable'),
  }
}

/** An entry of `patches` or `patchesJson6902`. */
export function patchArgs(decoded: Decoded): PatchArgs {
  const options = structOf(decoded, 'options')
  const target = structOf(decoded, 'target')
  return {
    node: nodeOf(decoded),
    path: textOf(decoded, 'path'),
    patch: textOf(decoded, 'patch'),
    target: target && selectorOf(target),
    options: options && {
      allowNameChange: flagOf(options, 'allowNameChange'),
      allowKindChange: flagOf(options, 'allowKindChange'),
    },
  }
}

/** A selector of resources. */
export function selectorOf(decoded: Decoded): Required<Selector> {
  return {
    group: textOf(decoded, 'group'),
    version: textOf(decoded, 'version'),
    kind: textOf(decoded, 'kind'),
    name: textOf(decoded, 'name'),
    namespace: textOf(decoded, 'namespace'),
    labelSelector: textOf(decoded, 'labelSelector'),
    annotationSelector: textOf(decoded, 'annotationSelector'),
  }
}

/** An entry of `images`. */
export function imageArgs(decoded: Decoded): ImageArgs {
  return {
    node: nodeOf(decoded),
    name: textOf(decoded, 'name'),
    newName: textOf(decoded, 'newName'),
    tagSuffix: textOf(decoded, 'tagSuffix'),
    newTag: textOf(decoded, 'newTag'),
    digest: textOf(decoded, 'digest'),
  }
}

/** A field spec. */
export function fieldSpecOf(decoded: Decoded): FieldSpec {
  return {
    path: textOf(decoded, 'path'),
    group: textOf(decoded, 'group'),
    version: textOf(decoded, 'version'),
    kind: textOf(decoded, 'kind'),
    create: flagOf(decoded, 'create'),
  }
}
