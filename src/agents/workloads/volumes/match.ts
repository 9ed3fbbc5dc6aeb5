import { matchesSelector } from '../../../lib/kube/label-selector.ts'
import { isQuantityError, parseQuantity } from '../../../lib/kube/quantity.ts'
import { fitsTerms } from '../fitting.ts'
import type { Amounts, Node } from '../shapes.ts'
import { type Claim, classOf, type Volume } from './shapes.ts'

/** Whether the volume names this claim: by uid too, once it has one. */
export function isFor({ spec }: Volume, { metadata }: Claim): boolean {
  const { claimRef } = spec
  if (claimRef?.name !== metadata.name || claimRef.namespace !== metadata.namespace) return false
  return (claimRef.uid ?? '') === '' || claimRef.uid === metadata.uid
}

/**
 * The volume that suits a claim: the one that is reserved for it, else the smallest of those that are free.
 *
 * Among modes of access those with the fewest come first, as in the original.
 * @param isDelayed only a reserved one: others are chosen when a pod has its node
 * @param node where it must be reachable, once that is known
 */
export function findVolume(
  volumes: readonly Volume[],
  claim: Claim,
  isDelayed: boolean,
  node?: Node,
): Volume | undefined {
  const suiting = volumes.filter(
    (volume) => volume.metadata.deletionTimestamp === undefined && suits(volume, claim) && isReachable(volume, node),
  )
  const reserved = suiting.find((volume) => isFor(volume, claim))
  if (reserved || isDelayed) return reserved
  const free = suiting.filter(
    (volume) =>
      volume.spec.claimRef === undefined &&
      volume.status?.phase === 'Available' &&
      classOf(volume) === classOf(claim) &&
      (claim.spec.selector === undefined || matchesSelector(claim.spec.selector, volume.metadata.labels)),
  )
  const modes = ({ spec }: Volume): number => spec.accessModes?.length ?? 0
  const bySize = (a: Volume, b: Volume): number => (sizeOf(a.spec.capacity) < sizeOf(b.spec.capacity) ? -1 : 1)
  return free.sort((a, b) => modes(a) - modes(b) || bySize(a, b))[0]
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

/** Whether nodes with these labels reach the volume; true while no node is known. */
export function isReachable({ spec }: Volume, node: Node | undefined): boolean {
  const terms = spec.nodeAffinity?.required?.nodeSelectorTerms
  return terms === undefined || node === undefined || fitsTerms(terms, node)
}

const modeOf = ({ spec }: Volume | Claim): string => spec.volumeMode ?? 'Filesystem'

const hasSameAttributes = (volume: Volume, claim: Claim): boolean =>
  (volume.spec.volumeAttributesClassName ?? '') === (claim.spec.volumeAttributesClassName ?? '')

const hasAllModes = (volume: Volume, claim: Claim): boolean =>
  (claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode))

const isLargeEnough = (volume: Volume, claim: Claim): boolean =>
  sizeOf(volume.spec.capacity) >= sizeOf(claim.spec.resources?.requests)

const suits = (volume: Volume, claim: Claim): boolean =>
  hasAllModes(volume, claim) &&
  modeOf(volume) === modeOf(claim) &&
  hasSameAttributes(volume, claim) &&
  isLargeEnough(volume, claim)

function sizeOf(amounts: Amounts | undefined): bigint {
  const quantity = parseQuantity(amounts?.['storage'] ?? 0)
  return isQuantityError(quantity) ? 0n : quantity.nano
}
