import type { YamlNode } from '../../yaml/nodes.ts'
import { parseStrictConfig } from '../kustomization/parse-config.ts'
import type { Rules } from '../compat.ts'
import { decodeStruct, type Shape } from '../kustomization/decode.ts'
import { fieldSpecOf } from '../kustomization/entries.ts'
import { defaultFieldSpecs, mergeFieldSpecs, parseFieldSpecs, parseKind, type FieldSpec } from '../fields/field-spec.ts'
import { during, placed } from '../failure.ts'
import type { Gvk } from '../objects/ids.ts'
import { compareGvk } from '../objects/order.ts'
import { structsOf, textOf, type TextEntry } from '../kustomization/decoded-fields.ts'
import { FIELD_SPEC } from '../kustomization/kustomization.ts'
import { fileName, loadText, type Loader } from '../files/loader.ts'
import { NAME_REFERENCES } from '../schema/name-references.ts'

/** A kind that others name, and the fields in which they do. */
export type NameReference = Gvk & { readonly referrers: readonly FieldSpec[] }

/** In the order in which kustomize merges them. */
const LISTS = [
  'namePrefix',
  'nameSuffix',
  'namespace',
  'commonAnnotations',
  'commonLabels',
  'labels',
  'templateLabels',
  'volumeClaimTemplateLabels',
  'varReference',
  'images',
  'replicas',
] as const

type ListName = (typeof LISTS)[number]

/** Where the transformers of a kustomization work. */
export type TransformerConfig = Readonly<Record<ListName, readonly FieldSpec[]>> & {
  readonly nameReference: readonly NameReference[]
}

const builtIn = new Map<Rules, TransformerConfig>()

/** The configuration that kustomize has built in. */
function defaultConfig(rules: Rules): TransformerConfig {
  const known = builtIn.get(rules)
  if (known) return known
  const templates = defaultFieldSpecs('templateLabels')
  const byFlag = rules.claimLabels === 'flag'
  const made = sortConfig({
    namePrefix: defaultFieldSpecs('namePrefix'),
    nameSuffix: defaultFieldSpecs('nameSuffix'),
    namespace: defaultFieldSpecs('namespace'),
    commonLabels: defaultFieldSpecs('commonLabels'),
    labels: [],
    templateLabels: byFlag ? templates.filter((spec) => spec.path !== CLAIM_LABELS) : templates,
    volumeClaimTemplateLabels: byFlag ? templates.filter((spec) => spec.path === CLAIM_LABELS) : [],
    commonAnnotations: defaultFieldSpecs('commonAnnotations'),
    varReference: defaultFieldSpecs('varReference'),
    images: imageSpecs(rules),
    replicas: defaultFieldSpecs('replicas'),
    nameReference: parseNameReferences(NAME_REFERENCES),
  })
  builtIn.set(rules, made)
  return made
}

const CLAIM_LABELS = 'spec/volumeClaimTemplates[]/metadata/labels'
const CRON_VOLUMES: FieldSpec = {
  path: 'spec/jobTemplate/spec/template/spec/volumes[]/image/reference',
  group: '',
  version: '',
  kind: '',
  create: true,
}

function imageSpecs({ imageVolumes }: Rules): readonly FieldSpec[] {
  const specs = defaultFieldSpecs('images')
  if (imageVolumes === 'all') return [...specs, CRON_VOLUMES]
  return imageVolumes === 'pods' ? specs : specs.filter((spec) => !spec.path.endsWith('volumes[]/image/reference'))
}

function parseNameReferences(table: string): NameReference[] {
  const found: { head: string; lines: string[] }[] = []
  for (const line of table.trim().split('\n')) {
    if (line.startsWith(' ')) found.at(-1)?.lines.push(line)
    else found.push({ head: line, lines: [] })
  }
  return found.map(({ head, lines }) => ({ ...parseKind(head), referrers: parseFieldSpecs(lines.join('\n')) }))
}

