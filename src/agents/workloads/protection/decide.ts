import type { KubeObject } from '../../../lib/kube/object.ts'
import type { WorkloadDecision } from '../deployment/decide.ts'
import type { Pod } from '../shapes.ts'

/** What holds storage back while it is used: the finalizer that the API server gives its kind. */
const CLAIM_GUARD = 'kubernetes.io/pvc-protection'
const VOLUME_GUARD = 'kubernetes.io/pv-protection'

type Volume = {
  readonly name: string
  readonly persistentVolumeClaim?: { readonly claimName: string }
  readonly ephemeral?: unknown
}

/** Pure. Lets a claim that is being deleted go once no pod on a node uses it. */
export function decideClaim(claim: KubeObject, pods: readonly Pod[]): WorkloadDecision {
  const isUsed = pods.some((pod) => pod.spec.nodeName && claimsOf(pod).includes(claim.metadata.name))
  return isUsed ? { kind: 'done', status: [] } : letGo(claim, CLAIM_GUARD)
}

/** Pure. Lets a volume that is being deleted go once no claim is bound to it. */
export function decideVolume(volume: KubeObject): WorkloadDecision {
  const { phase } = (volume as KubeObject & { readonly status?: { readonly phase?: string } }).status ?? {}
  return phase === 'Bound' ? { kind: 'done', status: [] } : letGo(volume, VOLUME_GUARD)
}

/** The claims that a pod uses, also those made for it alone. */
export function claimsOf({ metadata, spec }: Pod): readonly string[] {
  return ((spec.volumes ?? []) as readonly Volume[]).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return [persistentVolumeClaim.claimName]
    return ephemeral ? [`${metadata.name}-${name}`] : []
  })
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
