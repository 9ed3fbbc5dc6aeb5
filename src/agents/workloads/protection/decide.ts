import { type KubeObject, refOf } from '../../../lib/kube/object.ts'
import type { WorkloadDecision } from '../decision.ts'
import { conditionOf, controllerOf, timeText } from '../meta.ts'
import { isStoppedPod } from '../pods.ts'
import { as, type Pod } from '../shapes.ts'
import { type Claim, claimsOfPod } from '../volumes/shapes.ts'
import type { Write } from '../write.ts'

/** What holds storage back while it is used: the finalizer that the API server gives its kind. */
const CLAIM_GUARD = 'kubernetes.io/pvc-protection'
const VOLUME_GUARD = 'kubernetes.io/pv-protection'
const CLASS_GUARD = 'kubernetes.io/vac-protection'

/**
 * Pure. Guards a claim; lets one that is being deleted go once no pod on a node uses it; of a bound one it says since when nobody does.
 *
 * @see k8s.io/kubernetes/pkg/controller/volume/pvcprotection
 */
export function decideClaim(claim: KubeObject, pods: readonly Pod[], nowMs: number): WorkloadDecision {
  if (claim.metadata.deletionTimestamp === undefined)
    return { kind: 'done', status: [...guard(claim, CLAIM_GUARD), ...useOf(as<Claim>(claim), pods, nowMs)] }
  return { kind: 'done', status: letClaimGo(claim, pods) }
}

/** Pure. The write that takes the guard from a claim that is being deleted and that no pod on a node uses; none of another. */
export function letClaimGo(claim: KubeObject, pods: readonly Pod[]): Write[] {
  const isUsed = pods.some((pod) => pod.spec.nodeName && holds(pod, claim))
  return isUsed ? [] : letGo(claim, CLAIM_GUARD)
}

/** A pod that waits only for its own finalizers no longer holds the claim that was made for it: they may wait for the claim. */
function holds(pod: Pod, claim: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
  const isShutDown = deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0
  return claimsOfPod(pod).some(
    ({ name, isOwn }) => name === claim.metadata.name && (!isOwn || (!isShutDown && isMadeFor(pod, claim))),
  )
}

function uses(pod: Pod, claim: KubeObject): boolean {
  return claimsOfPod(pod).some(({ name, isOwn }) => name === claim.metadata.name && (!isOwn || isMadeFor(pod, claim)))
}

const isMadeFor = (pod: Pod, claim: KubeObject): boolean => controllerOf(claim)?.uid === pod.metadata.uid

function useOf(claim: Claim, pods: readonly Pod[], nowMs: number): Write[] {
  const { status, metadata } = claim
  if (status?.phase !== 'Bound') return []
  const isUsed = pods.some((pod) => !isStoppedPod(pod) && uses(pod, claim))
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

/** Pure. Guards a volume; lets one that is being deleted go once no claim is bound to it. */
export function decideVolume(volume: KubeObject): WorkloadDecision {
  const { phase } = (volume as KubeObject & { readonly status?: { readonly phase?: string } }).status ?? {}
  const status = [...guard(volume, VOLUME_GUARD), ...(phase === 'Bound' ? [] : letGo(volume, VOLUME_GUARD))]
  return { kind: 'done', status }
}

/** Pure. Guards a class of attributes; lets one that is being deleted go once no claim and no volume names it. */
export function decideClass(named: KubeObject, users: readonly KubeObject[]): WorkloadDecision {
  const { name } = named.metadata
  const isUsed = users.some((user) => {
    const { spec, status } = as<Claim>(user)
    return spec.volumeAttributesClassName === name || status?.currentVolumeAttributesClassName === name
  })
  return { kind: 'done', status: [...guard(named, CLASS_GUARD), ...(isUsed ? [] : letGo(named, CLASS_GUARD))] }
}

/** Gives the guard back to what is to stay and lost it, or came without it. */
function guard(object: KubeObject, finalizer: string): Write[] {
  const { deletionTimestamp, finalizers = [] } = object.metadata
  const isGuarded = deletionTimestamp !== undefined || finalizers.includes(finalizer)
  return isGuarded ? [] : [withFinalizers(object, [...finalizers, finalizer])]
}

function letGo(object: KubeObject, finalizer: string): Write[] {
  const { deletionTimestamp, finalizers = [] } = object.metadata
  if (deletionTimestamp === undefined || !finalizers.includes(finalizer)) return []
  return [
    withFinalizers(
      object,
      finalizers.filter((each) => each !== finalizer),
    ),
  ]
}

const withFinalizers = (object: KubeObject, finalizers: readonly string[]): Write => ({
  do: 'replace',
  object: { ...object, metadata: { ...object.metadata, finalizers } },
})