/** Both configurations together, in kustomize's order, which decides what covers what in the next merge. */
export function mergeConfig(base: TransformerConfig, added: TransformerConfig): TransformerConfig {
  if (base === added || added === NO_CONFIG) return base
  if (base === NO_CONFIG && [...builtIn.values()].includes(added)) return added
  const merged = { ...base, nameReference: mergeNameReferences(base.nameReference, added.nameReference) }
  for (const name of LISTS)
    merged[name] = during(`failed to merge ${goName(name)} fieldSpec`, () => mergeFieldSpecs(base[name], added[name]))
  return sortConfig(merged)
}

function goName(name: ListName): string {
  return name === 'namespace' ? 'NameSpace' : name.charAt(0).toUpperCase() + name.slice(1)
}

function sortConfig(config: TransformerConfig): TransformerConfig {
  const sorted = { ...config, nameReference: [...config.nameReference].sort(compareGvk) }
  for (const name of LISTS) sorted[name] = [...config[name]].sort(compareGvk)
  return sorted
}

function mergeNameReferences(
  base: readonly NameReference[],
  added: readonly NameReference[],
): readonly NameReference[] {
  const merged = [...base]
  for (const reference of added) {
    const at = merged.findIndex(
      (one) => one.kind === reference.kind && one.group === reference.group && one.version === reference.version,
    )
    const known = merged[at]
    if (known) merged[at] = { ...known, referrers: mergeFieldSpecs(known.referrers, reference.referrers) }
    else merged.push(reference)
  }
  return merged
}

const SPECS: Shape = { list: FIELD_SPEC, name: 'types.FsSlice' }
const configFields = (names: readonly string[]): Shape => ({
  struct: 'TransformerConfig',
  package: 'builtinconfig',
  fields: {
    ...Object.fromEntries(names.map((name) => [name, SPECS])),
    nameReference: {
      name: 'builtinconfig.nbrSlice',
      list: {
        struct: 'NameBackReferences',
        package: 'builtinconfig',
        fields: { kind: 'string', group: 'string', version: 'string', fieldSpecs: SPECS },
        inside: { kind: 'Gvk', group: 'Gvk', version: 'Gvk' },
      },
    },
  },
})
const CLAIM_CONFIG = configFields(LISTS)
const CONFIG = configFields(LISTS.filter((name) => name !== 'volumeClaimTemplateLabels'))

/** No configuration at all. */
export const NO_CONFIG: TransformerConfig = {
  namePrefix: [],
  nameSuffix: [],
  namespace: [],
  commonLabels: [],
  labels: [],
  templateLabels: [],
  volumeClaimTemplateLabels: [],
  commonAnnotations: [],
  varReference: [],
  images: [],
  replicas: [],
  nameReference: [],
}

/** The built-in configuration with the files of `configurations:` merged in. */
export function loadConfig(loader: Loader, paths: readonly TextEntry[]): TransformerConfig {
  let own = NO_CONFIG
  for (const { text: path, node } of paths)
    placed(node, () => {
      const root = parseStrictConfig(loadText(loader, path), fileName(loader, path))
      if (root) own = mergeConfig(own, sortConfig(decodeConfig(root, loader.rules)))
    })
  return mergeConfig(defaultConfig(loader.rules), own)
}

function decodeConfig(node: YamlNode, { claimLabels }: Rules): TransformerConfig {
  const decoded = decodeStruct(
    node,
    claimLabels === 'flag' ? CLAIM_CONFIG : CONFIG,
    'strict',
    'error unmarshaling JSON: while decoding JSON',
  )
  const config = {
    ...NO_CONFIG,
    nameReference: structsOf(decoded, 'nameReference').map((one) => ({
      kind: textOf(one, 'kind'),
      group: textOf(one, 'group'),
      version: textOf(one, 'version'),
      referrers: structsOf(one, 'fieldSpecs').map(fieldSpecOf),
    })),
  }
  for (const name of LISTS) config[name] = structsOf(decoded, name).map(fieldSpecOf)
  return config
}
