import type { KindTable } from './table.ts'

/** What a Receiver may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const receiverTable: KindTable = {
  group: 'notification.toolkit.fluxcd.io',
  kind: 'Receiver',
  about: 'a webhook that makes objects look at once',
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
spec object # what is wanted
  ? "self.type != 'generic-oidc' || (has(self.oidcProviders) && size(self.oidcProviders) > 0)" : "generic-oidc receivers must define at least one oidcProvider"
  ? "self.type == 'generic-oidc' || !has(self.oidcProviders) || size(self.oidcProviders) == 0" : "oidcProviders can only be set when type is generic-oidc"
  ? "self.type != 'generic-oidc' || !has(self.secretRef)" : "secretRef cannot be set when type is generic-oidc"
  ? "self.type == 'generic-oidc' || has(self.secretRef)" : "secretRef is required when type is not generic-oidc"
  events [string] # names of events that count; all without it
  interval string duration {"default":"10m"} # how often the Secret is read again
  oidcProviders [object] {"x-kubernetes-list-map-keys":["issuerURL"],"x-kubernetes-list-type":"map"} # issuers whose tokens prove a request; for generic-oidc
    audience string
    issuerURL! string {"pattern":"^https?://"}
    validations! [object] {"minItems":1}
      expression! string
      message! string
    variables [object]
      expression! string
      name! string
  resourceFilter string # a CEL expression of res and req: which resources a request is for
  resources! [object] # objects that are asked to look
    apiVersion string
    filter string # a CEL expression of req: whether a request is for this one
    kind! string {"enum":["Bucket","GitRepository","Kustomization","HelmRelease","HelmChart","HelmRepository","ImageRepository","ImagePolicy","ImageUpdateAutomation","OCIRepository","ArtifactGenerator","ExternalArtifact"]}
    matchLabels {string}
    name! string {"maxLength":253,"minLength":1} # name of the object; * for all with matchLabels
    namespace string {"maxLength":253,"minLength":1}
  secretRef object # the Secret whose token proves a request
    name! string
  suspend boolean # true stops new work on this object; what was done stays
  type! string {"enum":["generic","generic-hmac","generic-oidc","github","gitlab","bitbucket","harbor","dockerhub","quay","gcr","nexus","acr","cdevents"]} # whose webhooks come, and how they prove themselves
status object {"default":{"observedGeneration":-1}} # what is so
  conditions @conditions
  lastHandledReconcileAt string
  observedGeneration integer {"format":"int64"}
  webhookPath string
  url string
`,
}
