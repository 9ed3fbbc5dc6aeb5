import type { TextEntry } from './decoded-fields.ts'
import type { YamlMap } from '../../yaml/nodes.ts'
import type { Shape } from './decode.ts'
import { HELM_CHART, HELM_GLOBALS, OLD_HELM_CHART } from './helm-args.ts'
import type { Rules } from '../compat.ts'
import type { Selector } from './selector.ts'

/** `generatorOptions`, or the `options` of one generator. */
export type GeneratorOptions = {
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly disableNameSuffixHash?: boolean | undefined
  readonly immutable?: boolean | undefined
}

/** An entry of `configMapGenerator` or `secretGenerator`. */
export type GeneratorArgs = {
  readonly node: YamlMap
  readonly name: string
  readonly namespace: string
  readonly behavior: string
  readonly files: readonly TextEntry[]
  readonly literals: readonly TextEntry[]
  /** `envs`, then the deprecated `env`. */
  readonly envs: readonly TextEntry[]
  readonly type: string
  readonly options: GeneratorOptions | undefined
}

const STRINGS: Shape = { list: 'string' }
const TEXTS: Shape = { map: 'string' }

const idFields = { group: 'string', version: 'string', kind: 'string', name: 'string', namespace: 'string' } as const
const insideGvk = { group: 'Gvk', version: 'Gvk', kind: 'Gvk' }
const insideId = {
  group: 'ResId.Gvk',
  version: 'ResId.Gvk',
  kind: 'ResId.Gvk',
  name: 'ResId',
  namespace: 'ResId',
}

export const SELECTOR: Shape = {
  struct: 'Selector',
  fields: { ...idFields, labelSelector: 'string', annotationSelector: 'string' },
  inside: insideId,
}
export const FIELD_SPEC: Shape = {
  struct: 'FieldSpec',
  fields: { path: 'string', create: 'bool', group: 'string', version: 'string', kind: 'string' },
  inside: insideGvk,
}
const PATCH: Shape = {
  struct: 'Patch',
  fields: {
    path: 'string',
    patch: 'string',
    target: SELECTOR,
    options: { struct: 'PatchArgs', fields: { allowNameChange: 'bool', allowKindChange: 'bool' } },
  },
}
export const IMAGE: Shape = {
  struct: 'Image',
  fields: { name: 'string', newName: 'string', tagSuffix: 'string', newTag: 'string', digest: 'string' },
}
const GENERATOR_OPTIONS: Shape = {
  struct: 'GeneratorOptions',
  fields: { labels: TEXTS, annotations: TEXTS, disableNameSuffixHash: 'bool', immutable: 'bool' },
}
const generatorFields = {
  namespace: 'string',
  name: 'string',
  behavior: 'string',
  literals: STRINGS,
  files: STRINGS,
  envs: STRINGS,
  env: 'string',
  options: GENERATOR_OPTIONS,
} as const
const insideGenerator = {
  namespace: 'GeneratorArgs',
  name: 'GeneratorArgs',
  behavior: 'GeneratorArgs',
  options: 'GeneratorArgs',
  literals: 'GeneratorArgs.KvPairSources',
  files: 'GeneratorArgs.KvPairSources',
  envs: 'GeneratorArgs.KvPairSources',
  env: 'GeneratorArgs.KvPairSources',
}
export const CONFIG_MAP_ARGS = {
  struct: 'ConfigMapArgs',
  fields: generatorFields,
  inside: insideGenerator,
} satisfies Shape
export const SECRET_ARGS = {
  struct: 'SecretArgs',
  fields: { ...generatorFields, type: 'string' },
  inside: insideGenerator,
} satisfies Shape
export const REPLICA: Shape = { struct: 'Replica', fields: { name: 'string', count: 'int64' } }
const FIELD_OPTIONS: Shape = {
  struct: 'FieldOptions',
  fields: { delimiter: 'string', index: 'int', encoding: 'string', create: 'bool' },
}
const replacementFields = {
  source: {
    struct: 'SourceSelector',
    fields: { ...idFields, fieldPath: 'string', options: FIELD_OPTIONS },
    inside: insideId,
  },
  sourceValue: 'string',
  targets: {
    ofPointers: true,
    list: {
      struct: 'TargetSelector',
      fields: {
        select: SELECTOR,
        reject: { list: SELECTOR, ofPointers: true },
        fieldPaths: STRINGS,
        options: FIELD_OPTIONS,
      },
    },
  },
} as const
export const REPLACEMENT: Shape = { struct: 'Replacement', fields: replacementFields }
const VAR: Shape = {
  struct: 'Var',
  fields: {
    name: 'string',
    objref: {
      struct: 'Target',
      fields: {
        apiVersion: 'string',
        kind: 'string',
        group: 'string',
        version: 'string',
        name: 'string',
        namespace: 'string',
      },
      inside: insideGvk,
    },
    fieldref: { struct: 'FieldSelector', fields: { fieldPath: 'string' } },
  },
}
const LABEL: Shape = {
  struct: 'Label',
  fields: {
    pairs: TEXTS,
    includeSelectors: 'bool',
    includeTemplates: 'bool',
    includeVolumeClaimTemplates: 'bool',
    fields: { list: FIELD_SPEC },
  },
}

