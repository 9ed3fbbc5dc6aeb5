import type { KindTable } from './table.ts'

/** What a Bucket may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const bucketTable: KindTable = {
  group: 'source.toolkit.fluxcd.io',
  kind: 'Bucket',
  plural: 'buckets',
  shortNames: [],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  versions: ['v1beta1', 'v1beta2', 'v1'],
  columns: [
    'Endpoint string .spec.endpoint',
    'Age date .metadata.creationTimestamp',
    'Ready string .status.conditions[?(@.type=="Ready")].status',
    'Status string .status.conditions[?(@.type=="Ready")].message',
  ],
  hasStatus: true,
  fields: String.raw`
spec object
  ? "self.provider == 'aws' || self.provider == 'generic' || !has(self.sts)" : "STS configuration is only supported for the 'aws' and 'generic' Bucket providers"
  ? "self.provider != 'aws' || !has(self.sts) || self.sts.provider == 'aws'" : "'aws' is the only supported STS provider for the 'aws' Bucket provider"
  ? "self.provider != 'generic' || !has(self.sts) || self.sts.provider == 'ldap'" : "'ldap' is the only supported STS provider for the 'generic' Bucket provider"
  ? "!has(self.sts) || self.sts.provider != 'aws' || !has(self.sts.secretRef)" : "spec.sts.secretRef is not required for the 'aws' STS provider"
  ? "!has(self.sts) || self.sts.provider != 'aws' || !has(self.sts.certSecretRef)" : "spec.sts.certSecretRef is not required for the 'aws' STS provider"
  ? "self.provider != 'generic' || !has(self.serviceAccountName)" : "ServiceAccountName is not supported for the 'generic' Bucket provider"
  ? "!has(self.secretRef) || !has(self.serviceAccountName)" : "cannot set both .spec.secretRef and .spec.serviceAccountName"
  bucketName! string
  certSecretRef object
    name! string
  endpoint! string
  ignore string
  insecure boolean
  interval! string duration
  prefix string
  provider string {"default":"generic","enum":["generic","aws","gcp","azure"]}
  proxySecretRef object
    name! string
  region string
  secretRef object
    name! string
  serviceAccountName string
  sts object
    certSecretRef object
      name! string
    endpoint! string {"pattern":"^(http|https)://.*$"}
    provider! string {"enum":["aws","ldap"]}
    secretRef object
      name! string
  suspend boolean
  timeout string timeout {"default":"60s"}
  accessFrom object
    namespaceSelectors! [object]
      matchLabels {string}
status object {"default":{"observedGeneration":-1}}
  artifact @artifact
  conditions @conditions
  lastHandledReconcileAt string
  observedGeneration integer {"format":"int64"}
  observedIgnore string
  url string
`,
}
