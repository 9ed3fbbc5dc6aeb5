import type { WorkloadDecision } from '../decision.ts'
import type { Write } from '../write.ts'
import { patch, phaseOfVolume } from './bind.ts'
import { BOUND_BY_CONTROLLER, type Claim, PROVISIONED_BY, type Volume } from './shapes.ts'

/** A volume, and the claim that it names where that is still the same one. */
export type VolumeSeen = { readonly volume: Volume; readonly claim: Claim | undefined }

/** Pure. Gives a volume its phase: free, bound, or left by its claim. */
export function decideVolume({ volume, claim }: VolumeSeen): WorkloadDecision {
  return { kind: 'done', status: writesFor(volume, claim) }
}

function writesFor(volume: Volume, claim: Claim | undefined): Write[] {
  const { claimRef } = volume.spec
  if (claimRef === undefined || (claimRef.uid ?? '') === '') return phaseOfVolume(volume, 'Available')
  if (claim === undefined || claim.metadata.uid !== claimRef.uid) return [...release(volume), ...reclaim(volume)]
  const { volumeName = '' } = claim.spec
  // the claim's own controller finishes what was begun
  if (volumeName === '') return []
  if (volumeName === volume.metadata.name) return phaseOfVolume(volume, 'Bound')
  return giveUp(volume)
}

const hasEnded = ({ status }: Volume): boolean => status?.phase === 'Released' || status?.phase === 'Failed'

const release = (volume: Volume): Write[] => (hasEnded(volume) ? [] : phaseOfVolume(volume, 'Released'))

/** A claim took another volume: what was reserved by a controller is free again, what a person reserved stays so. */
function giveUp(volume: Volume): Write[] {
  const { annotations = {}, uid } = volume.metadata
  const isProvisioned = annotations[PROVISIONED_BY] !== undefined
  if (isProvisioned && volume.spec.persistentVolumeReclaimPolicy === 'Delete')
    return [...release(volume), ...reclaim(volume)]
  const claimRef = annotations[BOUND_BY_CONTROLLER] === undefined ? { uid: null, resourceVersion: null } : null
  const metadata = { uid, annotations: { [BOUND_BY_CONTROLLER]: null } }
  return [patch(volume, { metadata, spec: { claimRef } }), ...phaseOfVolume(volume, 'Available')]
}

/** Who provisioned a volume deletes it; of others nobody here knows how. */
function reclaim(volume: Volume): Write[] {
  const { persistentVolumeReclaimPolicy: policy } = volume.spec
  const { name, annotations = {}, deletionTimestamp } = volume.metadata
  if (policy === undefined || policy === 'Retain' || annotations[PROVISIONED_BY] !== undefined) return []
  if (deletionTimestamp !== undefined || volume.spec.csi !== undefined) return []
  const [reason, message] =
    policy === 'Delete'
      ? [
          'VolumeFailedDelete',
          `error getting deleter volume plugin for volume ${JSON.stringify(name)}: no deletable volume plugin matched`,
        ]
      : ['VolumeFailedRecycle', 'No recycler plugin found for the volume!']
  return phaseOfVolume(volume, 'Failed', message, { about: volume, type: 'Warning', reason, message })
}