/** The kustomization file as Go's struct, with the fields of every release. */
export const KUSTOMIZATION: Shape = {
  struct: 'Kustomization',
  fields: {
    apiVersion: 'string',
    kind: 'string',
    metadata: {
      struct: 'ObjectMeta',
      fields: { name: 'string', namespace: 'string', labels: TEXTS, annotations: TEXTS },
    },
    openapi: TEXTS,
    namePrefix: 'string',
    nameSuffix: 'string',
    namespace: 'string',
    commonLabels: TEXTS,
    labels: { list: LABEL },
    commonAnnotations: TEXTS,
    patchesStrategicMerge: { list: 'types.PatchStrategicMerge' },
    patchesJson6902: { list: PATCH },
    patches: { list: PATCH },
    images: { list: IMAGE },
    imageTags: { list: IMAGE },
    replacements: {
      list: {
        struct: 'ReplacementField',
        fields: { ...replacementFields, path: 'string' },
        inside: { source: 'Replacement', sourceValue: 'Replacement', targets: 'Replacement' },
      },
    },
    replicas: { list: REPLICA },
    vars: { list: VAR },
    sortOptions: {
      struct: 'SortOptions',
      fields: {
        order: 'types.SortOrder',
        legacySortOptions: { struct: 'LegacySortOptions', fields: { orderFirst: STRINGS, orderLast: STRINGS } },
      },
    },
    resources: STRINGS,
    components: STRINGS,
    crds: STRINGS,
    bases: STRINGS,
    configMapGenerator: { list: CONFIG_MAP_ARGS },
    secretGenerator: { list: SECRET_ARGS },
    helmGlobals: HELM_GLOBALS,
    helmCharts: { list: HELM_CHART },
    helmChartInflationGenerator: { list: OLD_HELM_CHART },
    generatorOptions: GENERATOR_OPTIONS,
    configurations: STRINGS,
    generators: STRINGS,
    transformers: STRINGS,
    validators: STRINGS,
    buildMetadata: STRINGS,
  },
  inside: { apiVersion: 'TypeMeta', kind: 'TypeMeta' },
}

const shapes = new Map<Rules, Shape>()

/** The kustomization file as the struct of a release. */
export function kustomizationShape(rules: Rules): Shape {
  const known = shapes.get(rules)
  if (known) return known
  const missing = new Set<string>()
  if (!rules.sourceValue) missing.add('sourceValue')
  if (rules.claimLabels !== 'flag') missing.add('includeVolumeClaimTemplates')
  const shape = withoutFields(KUSTOMIZATION, missing)
  shapes.set(rules, shape)
  return shape
}

/** A struct as the field of a plug-in that embeds it. */
export function embedded(shape: Extract<Shape, { struct: string }>, plugin: string): Shape {
  const inside = Object.keys(shape.fields).map((name) => [
    name,
    [shape.struct, shape.inside?.[name]].filter(Boolean).join('.'),
  ])
  return { ...shape, struct: plugin, inside: Object.fromEntries(inside) }
}

function withoutFields(shape: Shape, missing: ReadonlySet<string>): Shape {
  if (typeof shape === 'string' || 'map' in shape) return shape
  if ('list' in shape) return { ...shape, list: withoutFields(shape.list, missing) }
  const kept = Object.entries(shape.fields).filter(([name]) => !missing.has(name))
  return { ...shape, fields: Object.fromEntries(kept.map(([name, field]) => [name, withoutFields(field, missing)])) }
}

/** An entry of `patches`. */
export type PatchArgs = {
  readonly node: YamlMap
  readonly path: string
  readonly patch: string
  readonly target: Selector | undefined
  readonly options: { readonly allowNameChange?: boolean; readonly allowKindChange?: boolean } | undefined
}

/** An entry of `images`. */
export type ImageArgs = {
  readonly node: YamlMap
  readonly name: string
  readonly newName: string
  readonly tagSuffix: string
  readonly newTag: string
  readonly digest: string
}
