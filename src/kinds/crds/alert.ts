import type { KindTable } from './table.ts'

/** What a Alert may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const alertTable: KindTable = {
  group: 'notification.toolkit.fluxcd.io',
  kind: 'Alert',
  about: 'which events are sent to a Provider',
  plural: 'alerts',
  shortNames: [],
  categories: ['all', 'fluxcd', 'fluxcd-notifications'],
  versions: ['v1beta1', 'v1beta2', 'v1beta3'],
  columns: ['Age date .metadata.creationTimestamp'],
  hasStatus: false,
  fields: String.raw`
spec object # what is wanted
  eventMetadata {string} # values that are added to every notification
  eventSeverity string {"default":"info","enum":["info","error"]} # info: all events; error: failures alone
  eventSources! [object] # objects whose events are wanted
    apiVersion string
    kind! string {"enum":["Bucket","GitRepository","Kustomization","HelmRelease","HelmChart","HelmRepository","ImageRepository","ImagePolicy","ImageUpdateAutomation","OCIRepository","ArtifactGenerator","ExternalArtifact"]}
    matchLabels {string} # labels of the objects, with name *
    name! string {"maxLength":253,"minLength":1} # name of the object; * for all
    namespace string {"maxLength":253,"minLength":1}
  exclusionList [string] # regular expressions of messages that are not sent
  inclusionList [string] # regular expressions of messages that are sent; all without it
  providerRef! object # the Provider, in this namespace
    name! string
  summary string {"maxLength":255} # a word on the impact, in every notification; use eventMetadata
  suspend boolean # true sends nothing
status object # what is so
  conditions @conditions
  lastHandledReconcileAt string
  observedGeneration integer {"format":"int64"}
`,
}
