import type { KindTable } from './table.ts'

/** What a ImageRepository may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const imageRepositoryTable: KindTable = {
  group: 'image.toolkit.fluxcd.io',
  kind: 'ImageRepository',
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
spec object
  accessFrom object
    namespaceSelectors! [object]
      matchLabels {string}
  certSecretRef object
    name! string
  exclusionList [string] {"default":["^.*\\.sig$"],"maxItems":25}
  image! string
  insecure boolean
  interval! string duration
  provider string {"default":"generic","enum":["generic","aws","azure","gcp"]}
  proxySecretRef object
    name! string
  secretRef object
    name! string
  serviceAccountName string {"maxLength":253}
  suspend boolean
  timeout string timeout
status object {"default":{"observedGeneration":-1}}
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
