import type { KindTable } from './table.ts'

/** What a OCIRepository may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const ociRepositoryTable: KindTable = {
  group: 'source.toolkit.fluxcd.io',
  kind: 'OCIRepository',
  plural: 'ocirepositories',
  shortNames: ['ocirepo'],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  versions: ['v1beta2', 'v1'],
  columns: [
    'URL string .spec.url',
    'Ready string .status.conditions[?(@.type=="Ready")].status',
    'Status string .status.conditions[?(@.type=="Ready")].message',
    'Age date .metadata.creationTimestamp',
  ],
  hasStatus: true,
  fields: String.raw`
spec object
  certSecretRef object
    name! string
  ignore string
  insecure boolean
  interval! string duration
  layerSelector object
    mediaType string
    operation string {"enum":["extract","copy"]}
  provider string {"default":"generic","enum":["generic","aws","azure","gcp"]}
  proxySecretRef object
    name! string
  ref object
    digest string
    semver string
    semverFilter string
    tag string
  secretRef object
    name! string
  serviceAccountName string
  suspend boolean
  timeout string timeout {"default":"60s"}
  url! string {"pattern":"^oci://.*$"}
  verify object
    matchOIDCIdentity [object]
      issuer! string
      subject! string
    provider! string {"default":"cosign","enum":["cosign","notation"]}
    secretRef object
      name! string
    trustedRootSecretRef object
      name! string
status object {"default":{"observedGeneration":-1}}
  artifact @artifact
  conditions @conditions
  lastHandledReconcileAt string
  observedGeneration integer {"format":"int64"}
  observedIgnore string
  observedLayerSelector object
    mediaType string
    operation string {"enum":["extract","copy"]}
  url string
  contentConfigChecksum string
`,
}
