import { groupOf, type KubeObject, type ObjectRef } from '../../lib/kube/object.ts'

/** Kinds that others need, in the order they are applied. */
const FIRST = [
  ...['CustomResourceDefinition', 'Namespace', 'ClusterRole', 'ClusterClass', 'RuntimeClass', 'PriorityClass'],
  ...['StorageClass', 'VolumeSnapshotClass', 'IngressClass', 'GatewayClass', 'ClusterRoleBinding', 'ResourceQuota'],
  ...['ServiceAccount', 'Role', 'RoleBinding', 'ConfigMap', 'Secret', 'Service', 'LimitRange', 'Deployment'],
  ...['StatefulSet', 'CronJob', 'PodDisruptionBudget'],
]

/** Kinds that would stop the others, last. */
const LAST = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']

/** The order in which Flux applies objects: by kind, then group, kind, namespace, name. Deletion is the exact reverse. */
export function compareForApply(a: ObjectRef, b: ObjectRef): number {
  return (
    rankOf(a.kind) - rankOf(b.kind) ||
    compareText(groupOf(a.apiVersion), groupOf(b.apiVersion)) ||
    compareText(a.kind, b.kind) ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.name, b.name)
  )
}

/** The stages of an apply: what defines others (then wait until ready), classes (wait), kinds that the flag names (wait), the rest. Nothing of a stage is applied when one of it is refused. */
export const STAGES = ['definitions', 'classes', 'custom', 'rest'] as const

/** One stage. */
export type Stage = (typeof STAGES)[number]

/** The kinds that `--custom-apply-stage-kinds` names, as `group/Kind`; `/Kind` for those without a group. */
export type StageKinds = ReadonlySet<string>

/** Reads `rbac.authorization.k8s.io/Role,Secret`; undefined when an entry is empty. */
export function parseStageKinds(text: string): StageKinds | undefined {
  if (text.trim() === '') return new Set()
  const words = text.split(',').map((word) => word.trim())
  if (words.some((word) => !/^([\w.-]+\/)?\w+$/.test(word))) return undefined
  return new Set(words.map((word) => (word.includes('/') ? word : `/${word}`)))
}

/** The stage that an object belongs to. */
export function stageOf(
  { apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>,
  custom: StageKinds = new Set(),
): Stage {
  const group = groupOf(apiVersion)
  if (kind === 'CustomResourceDefinition' && group === 'apiextensions.k8s.io') return 'definitions'
  if (kind === 'Namespace' && group === '') return 'definitions'
  if (kind === 'ClusterRole' && group === 'rbac.authorization.k8s.io') return 'definitions'
  if (kind.endsWith('Class')) return 'classes'
  return custom.has(`${group}/${kind}`) ? 'custom' : 'rest'
}

function rankOf(kind: string): number {
  const first = FIRST.indexOf(kind)
  if (first >= 0) return first
  const last = LAST.indexOf(kind)
  return last < 0 ? FIRST.length : FIRST.length + 1 + last
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
