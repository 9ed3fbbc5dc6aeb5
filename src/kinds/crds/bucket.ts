import type { KindTable } from './table.ts'

/** What a Bucket may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const bucketTable: KindTable = {
  group: 'source.toolkit.fluxcd.io',
  kind: 'Bucket',
  about: 'a bucket of an S3-compatible store, offered as an artifact',
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
spec object # what is wanted
  ? "self.provider == 'aws' || self.provider == 'generic' || !has(self.sts)" : "STS configuration is only supported for the 'aws' and 'generic' Bucket providers"
  ? "self.provider != 'aws' || !has(self.sts) || self.sts.provider == 'aws'" : "'aws' is the only supported STS provider for the 'aws' Bucket provider"
  ? "self.provider != 'generic' || !has(self.sts) || self.sts.provider == 'ldap'" : "'ldap' is the only supported STS provider for the 'generic' Bucket provider"
  ? "!has(self.sts) || self.sts.provider != 'aws' || !has(self.sts.secretRef)" : "spec.sts.secretRef is not required for the 'aws' STS provider"
  ? "!has(self.sts) || self.sts.provider != 'aws' || !has(self.sts.certSecretRef)" : "spec.sts.certSecretRef is not required for the 'aws' STS provider"
  ? "self.provider != 'generic' || !has(self.serviceAccountName)" : "ServiceAccountName is not supported for the 'generic' Bucket provider"
  ? "!has(self.secretRef) || !has(self.serviceAccountName)" : "cannot set both .spec.secretRef and .spec.serviceAccountName"
  bucketName! string # name of the bucket
  certSecretRef object # the Secret with the certificates: ca.crt, tls.crt and tls.key
    name! string
  endpoint! string # host and port of the store
  ignore string # files left out of the artifact, in the form of .gitignore; takes the place of the default list
  insecure boolean # true allows plain HTTP
  interval! string duration # how often the source is asked, at least; a push that is heard of is taken at once
  prefix string # only objects whose key begins so
  provider string {"default":"generic","enum":["generic","aws","gcp","azure"]} # whose login is used; generic takes it from secretRef
  proxySecretRef object # the Secret with the address of a proxy, and its login
    name! string
  region string # region of the bucket
  secretRef object # the Secret with accesskey and secretkey
    name! string
  serviceAccountName string # the ServiceAccount whose rights or pull secrets are used
  sts object # where temporary logins are asked for
    certSecretRef object
      name! string
    endpoint! string {"pattern":"^(http|https)://.*$"}
    provider! string {"enum":["aws","ldap"]}
    secretRef object
      name! string
  suspend boolean # true stops new work on this object; what was done stays
  timeout string timeout {"default":"60s"} # how long one look may take
  accessFrom object # which other namespaces may refer to this object
    namespaceSelectors! [object]
      matchLabels {string}
status object {"default":{"observedGeneration":-1}} # what is so
  artifact @artifact
  conditions @conditions
  lastHandledReconcileAt string
  observedGeneration integer {"format":"int64"}
  observedIgnore string
  url string
`,
}
