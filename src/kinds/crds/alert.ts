import type { KindTable } from './table.ts'

/** What a Alert may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const alertTable: KindTable = {
  group: 'notification.toolkit.fluxcd.io',
  kind: 'Alert',
  plural: 'alerts',
  shortNames: [],
  categories: ['all', 'fluxcd', 'fluxcd-notifications'],
  versions: ['v1beta1', 'v1beta2', 'v1beta3'],
  columns: ['Age date .metadata.creationTimestamp'],
  hasStatus: false,
  fields: String.raw`
spec object
  eventMetadata {string}
  eventSeverity string {"default":"info","enum":["info","error"]}
  eventSources! [object]
    apiVersion string
    kind! string {"enum":["Bucket","GitRepository","Kustomization","HelmRelease","HelmChart","HelmRepository","ImageRepository","ImagePolicy","ImageUpdateAutomation","OCIRepository","ArtifactGenerator","ExternalArtifact"]}
    matchLabels {string}
    name! string {"maxLength":253,"minLength":1}
    namespace string {"maxLength":253,"minLength":1}
  exclusionList [string]
  inclusionList [string]
  providerRef! object
    name! string
  summary string {"maxLength":255}
  suspend boolean
status object
  conditions @conditions
  lastHandledReconcileAt string
  observedGeneration integer {"format":"int64"}
`,
}
