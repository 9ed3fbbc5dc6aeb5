import { byCreation, controlledBy, isSame } from '../meta.ts'
import type { Deployment, PodTemplate, ReplicaSet } from '../shapes.ts'
import { maxSurge } from './scaling.ts'

/** Annotations by which Deployment and ReplicaSets keep their history; kubectl rollout reads them. */
export const REVISION = 'deployment.kubernetes.io/revision'
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history'
const DESIRED = 'deployment.kubernetes.io/desired-replicas'
const MAX = 'deployment.kubernetes.io/max-replicas'
/** The label that tells a Deployment's ReplicaSets apart. */
const POD_TEMPLATE_HASH = 'pod-template-hash'

const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  REVISION,
  REVISION_HISTORY,
  DESIRED,
  MAX,
])
const MOST_HISTORY_CHARACTERS = 2000

/** The ReplicaSet of the present template (the oldest, if there are several), and the others, oldest first. */
export function splitReplicaSets(
  deployment: Deployment,
  all: readonly ReplicaSet[],
): { readonly current: ReplicaSet | undefined; readonly old: readonly ReplicaSet[] } {
  const sorted = [...all].sort(byCreation)
  const current = sorted.find((set) => isSameTemplate(set.spec.template, deployment.spec.template))
  return { current, old: sorted.filter((set) => set !== current) }
}

/** Whether two templates are equal, but for the hash label. */
export function isSameTemplate(a: PodTemplate, b: PodTemplate): boolean {
  return isSame(withoutHash(a), withoutHash(b))
}

/** The number of a ReplicaSet's or Deployment's revision; 0 when it has none. It may be larger than a double holds. */
export function revisionOf(object: ReplicaSet | Deployment): bigint {
  const text = object.metadata.annotations?.[REVISION] ?? ''
  return /^-?\d{1,19}$/.test(text) ? BigInt(text) : 0n
}

/** The replicas that the Deployment wanted when it last scaled this ReplicaSet. */
export function desiredAnnotation(set: ReplicaSet): number | undefined {
  return numberIn(set.metadata.annotations?.[DESIRED])
}

/** The most replicas that the Deployment allowed when it last scaled this ReplicaSet. */
export function maxAnnotation(set: ReplicaSet): number | undefined {
  return numberIn(set.metadata.annotations?.[MAX])
}

/** A ReplicaSet for the Deployment's present template. */
export function buildReplicaSet(
  deployment: Deployment,
  hash: string,
  replicas: number,
  old: readonly ReplicaSet[],
): ReplicaSet {
  const { selector, template, minReadySeconds } = deployment.spec
  const labels = { ...template.metadata?.labels, [POD_TEMPLATE_HASH]: hash }
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace ?? '',
      labels,
      annotations: {
        ...copiedAnnotations(deployment),
        [REVISION]: String(nextRevision(old)),
        ...replicasAnnotations(deployment),
      },
      ownerReferences: [controlledBy(deployment)],
    },
    spec: {
      replicas,
      ...(minReadySeconds !== undefined && minReadySeconds > 0 && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [POD_TEMPLATE_HASH]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  }
}

/** The ReplicaSet of the present template as it ought to be annotated; the same object when it already is. */
export function refreshedReplicaSet(
  deployment: Deployment,
  current: ReplicaSet,
  old: readonly ReplicaSet[],
): ReplicaSet {
  const before = current.metadata.annotations ?? {}
  const annotations = { ...before, ...copiedAnnotations(deployment), ...raisedRevision(current, nextRevision(old)) }
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0
  const isRipe = (current.spec.minReadySeconds ?? 0) === minReadySeconds
  if (isRipe && isSame(before, annotations)) return current
  return {
    ...current,
    metadata: { ...current.metadata, annotations },
    spec: { ...current.spec, minReadySeconds },
  }
}

/** The ReplicaSet with another size and what the Deployment wants noted on it; the same object when nothing changes. */
export function resizedReplicaSet(deployment: Deployment, set: ReplicaSet, replicas: number): ReplicaSet {
  const annotations = { ...set.metadata.annotations, ...replicasAnnotations(deployment) }
  if ((set.spec.replicas ?? 1) === replicas && isSame(annotations, set.metadata.annotations)) return set
  return { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas } }
}

function replicasAnnotations(deployment: Deployment): Record<string, string> {
  const replicas = deployment.spec.replicas ?? 1
  return { [DESIRED]: String(replicas), [MAX]: String(replicas + maxSurge(deployment)) }
}

function raisedRevision(current: ReplicaSet, next: bigint): Record<string, string> {
  const before = current.metadata.annotations?.[REVISION]
  if (revisionOf(current) >= next) return {}
  const raised = { [REVISION]: String(next) }
  if (before === undefined) return raised
  const known = current.metadata.annotations?.[REVISION_HISTORY]
  const history = (known ? known.split(',') : []).concat(before)
  while (history.join(',').length > MOST_HISTORY_CHARACTERS) history.shift()
  return { ...raised, [REVISION_HISTORY]: history.join(',') }
}

function nextRevision(old: readonly ReplicaSet[]): bigint {
  return old.map(revisionOf).reduce((most, each) => (each > most ? each : most), 0n) + 1n
}

/** The annotations that a Deployment and its ReplicaSets have in common. */
export function copiedAnnotations({ metadata }: Deployment | ReplicaSet): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([key]) => !NOT_COPIED.has(key)))
}

/** The annotations that each of them has for itself. */
export function ownAnnotations({ metadata }: Deployment | ReplicaSet): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([key]) => NOT_COPIED.has(key)))
}

/** The template of a ReplicaSet as the Deployment had it. */
export function templateOf({ spec: { template } }: ReplicaSet): PodTemplate {
  const { [POD_TEMPLATE_HASH]: _hash, ...labels } = { ...template.metadata?.labels }
  return { ...template, metadata: { ...template.metadata, labels } }
}

function withoutHash(template: PodTemplate): PodTemplate {
  const { [POD_TEMPLATE_HASH]: _hash, ...labels } = { ...template.metadata?.labels }
  const { creationTimestamp: _time, ...metadata } = { ...template.metadata }
  return { ...template, metadata: { ...metadata, labels } }
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}
