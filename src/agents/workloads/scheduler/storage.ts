import { controllerOf } from '../meta.ts'
import type { Node, Pod } from '../shapes.ts'
import { reservation } from '../volumes/bind.ts'
import { findVolumeOn, isReachable } from '../volumes/match.ts'
import {
  BIND_COMPLETED,
  type Claim,
  claimsOfPod,
  classOf,
  isDelayed,
  type NamedClaim,
  SELECTED_NODE,
  type Storage,
  type Volume,
} from '../volumes/shapes.ts'
import type { Obstacle, Room } from './cluster.ts'

/** What keeps the pod from every node: a claim of it that is not there, or not bound though it ought to be. */
export function claimProblem(pod: Pod, storage: Storage): string | undefined {
  const namespace = pod.metadata.namespace ?? ''
  for (const named of claimsOfPod(pod)) {
    const problem = problemOf(pod, named, storage.claim(namespace, named.name))
    if (problem !== undefined) return problem
  }
  const claims = claimsFor(pod, storage)
  const isWaiting = (claim: Claim): boolean => !isBound(claim) && !isLater(claim, storage)
  return claims.some(isWaiting) ? 'pod has unbound immediate PersistentVolumeClaims' : undefined
}

function problemOf(pod: Pod, { name, isOwn }: NamedClaim, claim: Claim | undefined): string | undefined {
  const quoted = `persistentvolumeclaim ${JSON.stringify(name)}`
  if (claim === undefined)
    return isOwn ? `waiting for ephemeral volume controller to create the ${quoted}` : `${quoted} not found`
  if (claim.status?.phase === 'Lost')
    return `${quoted} bound to non-existent persistentvolume ${JSON.stringify(claim.spec.volumeName ?? '')}`
  if (claim.metadata.deletionTimestamp !== undefined) return `${quoted} is being deleted`
  if (!isOwn || controllerOf(claim)?.uid === pod.metadata.uid) return undefined
  const { namespace } = pod.metadata
  return `PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`
}

/** The claims whose volume is chosen with the pod's node, as long as they have none. */
export function claimsForNode(pod: Pod, storage: Storage): Claim[] {
  return claimsFor(pod, storage).filter((claim) => !isBound(claim) && isLater(claim, storage))
}

/** Whether the node that the claim waits for is chosen. */
export const hasNode = ({ metadata }: Claim): boolean => metadata.annotations?.[SELECTED_NODE] !== undefined

/** A merge patch for a volume or a claim. */
export type ClaimChange = { readonly object: Volume | Claim; readonly body: object }

/** What makes volumes come to claims on a node: those that are there are reserved, for the others somebody is asked. */
export function changesFor(claims: readonly Claim[], node: Node, storage: Storage): ClaimChange[] {
  const taken = new Set<string>()
  return claims.flatMap((claim): ClaimChange[] => {
    const left = storage.volumes().filter(({ metadata }) => !taken.has(metadata.name))
    const volume = findVolumeOn(left, claim, node)
    if (volume === undefined) return hasNode(claim) ? [] : [{ object: claim, body: told(claim, node) }]
    taken.add(volume.metadata.name)
    return volume.spec.claimRef?.uid === claim.metadata.uid
      ? []
      : [{ object: volume, body: reservation(volume, claim) }]
  })
}

const told = ({ metadata: { uid } }: Claim, { metadata: { name } }: Node): object => ({
  metadata: { uid, annotations: { [SELECTED_NODE]: name } },
})

/** What keeps the pod from a node: volumes that cannot be reached from it, or that nobody could make there. */
export function storageObstacle(pod: Pod, { node }: Room, storage: Storage): Obstacle | undefined {
  const claims = claimsFor(pod, storage)
  if (claims.length === 0) return undefined
  for (const claim of claims.filter(isBound)) {
    const volume = storage.volume(claim.spec.volumeName ?? '')
    if (volume === undefined)
      return forGood('node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)')
    if (!isReachable(volume, node)) return forGood("node(s) didn't match PersistentVolume's node affinity")
  }
  const canHave = (claim: Claim): boolean =>
    findVolumeOn(storage.volumes(), claim, node) !== undefined || canMake(claim, storage)
  return claimsForNode(pod, storage).every(canHave)
    ? undefined
    : forGood("node(s) didn't find available persistent volumes to bind")
}

const forGood = (reason: string): Obstacle => ({ reasons: [reason], isForGood: true })

function canMake(claim: Claim, storage: Storage): boolean {
  const { provisioner } = storage.storageClass(classOf(claim)) ?? {}
  return provisioner !== undefined && provisioner !== 'kubernetes.io/no-provisioner'
}

const isBound = ({ metadata, spec }: Claim): boolean =>
  (spec.volumeName ?? '') !== '' && metadata.annotations?.[BIND_COMPLETED] !== undefined

function isLater(claim: Claim, storage: Storage): boolean {
  if ((claim.spec.volumeName ?? '') !== '') return hasNode(claim)
  return hasNode(claim) || isDelayed(storage.storageClass(classOf(claim)))
}

function claimsFor(pod: Pod, storage: Storage): Claim[] {
  const { namespace = '' } = pod.metadata
  return claimsOfPod(pod).flatMap(({ name }) => storage.claim(namespace, name) ?? [])
}
