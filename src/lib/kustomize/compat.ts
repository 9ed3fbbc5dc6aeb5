/** The kustomize whose behaviour a build has. */
export type Compat = '5.5' | '5.8.1' | '5.8.2'

/** Where the releases differ; everything else is the same in the three. */
export type Rules = {
  /** What `managed-by` says. */
  readonly version: string
  /** Fields of volumes that hold an image: none, those of pods, those of cron jobs, too. */
  readonly imageVolumes: 'none' | 'pods' | 'all'
  /** Whether an image has a digest by any algorithm, and not by sha256 only. */
  readonly anyDigest: boolean
  /** Whether `replacements` may have a `sourceValue`. */
  readonly sourceValue: boolean
  /** Whether targets of replacements are selected by regular expressions. */
  readonly selectsByRegexp: boolean
  /** What a replacement does to JSON or YAML inside a text: nothing, write it, write it with delimiter and index. */
  readonly structuredText: 'none' | 'whole' | 'parts'
  /** Whether `labels` go to volume claim templates: with `includeTemplates`, or by a flag of their own. */
  readonly claimLabels: 'templates' | 'flag'
  /** Whether a merge keeps the `stringData` of the Secret that it merges into. */
  readonly keepsStringData: boolean
  /** Whether a patch without content is taken. */
  readonly emptyPatches: boolean
  /** Whether ValidatingAdmissionPolicy and its binding are known to have no namespace. */
  readonly policiesAreCluster: boolean
  /** Whether a path with `..` inside of a name is refused. */
  readonly refusesAmbiguousPaths: boolean
}

const TODAY: Rules = {
  version: 'v5.8.1',
  imageVolumes: 'pods',
  anyDigest: false,
  sourceValue: true,
  selectsByRegexp: true,
  structuredText: 'whole',
  claimLabels: 'templates',
  keepsStringData: false,
  emptyPatches: true,
  policiesAreCluster: false,
  refusesAmbiguousPaths: false,
}

const RULES: Readonly<Record<Compat, Rules>> = {
  '5.5': {
    ...TODAY,
    version: 'v5.5.0',
    imageVolumes: 'none',
    sourceValue: false,
    selectsByRegexp: false,
    structuredText: 'none',
    emptyPatches: false,
  },
  '5.8.1': TODAY,
  '5.8.2': {
    ...TODAY,
    version: 'v5.8.2',
    imageVolumes: 'all',
    anyDigest: true,
    structuredText: 'parts',
    claimLabels: 'flag',
    keepsStringData: true,
    policiesAreCluster: true,
    refusesAmbiguousPaths: true,
  },
}

/** The rules of a release; 5.8.1 is what today's Flux and kubectl run. */
export function rulesOf(compat: Compat = '5.8.1'): Rules {
  return RULES[compat]
}
