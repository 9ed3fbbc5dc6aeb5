import type { KindTable } from './table.ts'

/** What a ExternalArtifact may hold, all versions in one: they differ by fields alone, and objects are never converted. */
export const externalArtifactTable: KindTable = {
  group: 'source.toolkit.fluxcd.io',
  kind: 'ExternalArtifact',
  about: 'an artifact that another controller offers',
  plural: 'externalartifacts',
  shortNames: ['ea'],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  versions: ['v1'],
  columns: [
    'Age date .metadata.creationTimestamp',
    'Ready string .status.conditions[?(@.type=="Ready")].status',
    'Status string .status.conditions[?(@.type=="Ready")].message',
    'Source string .spec.sourceRef.name',
  ],
  hasStatus: true,
  fields: String.raw`
spec object # what is wanted
  sourceRef object # the object that it is made from
    apiVersion string
    kind! string
    name! string
    namespace string
status object # what is so
  artifact @artifact
  conditions @conditions
`,
}
