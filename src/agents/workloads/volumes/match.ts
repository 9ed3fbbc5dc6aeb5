import { matchesSelector } from '../../../lib/kube/label-selector.ts'
import { isQuantityError, parseQuantity } from '../../../lib/kube/quantity.ts'
import { fitsTerms } from '../fitting.ts'
import type { ResourceList } from '../../../lib/kube/container.ts'
import type { Node } from '../shapes.ts'
import { type Claim, classOf, type Volume } from './shapes.ts'

/** Whether the volume names this claim: by uid too, once it has one. */
export function isFor({ spec }: Volume, { metadata }: Claim): boolean {
  const { claimRef } = spec
  if (claimRef?.name !== metadata.name || claimRef.namespace !== metadata.namespace) return false
  return (claimRef.uid ?? '') === '' || claimRef.uid === metadata.uid
}

/**
 * The volume that suits a claim, wherever its pods will run: among those with the fewest modes of access the one that is reserved for it, else the
 * smallest that is free.
 *
 * @param isDelayed only a reserved one: others are chosen with the pod's node
 * @see k8s.io/kubernetes/pkg/controller/volume/persistentvolume findByClaim
 */
export function findVolume(volumes: readonly Volume[], claim: Claim, isDelayed: boolean): Volume | undefined {
  const suiting = volumes.filter((volume) => canHold(volume, claim) && hasAllModes(volume, claim))
  const modesOf = ({ spec }: Volume): number => new Set(spec.accessModes).size
  const counts = [...new Set(suiting.map(modesOf))].sort((a, b) => a - b)
  for (const count of counts) {
    const group = suiting.filter((volume) => modesOf(volume) === count)
    const found =
      group.find((volume) => isFor(volume, claim)) ??
      (isDelayed ? undefined : smallest(group.filter((volume) => isFree(volume, claim))))
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * The volume for a claim whose pod runs on a node: the one that is reserved for it, if it can be reached from there, else the smallest that is free.
 *
 * @see k8s.io/component-helpers/storage/volume FindMatchingVolume
 */
export function findVolumeOn(volumes: readonly Volume[], claim: Claim, node: Node): Volume | undefined {
  const suiting = volumes.filter((volume) => classOf(volume) === classOf(claim) && canHold(volume, claim))
  const reserved = suiting.find((volume) => isFor(volume, claim))
  if (reserved !== undefined) return isReachable(reserved, node) ? reserved : undefined
  return smallest(
    suiting.filter((volume) => isFree(volume, claim) && hasAllModes(volume, claim) && isReachable(volume, node)),
  )
}

function smallest(volumes: readonly Volume[]): Volume | undefined {
  const size = ({ spec }: Volume): bigint => sizeOf(spec.capacity)
  return volumes.reduce<Volume | undefined>(
    (least, volume) => (least === undefined || size(volume) < size(least) ? volume : least),
    undefined,
  )
}

function isFree(volume: Volume, claim: Claim): boolean {
  return (
    volume.spec.claimRef === undefined &&
    volume.status?.phase === 'Available' &&
    classOf(volume) === classOf(claim) &&
    (claim.spec.selector === undefined || matchesSelector(claim.spec.selector, volume.metadata.labels))
  )
}

/** Whether the volume is there, of the claim's kind and large enough, and nobody else's. */
function canHold(volume: Volume, claim: Claim): boolean {
  return (
    volume.metadata.deletionTimestamp === undefined &&
    (volume.spec.claimRef === undefined || isFor(volume, claim)) &&
    modeOf(volume) === modeOf(claim) &&
    hasSameAttributes(volume, claim) &&
    isLargeEnough(volume, claim)
  )
}

/** What keeps the volume from holding what the claim asks for, in the words of Kubernetes' own controller; undefined when nothing does. */
export function mismatchOf(volume: Volume, claim: Claim): string | undefined {
  if (volume.metadata.deletionTimestamp !== undefined)
    return `the volume is marked for deletion ${JSON.stringify(volume.metadata.name)}`
  if (!isLargeEnough(volume, claim)) return 'requested PV is too small'
  if (classOf(volume) !== classOf(claim)) return 'storageClassName does not match'
  if (!hasSameAttributes(volume, claim)) return 'volumeAttributesClassName does not match'
  if (modeOf(volume) !== modeOf(claim)) return 'incompatible volumeMode'
  if (!hasAllModes(volume, claim)) return 'incompatible accessMode'
  return undefined
}

/** Whether the volume can be reached from the node. */
export function isReachable({ spec }: Volume, node: Node): boolean {
  const terms = spec.nodeAffinity?.required?.nodeSelectorTerms
  return terms === undefined || fitsTerms(terms, node)
}

/** Which of the two ways a volume is used, and a claim wants to use one. */
export const modeOf = ({ spec }: Volume | Claim): string => spec.volumeMode ?? 'Filesystem'

const hasSameAttributes = (volume: Volume, claim: Claim): boolean =>
  (volume.spec.volumeAttributesClassName ?? '') === (claim.spec.volumeAttributesClassName ?? '')

const hasAllModes = (volume: Volume, claim: Claim): boolean =>
  (claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode))

const isLargeEnough = (volume: Volume, claim: Claim): boolean =>
  sizeOf(volume.spec.capacity) >= sizeOf(claim.spec.resources?.requests)

/** How much storage it is; 0 when it does not say. */
export function sizeOf(amounts: ResourceList | undefined): bigint {
  const quantity = parseQuantity(amounts?.['storage'] ?? 0)
  return isQuantityError(quantity) ? 0n : quantity.nano
}
