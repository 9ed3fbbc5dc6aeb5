import type { KindTable } from './table.ts'

/** What a GitRepository may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const gitRepositoryTable: KindTable = {
  group: 'source.toolkit.fluxcd.io',
  kind: 'GitRepository',
  plural: 'gitrepositories',
  shortNames: ['gitrepo'],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  versions: ['v1beta1', 'v1beta2', 'v1'],
  columns: [
    'URL string .spec.url',
    'Age date .metadata.creationTimestamp',
    'Ready string .status.conditions[?(@.type=="Ready")].status',
    'Status string .status.conditions[?(@.type=="Ready")].message',
  ],
  hasStatus: true,
  fields: String.raw`
spec object
  ? "!has(self.serviceAccountName) || (has(self.provider) && (self.provider == 'azure' || self.provider == 'aws'))" : "serviceAccountName can only be set when provider is 'azure' or 'aws'"
  ignore string
  include [object]
    fromPath string
    repository! object
      name! string
    toPath string
  interval! string duration
  provider string {"enum":["generic","aws","azure","github"]}
  proxySecretRef object
    name! string
  recurseSubmodules boolean
  ref object
    branch string
    commit string
    name string
    semver string
    tag string
  secretRef object
    name! string
  serviceAccountName string
  sparseCheckout [string]
  suspend boolean
  timeout string timeout {"default":"60s"}
  url! string {"pattern":"^(http|https|ssh)://.*$"}
  verify object
    mode string {"default":"HEAD","enum":["head","HEAD","Tag","TagAndHEAD"]}
    secretRef! object
      name! string
  accessFrom object
    namespaceSelectors! [object]
      matchLabels {string}
  gitImplementation string {"enum":["go-git","libgit2"]}
status object {"default":{"observedGeneration":-1}}
  artifact @artifact
  conditions @conditions
  includedArtifacts [@artifact]
  lastHandledReconcileAt string
  observedGeneration integer {"format":"int64"}
  observedIgnore string
  observedInclude [object]
    fromPath string
    repository! object
      name! string
    toPath string
  observedRecurseSubmodules boolean
  observedSparseCheckout [string]
  sourceVerificationMode string
  contentConfigChecksum string
  url string
`,
}
