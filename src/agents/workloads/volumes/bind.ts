import { refOf } from '../../../lib/kube/object.ts'
import { isQuantityError, parseQuantity } from '../../../lib/kube/quantity.ts'
import { isSame } from '../meta.ts'
import type { ResourceList } from '../../../lib/kube/container.ts'
import type { Telling, Write } from '../write.ts'
import { BEFORE_RESIZE, BIND_COMPLETED, BOUND_BY_CONTROLLER, type Claim, type Volume } from './shapes.ts'
import { isFor, sizeOf } from './match.ts'

/** What is missing until volume and claim belong to each other, in the order in which it must be written. */
export function bindWrites(volume: Volume, claim: Claim): Write[] {
  return [
    ...reserve(volume, claim),
    ...phaseOfVolume(volume, 'Bound'),
    ...take(volume, claim),
    ...statusOfClaim(claim, 'Bound', volume),
  ]
}

function reserve(volume: Volume, claim: Claim): Write[] {
  const isReserved = volume.spec.claimRef?.uid === claim.metadata.uid && isFor(volume, claim)
  return isReserved ? [] : [patch(volume, reservation(volume, claim))]
}

/** Reserves a volume for a claim, as it was seen: somebody else may have reserved it meanwhile. */
export function reservation(volume: Volume, claim: Claim): object {
  const { name, namespace, uid, resourceVersion } = claim.metadata
  const claimRef = { kind: 'PersistentVolumeClaim', namespace, name, uid, apiVersion: 'v1', resourceVersion }
  const annotations = isFor(volume, claim) ? {} : { annotations: { [BOUND_BY_CONTROLLER]: 'yes' } }
  const seen = { uid: volume.metadata.uid, resourceVersion: volume.metadata.resourceVersion }
  return { metadata: { ...seen, ...annotations }, spec: { claimRef } }
}

/** Gives the volume a phase, if it has another one; what is told of a phase is told once. */
export function phaseOfVolume(volume: Volume, phase: string, message?: string, tell?: Telling): Write[] {
  if (volume.status?.phase === phase) return []
  const body = { metadata: { uid: volume.metadata.uid }, status: { phase, message: message ?? null } }
  return [{ ...patch(volume, body), subresource: 'status', ...(tell && { tell }) }]
}

function take(volume: Volume, claim: Claim): Write[] {
  const { annotations = {}, uid } = claim.metadata
  const isOurs = claim.spec.volumeName !== volume.metadata.name
  if (!isOurs && annotations[BIND_COMPLETED] !== undefined) return []
  const marks = { [BIND_COMPLETED]: 'yes', ...(isOurs && { [BOUND_BY_CONTROLLER]: 'yes' }) }
  return [patch(claim, { metadata: { uid, annotations: marks }, spec: { volumeName: volume.metadata.name } })]
}

/** Gives the claim a phase, and what its volume offers, if it does not say so yet. */
export function statusOfClaim(claim: Claim, phase: string, volume?: Volume): Write[] {
  const status = claim.status ?? {}
  const wanted = {
    phase,
    accessModes: volume?.spec.accessModes ?? null,
    capacity: (volume && capacityFor(claim, phase, volume)) ?? null,
    currentVolumeAttributesClassName: (volume && attributesFor(claim, phase, volume)) ?? null,
  }
  const isTold =
    status.phase === phase &&
    isSame(status.accessModes ?? null, wanted.accessModes) &&
    isSame(status.capacity ?? null, wanted.capacity) &&
    (status.currentVolumeAttributesClassName ?? null) === wanted.currentVolumeAttributesClassName
  if (isTold) return []
  return [{ ...patch(claim, { metadata: { uid: claim.metadata.uid }, status: wanted }), subresource: 'status' }]
}

/** What a claim has is told when it gets its volume: later its file system may be smaller than the volume, which whoever resizes it knows. */
function capacityFor({ status }: Claim, phase: string, { metadata, spec }: Volume): ResourceList | undefined {
  if (status?.phase === phase) return status.capacity
  const before = metadata.annotations?.[BEFORE_RESIZE]
  if (before !== undefined) {
    const { storage } = isQuantityError(parseQuantity(before)) ? (spec.capacity ?? {}) : { storage: before }
    return { ...status?.capacity, ...(storage !== undefined && { storage }) }
  }
  return sizeOf(status?.capacity) === sizeOf(spec.capacity) ? status?.capacity : spec.capacity
}

/** Told when a claim gets its volume; afterwards it belongs to whoever modifies volumes. */
function attributesFor({ status }: Claim, phase: string, { spec }: Volume): string | undefined {
  const isNew = status?.phase === 'Pending' && phase === 'Bound'
  return isNew ? spec.volumeAttributesClassName : status?.currentVolumeAttributesClassName
}

/** A merge patch that finds the object only as long as it is the same one. */
export function patch(object: Volume | Claim, body: unknown): Extract<Write, { do: 'patch' }> {
  return { do: 'patch', ref: refOf(object), type: 'merge', body }
}
