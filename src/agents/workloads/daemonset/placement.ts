import { fitsLabels, hasUntolerated } from '../fitting.ts'
import { REVISION_HASH } from '../history/revision.ts'
import { controlledBy } from '../meta.ts'
import type { Node, Pod, PodSpec, Toleration } from '../shapes.ts'
import type { DaemonSet } from './shapes.ts'

const GENERATION = 'pod-template-generation'
const GENERATION_OF_SET = 'deprecated.daemonset.template.generation'
const NODE_NAME = 'metadata.name'

/** Taints that a daemon's pod bears: it is to run where others are sent away. */
const BORNE: readonly (readonly [key: string, effect: string])[] = [
  ['not-ready', 'NoExecute'],
  ['unreachable', 'NoExecute'],
  ['disk-pressure', 'NoSchedule'],
  ['memory-pressure', 'NoSchedule'],
  ['pid-pressure', 'NoSchedule'],
  ['unschedulable', 'NoSchedule'],
]

/** Whether a daemon's pod is to start on a node, and whether one that is there may stay. */
export type Verdict = { readonly shouldRun: boolean; readonly mayStay: boolean }

/** Judges a node by the template's node name, selector, affinity and tolerations. */
export function judge(set: DaemonSet, node: Node): Verdict {
  const { spec } = set.spec.template
  const isNamed = !spec.nodeName || spec.nodeName === node.metadata.name
  if (!isNamed || !fitsLabels(spec, node)) return { shouldRun: false, mayStay: false }
  const tolerations = daemonTolerations(spec)
  return {
    shouldRun: !hasUntolerated(node, tolerations, ['NoSchedule', 'NoExecute']),
    mayStay: !hasUntolerated(node, tolerations, ['NoExecute']),
  }
}

/** The node that a daemon's pod is on or meant for. */
export function nodeOf({ spec }: Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const wishes = (required?.nodeSelectorTerms ?? []).flatMap(({ matchFields = [] }) => matchFields)
  const values = wishes.find(({ key, operator }) => key === NODE_NAME && operator === 'In')?.values ?? []
  return values.length === 1 ? values[0] : undefined
}

/** The pod for a node, of the present template; the scheduler binds it. */
export function buildPod(set: DaemonSet, hash: string, nodeName: string): Pod {
  const { metadata, spec } = set.spec.template
  const generation = generationOf(set)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: '',
      generateName: `${set.metadata.name}-`,
      namespace: set.metadata.namespace ?? '',
      labels: {
        ...metadata?.labels,
        ...(generation !== undefined && { [GENERATION]: generation }),
        [REVISION_HASH]: hash,
      },
      ...(metadata?.annotations && { annotations: metadata.annotations }),
      ...(metadata?.finalizers && { finalizers: metadata.finalizers }),
      ownerReferences: [controlledBy(set)],
    },
    spec: { ...spec, tolerations: daemonTolerations(spec), affinity: affinityTo(spec, nodeName) },
  }
}

/** Whether a pod is of the present template. */
export function isUpdated(set: DaemonSet, pod: Pod, hash: string): boolean {
  const { labels } = pod.metadata
  const generation = generationOf(set)
  return labels?.[REVISION_HASH] === hash || (generation !== undefined && labels?.[GENERATION] === generation)
}

/** A required affinity to that node in the place of the template's; preferences stay. */
function affinityTo({ affinity }: PodSpec, nodeName: string): NonNullable<PodSpec['affinity']> {
  const matchFields = [{ key: NODE_NAME, operator: 'In', values: [nodeName] }]
  const requiredDuringSchedulingIgnoredDuringExecution = { nodeSelectorTerms: [{ matchFields }] }
  return { ...affinity, nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution } }
}

/** The template's tolerations and those of every daemon; one of the template for the same key and effect is replaced. */
function daemonTolerations(spec: PodSpec): readonly Toleration[] {
  const borne = spec.hostNetwork ? [...BORNE, ['network-unavailable', 'NoSchedule'] as const] : BORNE
  const tolerations: Toleration[] = [...(spec.tolerations ?? [])]
  for (const [name, effect] of borne) {
    const toleration: Toleration = { key: `node.kubernetes.io/${name}`, operator: 'Exists', effect }
    const at = tolerations.findIndex((known) => isAlike(known, toleration))
    if (at < 0) tolerations.push(toleration)
    else tolerations[at] = toleration
  }
  return tolerations
}

/** Whether two tolerations are for the same taints: of the same key, effect, operator and value. */
function isAlike(a: Toleration, b: Toleration): boolean {
  return (
    a.key === b.key &&
    a.effect === b.effect &&
    (a.operator ?? 'Equal') === (b.operator ?? 'Equal') &&
    (a.value ?? '') === (b.value ?? '')
  )
}

function generationOf(set: DaemonSet): string | undefined {
  const text = set.metadata.annotations?.[GENERATION_OF_SET]
  return text !== undefined && /^-?\d+$/.test(text) ? String(Number(text)) : undefined
}
