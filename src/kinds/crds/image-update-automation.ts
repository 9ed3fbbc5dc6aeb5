import type { KindTable } from './table.ts'

/** What a ImageUpdateAutomation may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const imageUpdateAutomationTable: KindTable = {
  group: 'image.toolkit.fluxcd.io',
  kind: 'ImageUpdateAutomation',
  about: 'commits the images that policies chose to a Git repository',
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
spec object # what is wanted
  git object # what is checked out, how it is committed, and where it is pushed
    checkout object # the ref to start from; that of the GitRepository without it
      ref! object
        branch string
        commit string
        name string
        semver string
        tag string
    commit! object # author, message and signature of commits
      author! object
        email! string
        name string
      messageTemplate string
      messageTemplateValues {string}
      signingKey object
        secretRef! object
          name! string
        type string {"enum":["gpg","ssh"]}
    push object # the branch or refspec to push to; where it started from without it
      branch string
      options {string}
      refspec string
  interval! string duration # how often it is looked for differences, at least; a new choice is committed at once
  policySelector object {"x-kubernetes-map-type":"atomic"} # which ImagePolicies of this namespace count; all without it
    matchExpressions [object] {"x-kubernetes-list-type":"atomic"}
      key! string
      operator! string
      values [string] {"x-kubernetes-list-type":"atomic"}
    matchLabels {string}
  sourceRef! object # the GitRepository that is written to
    apiVersion string
    kind! string {"default":"GitRepository","enum":["GitRepository"]}
    name! string
    namespace string
  suspend boolean # true stops new work on this object; what was done stays
  update object {"default":{"strategy":"Setters"}} # which files are looked at
    path string # the folder whose files are changed; all without it
    strategy string {"default":"Setters","enum":["Setters"]} # Setters: values behind which a comment names a policy
  checkout object # of old versions: use git.checkout
    branch string
    gitRepositoryRef object
      name! string
  commit object # of old versions: use git.commit
    authorEmail string
    authorName string
    messageTemplate string
    signingKey object
      secretRef object
        name! string
  push object # of old versions: use git.push
    branch string
status object {"default":{"observedGeneration":-1}} # what is so
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
