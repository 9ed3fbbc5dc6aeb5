import { refOf } from '../../../lib/kube/object.ts'
import { isSame } from '../meta.ts'
import type { Telling, Write } from '../write.ts'
import { BIND_COMPLETED, BOUND_BY_CONTROLLER, type Claim, type Volume } from './shapes.ts'
import { isFor } from './match.ts'

/** What is missing until volume and claim belong to each other, in the order in which it must be written. */
export function bindWrites(volume: Volume, claim: Claim): Write[] {
  return [...reserve(volume, claim), ...phaseOfVolume(volume, 'Bound'), ...take(volume, claim), ...told(volume, claim)]
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

/** Gives the volume a phase, if it has another one. */
export function phaseOfVolume(volume: Volume, phase: string, message?: string, tell?: Telling): Write[] {
  const { status } = volume
  if (status?.phase === phase && (status.message ?? '') === (message ?? '')) return []
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

function told({ spec }: Volume, claim: Claim): Write[] {
  return statusOfClaim(claim, 'Bound', spec.accessModes, spec.capacity)
}

/** Gives the claim a phase, and what its volume offers, if it does not say so yet. */
export function statusOfClaim(
  claim: Claim,
  phase: string,
  accessModes?: readonly string[],
  capacity?: Readonly<Record<string, string | number>>,
  tell?: Telling,
): Write[] {
  const { status } = claim
  const isTold = status?.phase === phase && isSame(status.accessModes, accessModes) && isSame(status.capacity, capacity)
  if (isTold) return []
  const wanted = { phase, accessModes: accessModes ?? null, capacity: capacity ?? null }
  const body = { metadata: { uid: claim.metadata.uid }, status: wanted }
  return [{ ...patch(claim, body), subresource: 'status', ...(tell && { tell }) }]
}

/** A merge patch that finds the object only as long as it is the same one. */
export function patch(object: Volume | Claim, body: unknown): Extract<Write, { do: 'patch' }> {
  return { do: 'patch', ref: refOf(object), type: 'merge', body }
}
