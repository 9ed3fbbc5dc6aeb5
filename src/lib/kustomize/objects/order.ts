import type { Gvk, ResId } from './ids.ts'
import { currentId, type Resource } from './resource.ts'

/** The kinds that come first and last. */
export type LegacyOrder = { readonly first: readonly string[]; readonly last: readonly string[] }

const LEGACY_ORDER: LegacyOrder = {
  first: [
    'Namespace',
    'ResourceQuota',
    'StorageClass',
    'CustomResourceDefinition',
    'ServiceAccount',
    'PodSecurityPolicy',
    'Role',
    'ClusterRole',
    'RoleBinding',
    'ClusterRoleBinding',
    'ConfigMap',
    'Secret',
    'Endpoints',
    'Service',
    'LimitRange',
    'PriorityClass',
    'PersistentVolume',
    'PersistentVolumeClaim',
    'Deployment',
    'StatefulSet',
    'CronJob',
    'PodDisruptionBudget',
  ],
  last: ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'],
}

type Keyed = {
  readonly resource: Resource
  readonly rank: number
  readonly gvk: string
  readonly id: ResId
  readonly text: string
}

/** Kustomize's legacy order: by rank of the kind, then group, version, kind, then namespace and name. */
export function sortLegacy(resources: readonly Resource[], order: LegacyOrder = LEGACY_ORDER): Resource[] {
  const rank = new Map<string, number>()
  order.first.forEach((kind, index) => rank.set(kind, index - order.first.length))
  order.last.forEach((kind, index) => rank.set(kind, index + 1))
  const keyed = resources.map((resource): Keyed => {
    const id = currentId(resource)
    const gvk = gvkText(id)
    return { resource, rank: rank.get(id.kind) ?? 0, gvk, id, text: sortText(id) }
  })
  return keyed.sort(compare).map((one) => one.resource)
}

function sortText(id: ResId): string {
  return `${id.kind || '[noKind]'}.${id.version || '[noVer]'}.${id.group || '[noGrp]'}|${id.namespace || '~X'}|${id.name || '~N'}`
}

function compare(a: Keyed, b: Keyed): number {
  if (a.rank !== b.rank) return a.rank - b.rank
  if (a.gvk !== b.gvk) {
    const isBare = a.id.kind === 'Namespace' && b.id.kind === 'Namespace' && (a.id.group === '' || b.id.group === '')
    const byText = a.gvk < b.gvk ? -1 : 1
    return isBare ? -byText : byText
  }
  return a.text < b.text ? -1 : a.text > b.text ? 1 : 0
}

const RANK = new Map<string, number>([
  ...LEGACY_ORDER.first.map((kind, index): [string, number] => [kind, index - LEGACY_ORDER.first.length]),
  ...LEGACY_ORDER.last.map((kind, index): [string, number] => [kind, index + 1]),
])

/** The order in which kustomize keeps its configuration. */
export function compareGvk(a: Gvk, b: Gvk): number {
  const byRank = (RANK.get(a.kind) ?? 0) - (RANK.get(b.kind) ?? 0)
  if (byRank !== 0) return byRank
  const [x, y] = [gvkText(a), gvkText(b)]
  return x < y ? -1 : x > y ? 1 : 0
}

function gvkText({ group, version, kind }: Gvk): string {
  return `${group || '~G'}_${version || '~V'}_${kind || '~K'}`
}
