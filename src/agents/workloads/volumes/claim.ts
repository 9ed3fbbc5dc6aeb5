import { own } from '../../../lib/value/own.ts'
import type { WorkloadDecision } from '../decision.ts'
import type { Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { bindWrites, patch, statusOfClaim } from './bind.ts'
import { findVolume, isFor, mismatchOf } from './match.ts'
import {
  BIND_COMPLETED,
  type Claim,
  classOf,
  defaultClass,
  hasClass,
  isDelayed,
  PROVISIONERS,
  SELECTED_NODE,
  type StorageClass,
  type Volume,
} from './shapes.ts'

/** All that a claim's fate depends on. */
export type ClaimSeen = {
  readonly claim: Claim
  readonly volumes: readonly Volume[]
  readonly classes: readonly StorageClass[]
  /** The pods of the namespace that wait for a node and use the claim. */
  readonly waiting: readonly Pod[]
  /** Whether it is time to say for what the claim waits: it is new, has changed, or nothing was said for a while. */
  readonly mayTell: boolean
}

/** How often it is said again for what a claim waits, as often as the original looks at all of them. */
export const TELL_EVERY_MS = 15_000

/**
 * Pure. Binds a claim to the volume that suits it, or says for what it waits.
 *
 * @see https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
 */
export function decideClaim(seen: ClaimSeen): WorkloadDecision {
  const { claim } = seen
  const isBound = claim.metadata.annotations?.[BIND_COMPLETED] !== undefined
  if (isBound) return { kind: 'done', status: keepBound(seen) }
  const writes = bindFirst(seen)
  const status = seen.mayTell ? writes : writes.filter((write) => write.do !== 'tell')
  return { kind: 'done', status, againAfterMs: TELL_EVERY_MS }
}

function keepBound({ claim, volumes }: ClaimSeen): Write[] {
  const { volumeName = '' } = claim.spec
  const lost = (reason: string, message: string): Write[] =>
    claim.status?.phase === 'Lost'
      ? []
      : [...statusOfClaim(claim, 'Lost'), { do: 'tell', tell: { about: claim, type: 'Warning', reason, message } }]
  if (volumeName === '')
    return lost('ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!')
  const volume = volumes.find(({ metadata }) => metadata.name === volumeName)
  if (!volume) return lost('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
  const { claimRef } = volume.spec
  if (claimRef === undefined || claimRef.uid === claim.metadata.uid) return bindWrites(volume, claim)
  return lost('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')
}

function bindFirst(seen: ClaimSeen): Write[] {
  const { claim, volumes } = seen
  const { volumeName = '' } = claim.spec
  if (volumeName === '') return bindAny(seen)
  const volume = volumes.find(({ metadata }) => metadata.name === volumeName)
  if (!volume) return statusOfClaim(claim, 'Pending')
  if (volume.spec.claimRef && isFor(volume, claim)) return bindWrites(volume, claim)
  const name = JSON.stringify(volumeName)
  if (volume.spec.claimRef)
    return pending(claim, 'Warning', 'FailedBinding', `volume ${name} already bound to a different claim.`)
  const mismatch = mismatchOf(volume, claim)
  if (mismatch === undefined) return bindWrites(volume, claim)
  return pending(claim, 'Warning', 'VolumeMismatch', `Cannot bind to requested volume ${name}: ${mismatch}`)
}

function bindAny(seen: ClaimSeen): Write[] {
  const { claim, volumes, classes } = seen
  const className = classOf(claim)
  const storageClass = classes.find(({ metadata }) => metadata.name === className)
  const isLate = isDelayed(storageClass)
  const volume = findVolume(volumes, claim, isLate)
  if (volume) return bindWrites(volume, claim)
  const byDefault = hasClass(claim) ? undefined : defaultClass(classes)
  if (byDefault)
    return [
      patch(claim, { metadata: { uid: claim.metadata.uid }, spec: { storageClassName: byDefault.metadata.name } }),
    ]
  if (isLate && claim.metadata.annotations?.[SELECTED_NODE] === undefined) return waitForPod(seen)
  if (className !== '') return provision(claim, className, storageClass)
  const why = 'no persistent volumes available for this claim and no storage class is set'
  return pending(claim, 'Normal', 'FailedBinding', why)
}

function waitForPod({ claim, waiting }: ClaimSeen): Write[] {
  const names = waiting.map(({ metadata }) => metadata.name)
  if (names.length === 0)
    return pending(claim, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
  const who = names.length === 1 ? `pod ${names[0]}` : `pods ${names.join(',')}`
  return pending(claim, 'Normal', 'WaitForPodScheduled', `waiting for ${who} to be scheduled`)
}

/** The drivers that took the place of what Kubernetes itself once provisioned. @see k8s.io/csi-translation-lib */
const SUCCESSORS: Readonly<Record<string, string>> = {
  'kubernetes.io/aws-ebs': 'ebs.csi.aws.com',
  'kubernetes.io/azure-disk': 'disk.csi.azure.com',
  'kubernetes.io/azure-file': 'file.csi.azure.com',
  'kubernetes.io/cinder': 'cinder.csi.openstack.org',
  'kubernetes.io/gce-pd': 'pd.csi.storage.gke.io',
  'kubernetes.io/portworx-volume': 'pxd.portworx.com',
  'kubernetes.io/vsphere-volume': 'csi.vsphere.vmware.com',
}

/** Asks whoever provisions volumes of the class for one; none is made here. */
function provision(claim: Claim, className: string, storageClass: StorageClass | undefined): Write[] {
  const failed = (message: string): Write[] => [
    { do: 'tell', tell: { about: claim, type: 'Warning', reason: 'ProvisioningFailed', message } },
  ]
  if (!storageClass) return failed(`storageclass.storage.k8s.io ${JSON.stringify(className)} not found`)
  const provisioner = own(SUCCESSORS, storageClass.provisioner) ?? storageClass.provisioner
  if (provisioner.startsWith('kubernetes.io/')) return failed(`no volume plugin matched name: ${provisioner}`)
  const message =
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. ` +
    'If volume creation is delayed, please verify that the provisioner is running and correctly registered.'
  const tell = { about: claim, type: 'Normal', reason: 'ExternalProvisioning', message } as const
  const { annotations = {}, uid } = claim.metadata
  if (PROVISIONERS.every((key) => annotations[key] === provisioner)) return [{ do: 'tell', tell }]
  const asked = Object.fromEntries(PROVISIONERS.map((key) => [key, provisioner]))
  return [{ ...patch(claim, { metadata: { uid, annotations: asked } }), tell }]
}

function pending(claim: Claim, type: 'Normal' | 'Warning', reason: string, message: string): Write[] {
  return [{ do: 'tell', tell: { about: claim, type, reason, message } }, ...statusOfClaim(claim, 'Pending')]
}
