import type { KindTable } from './table.ts'

/** What a ImagePolicy may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const imagePolicyTable: KindTable = {
  group: 'image.toolkit.fluxcd.io',
  kind: 'ImagePolicy',
  plural: 'imagepolicies',
  shortNames: ['imgpol', 'imagepol'],
  categories: ['all', 'fluxcd', 'fluxcd-images'],
  versions: ['v1alpha1', 'v1alpha2', 'v1beta1', 'v1beta2', 'v1'],
  columns: [
    'Image string .status.latestRef.name',
    'Tag string .status.latestRef.tag',
    'Ready string .status.conditions[?(@.type=="Ready")].status',
    'Status string .status.conditions[?(@.type=="Ready")].message',
    'Age date .metadata.creationTimestamp',
  ],
  hasStatus: true,
  fields: String.raw`
spec object
  ? "!has(self.interval) || (has(self.digestReflectionPolicy) && self.digestReflectionPolicy == 'Always')" : "spec.interval is only accepted when spec.digestReflectionPolicy is set to 'Always'"
  ? "has(self.interval) || !has(self.digestReflectionPolicy) || self.digestReflectionPolicy != 'Always'" : "spec.interval must be set when spec.digestReflectionPolicy is set to 'Always'"
  digestReflectionPolicy string {"default":"Never","enum":["Always","IfNotPresent","Never"]}
  filterTags object
    extract string
    pattern string
  imageRepositoryRef! object
    name! string
    namespace string
  interval string duration
  policy! object
    alphabetical object
      order string {"default":"asc","enum":["asc","desc"]}
    numerical object
      order string {"default":"asc","enum":["asc","desc"]}
    semver object
      range! string
  suspend boolean
status object {"default":{"observedGeneration":-1}}
  conditions @conditions
  lastHandledReconcileAt string
  latestRef object
    digest string
    name! string
    tag! string
  observedGeneration integer {"format":"int64"}
  observedPreviousRef object
    digest string
    name! string
    tag! string
  latestImage string
  observedPreviousImage string
`,
}
