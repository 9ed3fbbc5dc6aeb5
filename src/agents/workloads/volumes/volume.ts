import type { WorkloadDecision } from '../decision.ts'
import type { Write } from '../write.ts'
import { patch, phaseOfVolume } from './bind.ts'
import { modeOf } from './match.ts'
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
  if (volumeName === '') return modeOf(volume) === modeOf(claim) ? [] : tellModes(volume, claim)
  if (volumeName === volume.metadata.name) return phaseOfVolume(volume, 'Bound')
  return giveUp(volume)
}

/** Whether a volume was left before. */
export const hasEnded = ({ status }: Volume): boolean => status?.phase === 'Released' || status?.phase === 'Failed'

/** As it was seen: what was left may be deleted with its data, and somebody else may have reserved it meanwhile. */
function release(volume: Volume): Write[] {
  if (hasEnded(volume)) return []
  const { uid, resourceVersion } = volume.metadata
  const body = { metadata: { uid, resourceVersion }, status: { phase: 'Released', message: null } }
  return [{ ...patch(volume, body), subresource: 'status' }]
}

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

/** Neither can be bound, and each says so of the other. */
function tellModes(volume: Volume, claim: Claim): Write[] {
  const why = 'due to incompatible volumeMode.'
  const mismatch = (about: Volume | Claim, message: string): Write => ({
    do: 'tell',
    tell: { about, type: 'Warning', reason: 'VolumeMismatch', message },
  })
  const [ofVolume, ofClaim] = [volume, claim].map(({ metadata }) => JSON.stringify(metadata.name))
  return [
    mismatch(volume, `Cannot bind PersistentVolume to requested PersistentVolumeClaim ${ofClaim} ${why}`),
    mismatch(claim, `Cannot bind PersistentVolume ${ofVolume} to requested PersistentVolumeClaim ${why}`),
  ]
}

/** Who provisioned a volume deletes it; of others nobody here knows how. */
function reclaim(volume: Volume): Write[] {
  const { persistentVolumeReclaimPolicy: policy } = volume.spec
  if (policy === 'Recycle') return fail(volume, 'VolumeFailedRecycle', 'No recycler plugin found for the volume!')
  const problem = policy === 'Delete' ? deletionProblem(volume) : undefined
  return problem === undefined ? [] : fail(volume, 'VolumeFailedDelete', problem)
}

const fail = (volume: Volume, reason: string, message: string): Write[] =>
  phaseOfVolume(volume, 'Failed', message, { about: volume, type: 'Warning', reason, message })

/** Why nobody will delete what is behind the volume, in the words of Kubernetes' own controller; undefined when somebody else ought to. */
function deletionProblem({ metadata, spec }: Volume): string | undefined {
  const { name, annotations = {} } = metadata
  const provisioner = annotations[PROVISIONED_BY] ?? ''
  if (provisioner !== '')
    return provisioner.startsWith('kubernetes.io/') ? `no volume plugin matched name: ${provisioner}` : undefined
  if (spec.csi !== undefined) return undefined
  const { path = '' } = spec.hostPath ?? {}
  if (spec.hostPath && !/^\/tmp\/.+$/.test(path))
    return `host_path deleter only supports /tmp/.+ but received provided ${path}`
  const which = spec.hostPath || spec.nfs !== undefined ? 'no deletable volume plugin' : 'no volume plugin'
  return `error getting deleter volume plugin for volume ${JSON.stringify(name)}: ${which} matched`
}
