import type { KindTable } from './table.ts'

/** What a ImagePolicy may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const imagePolicyTable: KindTable = {
  group: 'image.toolkit.fluxcd.io',
  kind: 'ImagePolicy',
  about: 'which tag of an ImageRepository is the latest',
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
spec object # what is wanted
  ? "!has(self.interval) || (has(self.digestReflectionPolicy) && self.digestReflectionPolicy == 'Always')" : "spec.interval is only accepted when spec.digestReflectionPolicy is set to 'Always'"
  ? "has(self.interval) || !has(self.digestReflectionPolicy) || self.digestReflectionPolicy != 'Always'" : "spec.interval must be set when spec.digestReflectionPolicy is set to 'Always'"
  digestReflectionPolicy string {"default":"Never","enum":["Always","IfNotPresent","Never"]} # whether the digest is resolved: Never, once a tag (IfNotPresent), or at every interval (Always)
  filterTags object # which tags count
    extract string # what of a match is compared, $name of a group
    pattern string # a regular expression that tags must match
  imageRepositoryRef! object # the ImageRepository
    name! string
    namespace string
  interval string duration # how often the digest is resolved; for digestReflectionPolicy Always
  policy! object # how tags are ordered: one of semver, alphabetical and numerical
    alphabetical object # the last one by letters
      order string {"default":"asc","enum":["asc","desc"]}
    numerical object # the highest number
      order string {"default":"asc","enum":["asc","desc"]}
    semver object # the highest version of a range
      range! string
  suspend boolean # true stops new work on this object; what was done stays
status object {"default":{"observedGeneration":-1}} # what is so
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
