import type { KindTable } from './table.ts'

/** What a OCIRepository may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const ociRepositoryTable: KindTable = {
  group: 'source.toolkit.fluxcd.io',
  kind: 'OCIRepository',
  about: 'an artifact in an OCI registry, by tag, range or digest',
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
spec object # what is wanted
  certSecretRef object # the Secret with the certificates: ca.crt, tls.crt and tls.key
    name! string
  ignore string # files left out of the artifact, in the form of .gitignore; takes the place of the default list
  insecure boolean # true allows plain HTTP
  interval! string duration # how often the source is asked, at least; a push that is heard of is taken at once
  layerSelector object # which layer of the artifact is taken; the first one without it
    mediaType string # the first layer of this media type
    operation string {"enum":["extract","copy"]} # extract unpacks the layer, copy offers it as it is
  provider string {"default":"generic","enum":["generic","aws","azure","gcp"]} # whose login is used; generic takes it from secretRef
  proxySecretRef object # the Secret with the address of a proxy, and its login
    name! string
  ref object # which artifact is wanted; without it the tag latest
    digest string # one artifact by its digest; wins over all else
    semver string # the highest tag that a range of versions allows; wins over tag
    semverFilter string # a regular expression that tags must match before the range is asked
    tag string # the artifact of a tag
  secretRef object # the Secret, in this namespace, with the login
    name! string
  serviceAccountName string # the ServiceAccount whose rights or pull secrets are used
  suspend boolean # true stops new work on this object; what was done stays
  timeout string timeout {"default":"60s"} # how long one look may take
  url! string {"pattern":"^oci://.*$"} # address of the artifact, oci://host/name
  verify object # wants a signature
    matchOIDCIdentity [object] # identities of keyless signatures
      issuer! string
      subject! string
    provider! string {"default":"cosign","enum":["cosign","notation"]} # who signs: cosign
    secretRef object # the Secret with public keys (.pub)
      name! string
    trustedRootSecretRef object # the Secret with the trusted root of keyless signatures
      name! string
status object {"default":{"observedGeneration":-1}} # what is so
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
