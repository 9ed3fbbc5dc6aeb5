import { REVISION_HASH } from '../history/revision.ts'
import { controlledBy } from '../meta.ts'
import type { Pod, PodSpec, PodTemplate } from '../shapes.ts'
import { firstOrdinal, wantedReplicas, type StatefulSet } from './shapes.ts'

const POD_NAME = 'statefulset.kubernetes.io/pod-name'
const POD_INDEX = 'apps.kubernetes.io/pod-index'
const MOST_ORDINAL = 2 ** 31 - 1

type Volume = { readonly name: string; readonly persistentVolumeClaim?: { readonly claimName: string } }

/** The ordinal of a pod of that StatefulSet; `undefined` when its name is none of the StatefulSet's. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const [, parent, digits] = /^(.*)-([0-9]+)$/.exec(pod.metadata.name) ?? []
  const ordinal = Number(digits)
  return parent === set.metadata.name && ordinal <= MOST_ORDINAL ? ordinal : undefined
}

/** Whether the StatefulSet wants a pod of that ordinal. */
export function isWanted(set: StatefulSet, ordinal: number): boolean {
  return ordinal >= firstOrdinal(set) && ordinal < firstOrdinal(set) + wantedReplicas(set)
}

/** The revision that a pod says it is of. */
export function revisionLabel(pod: Pod): string {
  return pod.metadata.labels?.[REVISION_HASH] ?? ''
}

/** The name of the claim that a pod has for a claim template. */
export function claimName(set: StatefulSet, template: string, ordinal: number): string {
  return `${template}-${set.metadata.name}-${ordinal}`
}

/** The pod of that ordinal, of a template and the revision that keeps it. */
export function buildPod(set: StatefulSet, template: PodTemplate, revision: string, ordinal: number): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  const name = `${set.metadata.name}-${ordinal}`
  const { serviceName = '' } = set.spec
  const spec = { ...template.spec, hostname: name, ...(serviceName !== '' && { subdomain: serviceName }) }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      generateName: `${set.metadata.name}-`,
      namespace: set.metadata.namespace ?? '',
      labels: { ...labels, ...identityLabels(name, ordinal), [REVISION_HASH]: revision },
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
      ownerReferences: [controlledBy(set)],
    },
    spec: withClaims(set, spec, ordinal),
  }
}

/** The pod with the labels and volumes that its ordinal gives it; the same object when it has them. */
export function repairedPod(set: StatefulSet, pod: Pod, ordinal: number): Pod {
  const { name, labels } = pod.metadata
  const isNamed = labels?.[POD_NAME] === name
  const isStored = hasClaims(set, pod, ordinal)
  if (isNamed && isStored) return pod
  return {
    ...pod,
    metadata: { ...pod.metadata, labels: { ...labels, ...identityLabels(name, ordinal) } },
    spec: isStored ? pod.spec : withClaims(set, pod.spec, ordinal),
  }
}

function identityLabels(name: string, ordinal: number): Record<string, string> {
  return { [POD_NAME]: name, [POD_INDEX]: String(ordinal) }
}

function hasClaims(set: StatefulSet, pod: Pod, ordinal: number): boolean {
  const volumes = volumesOf(pod.spec)
  return claimTemplates(set).every((template) =>
    volumes.some(
      ({ name, persistentVolumeClaim }) =>
        name === template && persistentVolumeClaim?.claimName === claimName(set, template, ordinal),
    ),
  )
}

/** Claims come first and take the place of volumes of their names. */
function withClaims(set: StatefulSet, spec: PodSpec, ordinal: number): PodSpec {
  const templates = claimTemplates(set)
  if (templates.length === 0) return spec
  const claims = templates.map((name) => ({
    name,
    persistentVolumeClaim: { claimName: claimName(set, name, ordinal) },
  }))
  return { ...spec, volumes: [...claims, ...volumesOf(spec).filter(({ name }) => !templates.includes(name))] }
}

function claimTemplates(set: StatefulSet): readonly string[] {
  return (set.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name ?? '')
}

function volumesOf(spec: PodSpec): readonly Volume[] {
  return (spec.volumes ?? []) as readonly Volume[]
}
