import type { KindTable } from './table.ts'

const COLUMNS = [
  'Age date .metadata.creationTimestamp',
  'Ready string .status.conditions[?(@.type=="Ready")].status',
  'Status string .status.conditions[?(@.type=="Ready")].message',
]
const FIELDS = `
spec object # what is wanted
status object # what is so
`
const ABOUT = 'an object of Helm, for which nothing is done yet'

/**
 * Flux's Helm kinds, as far as their objects can be taken and told that nothing is done for them: a repository that holds some can be applied.
 *
 * Installed only where no other definition is: a helm-controller may be at work.
 */
export const HELM_KINDS: readonly KindTable[] = [
  helmKind(
    'source.toolkit.fluxcd.io',
    'HelmRepository',
    'helmrepositories',
    ['v1beta1', 'v1beta2', 'v1'],
    ['helmrepo'],
  ),
  helmKind('source.toolkit.fluxcd.io', 'HelmChart', 'helmcharts', ['v1beta1', 'v1beta2', 'v1'], ['hc']),
  helmKind('helm.toolkit.fluxcd.io', 'HelmRelease', 'helmreleases', ['v2beta1', 'v2beta2', 'v2'], ['hr']),
]

function helmKind(
  group: string,
  kind: string,
  plural: string,
  versions: readonly string[],
  shortNames: readonly string[],
): KindTable {
  const categories = ['all', 'fluxcd']
  return {
    group,
    kind,
    about: ABOUT,
    plural,
    shortNames,
    categories,
    versions,
    columns: COLUMNS,
    hasStatus: true,
    fields: FIELDS,
  }
}
