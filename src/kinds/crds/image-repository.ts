import type { KindTable } from './table.ts'

/** What a ImageRepository may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const imageRepositoryTable: KindTable = {
  group: 'image.toolkit.fluxcd.io',
  kind: 'ImageRepository',
  about: 'an image in a registry, whose tags are scanned',
  plural: 'imagerepositories',
  shortNames: ['imgrepo', 'imagerepo'],
  categories: ['all', 'fluxcd', 'fluxcd-images'],
  versions: ['v1alpha1', 'v1alpha2', 'v1beta1', 'v1beta2', 'v1'],
  columns: [
    'Image string .spec.image',
    'Tags string .status.lastScanResult.tagCount',
    'Ready string .status.conditions[?(@.type=="Ready")].status',
    'Status string .status.conditions[?(@.type=="Ready")].message',
    'Last scan string/1 .status.lastScanResult.scanTime',
    'Age date .metadata.creationTimestamp',
  ],
  hasStatus: true,
  fields: String.raw`
spec object # what is wanted
  accessFrom object # which other namespaces may refer to this object
    namespaceSelectors! [object]
      matchLabels {string}
  certSecretRef object # the Secret with the certificates: ca.crt, tls.crt and tls.key
    name! string
  exclusionList [string] {"default":["^.*\\.sig$"],"maxItems":25} # regular expressions of tags that are left out
  image! string # the image, without tag
  insecure boolean # true allows plain HTTP
  interval! string duration # how often tags are listed, at least; a push that is heard of is taken at once
  provider string {"default":"generic","enum":["generic","aws","azure","gcp"]} # whose login is used; generic takes it from secretRef
  proxySecretRef object # the Secret with the address of a proxy, and its login
    name! string
  secretRef object # the Secret of type kubernetes.io/dockerconfigjson with the login
    name! string
  serviceAccountName string {"maxLength":253} # the ServiceAccount whose rights or pull secrets are used
  suspend boolean # true stops new work on this object; what was done stays
  timeout string timeout # how long one look may take
status object {"default":{"observedGeneration":-1}} # what is so
  canonicalImageName string
  conditions @conditions
  lastHandledReconcileAt string
  lastScanResult object
    latestTags [string]
    revision string
    scanTime string {"format":"date-time"}
    tagCount! integer
  observedExclusionList [string]
  observedGeneration integer {"format":"int64"}
`,
}
