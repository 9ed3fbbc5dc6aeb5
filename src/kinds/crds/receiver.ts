import type { KindTable } from './table.ts'

/** What a Receiver may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const receiverTable: KindTable = {
  group: 'notification.toolkit.fluxcd.io',
  kind: 'Receiver',
  plural: 'receivers',
  shortNames: [],
  categories: ['all', 'fluxcd', 'fluxcd-notifications'],
  versions: ['v1beta1', 'v1beta2', 'v1'],
  columns: [
    'Age date .metadata.creationTimestamp',
    'Ready string .status.conditions[?(@.type=="Ready")].status',
    'Status string .status.conditions[?(@.type=="Ready")].message',
  ],
  hasStatus: true,
  fields: String.raw`
spec object
  ? "self.type != 'generic-oidc' || (has(self.oidcProviders) && size(self.oidcProviders) > 0)" : "generic-oidc receivers must define at least one oidcProvider"
  ? "self.type == 'generic-oidc' || !has(self.oidcProviders) || size(self.oidcProviders) == 0" : "oidcProviders can only be set when type is generic-oidc"
  ? "self.type != 'generic-oidc' || !has(self.secretRef)" : "secretRef cannot be set when type is generic-oidc"
  ? "self.type == 'generic-oidc' || has(self.secretRef)" : "secretRef is required when type is not generic-oidc"
  events [string]
  interval string duration {"default":"10m"}
  oidcProviders [object] {"x-kubernetes-list-map-keys":["issuerURL"],"x-kubernetes-list-type":"map"}
    audience string
    issuerURL! string {"pattern":"^https?://"}
    validations! [object] {"minItems":1}
      expression! string
      message! string
    variables [object]
      expression! string
      name! string
  resourceFilter string
  resources! [object]
    apiVersion string
    filter string
    kind! string {"enum":["Bucket","GitRepository","Kustomization","HelmRelease","HelmChart","HelmRepository","ImageRepository","ImagePolicy","ImageUpdateAutomation","OCIRepository","ArtifactGenerator","ExternalArtifact"]}
    matchLabels {string}
    name! string {"maxLength":253,"minLength":1}
    namespace string {"maxLength":253,"minLength":1}
  secretRef object
    name! string
  suspend boolean
  type! string {"enum":["generic","generic-hmac","generic-oidc","github","gitlab","bitbucket","harbor","dockerhub","quay","gcr","nexus","acr","cdevents"]}
status object {"default":{"observedGeneration":-1}}
  conditions @conditions
  lastHandledReconcileAt string
  observedGeneration integer {"format":"int64"}
  webhookPath string
  url string
`,
}
