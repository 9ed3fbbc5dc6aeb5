import { type KubeObject, refOf } from '../../../lib/kube/object.ts'
import type { WorkloadDecision } from '../decision.ts'
import { conditionOf, timeText } from '../meta.ts'
import { isFinishedPod } from '../pods.ts'
import { as, type Pod } from '../shapes.ts'
import { type Claim, usesClaim } from '../volumes/shapes.ts'
import type { Write } from '../write.ts'

/** What holds storage back while it is used: the finalizer that the API server gives its kind. */
const CLAIM_GUARD = 'kubernetes.io/pvc-protection'
const VOLUME_GUARD = 'kubernetes.io/pv-protection'
const CLASS_GUARD = 'kubernetes.io/vac-protection'

/** Pure. Lets a claim that is being deleted go once no pod on a node uses it; of a bound one it says since when nobody does. */
export function decideClaim(claim: KubeObject, pods: readonly Pod[], nowMs: number): WorkloadDecision {
  if (claim.metadata.deletionTimestamp === undefined)
    return { kind: 'done', status: useOf(as<Claim>(claim), pods, nowMs) }
  const isUsed = pods.some((pod) => pod.spec.nodeName && usesClaim(pod, claim.metadata.name))
  return isUsed ? { kind: 'done', status: [] } : letGo(claim, CLAIM_GUARD)
}

function useOf(claim: Claim, pods: readonly Pod[], nowMs: number): Write[] {
  const { status, metadata } = claim
  if (status?.phase !== 'Bound') return []
  const isUsed = pods.some((pod) => !isFinishedPod(pod) && usesClaim(pod, metadata.name))
  const before = conditionOf(status.conditions, 'Unused')
  if (before !== undefined && (before.status === 'True') === !isUsed) return []
  const condition = {
    type: 'Unused',
    status: isUsed ? 'False' : 'True',
    lastProbeTime: null,
    lastTransitionTime: timeText(nowMs),
    reason: isUsed ? 'PodUsingPVC' : 'NoPodsUsingPVC',
    message: isUsed ? 'A pod is currently referencing this PVC' : 'No pods are currently referencing this PVC',
  }
  const conditions = [...(status.conditions ?? []).filter(({ type }) => type !== 'Unused'), condition]
  const body = { metadata: { uid: metadata.uid }, status: { conditions } }
  return [{ do: 'patch', ref: refOf(claim), type: 'merge', body, subresource: 'status' }]
}

/** Pure. Lets a volume that is being deleted go once no claim is bound to it. */
export function decideVolume(volume: KubeObject): WorkloadDecision {
  const { phase } = (volume as KubeObject & { readonly status?: { readonly phase?: string } }).status ?? {}
  return phase === 'Bound' ? { kind: 'done', status: [] } : letGo(volume, VOLUME_GUARD)
}

/** Pure. Lets a class of attributes that is being deleted go once no claim and no volume names it. */
export function decideClass(named: KubeObject, users: readonly KubeObject[]): WorkloadDecision {
  const { name } = named.metadata
  const isUsed = users.some((user) => {
    const { spec, status } = as<Claim>(user)
    return spec.volumeAttributesClassName === name || status?.currentVolumeAttributesClassName === name
  })
  return isUsed ? { kind: 'done', status: [] } : letGo(named, CLASS_GUARD)
}

function letGo(object: KubeObject, guard: string): WorkloadDecision {
  const { metadata } = object
  const finalizers = metadata.finalizers ?? []
  if (metadata.deletionTimestamp === undefined || !finalizers.includes(guard)) return { kind: 'done', status: [] }
  const rest = finalizers.filter((finalizer) => finalizer !== guard)
  return {
    kind: 'done',
    status: [{ do: 'replace', object: { ...object, metadata: { ...metadata, finalizers: rest } } }],
  }
}
