import type { KindTable } from './table.ts'

/** What a ImageUpdateAutomation may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const imageUpdateAutomationTable: KindTable = {
  group: 'image.toolkit.fluxcd.io',
  kind: 'ImageUpdateAutomation',
  plural: 'imageupdateautomations',
  shortNames: ['iua', 'imgupd', 'imgauto'],
  categories: ['all', 'fluxcd', 'fluxcd-images'],
  versions: ['v1alpha1', 'v1alpha2', 'v1beta1', 'v1beta2', 'v1'],
  columns: [
    'Ready string .status.conditions[?(@.type=="Ready")].status',
    'Status string .status.conditions[?(@.type=="Ready")].message',
    'Last run string/1 .status.lastAutomationRunTime',
    'Age date .metadata.creationTimestamp',
  ],
  hasStatus: true,
  fields: String.raw`
spec object
  git object
    checkout object
      ref! object
        branch string
        commit string
        name string
        semver string
        tag string
    commit! object
      author! object
        email! string
        name string
      messageTemplate string
      messageTemplateValues {string}
      signingKey object
        secretRef! object
          name! string
        type string {"enum":["gpg","ssh"]}
    push object
      branch string
      options {string}
      refspec string
  interval! string duration
  policySelector object {"x-kubernetes-map-type":"atomic"}
    matchExpressions [object] {"x-kubernetes-list-type":"atomic"}
      key! string
      operator! string
      values [string] {"x-kubernetes-list-type":"atomic"}
    matchLabels {string}
  sourceRef! object
    apiVersion string
    kind! string {"default":"GitRepository","enum":["GitRepository"]}
    name! string
    namespace string
  suspend boolean
  update object {"default":{"strategy":"Setters"}}
    path string
    strategy string {"default":"Setters","enum":["Setters"]}
  checkout object
    branch string
    gitRepositoryRef object
      name! string
  commit object
    authorEmail string
    authorName string
    messageTemplate string
    signingKey object
      secretRef object
        name! string
  push object
    branch string
status object {"default":{"observedGeneration":-1}}
  conditions @conditions
  lastAutomationRunTime string {"format":"date-time"}
  lastHandledReconcileAt string
  lastPushCommit string
  lastPushTime string {"format":"date-time"}
  observedGeneration integer {"format":"int64"}
  observedPolicies {object}
    digest string
    name! string
    tag! string
  observedSourceRevision string
`,
}
