import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideClaim, type ClaimSeen } from './claim.ts'
import { decideEphemeral } from './ephemeral.ts'
import type { Claim, StorageClass, Volume } from './shapes.ts'
import { decideVolume } from './volume.ts'

const GB = (count: number) => ({ storage: `${count}Gi` })

function volume(
  name: string,
  spec: Partial<Volume['spec']> = {},
  status: Volume['status'] = { phase: 'Available' },
): Volume {
  const common = { capacity: GB(5), accessModes: ['ReadWriteOnce'], storageClassName: 'fast' }
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, uid: name },
    spec: { ...common, ...spec },
    status,
  }
}
function claim(spec: Partial<Claim['spec']> = {}, annotations: Record<string, string> = {}, phase = 'Pending'): Claim {
  const metadata = { name: 'data', namespace: 'a', uid: 'c', annotations }
  const common = { accessModes: ['ReadWriteOnce'], resources: { requests: GB(2) }, storageClassName: 'fast' }
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec: { ...common, ...spec }, status: { phase } }
}
function storageClass(name: string, more: object = {}, isDefault = false): StorageClass {
  const annotations: Record<string, string> = isDefault ? { 'storageclass.kubernetes.io/is-default-class': 'true' } : {}
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name, annotations },
    provisioner: 'x/y',
    ...more,
  }
}
const ours = { namespace: 'a', name: 'data', uid: 'c' }
const theirs = { namespace: 'a', name: 'data', uid: 'before' }
const BOUND = { 'pv.kubernetes.io/bind-completed': 'yes' }

/** What is written: the names of what is patched, with the phase that it gets, and the reasons of what is told. */
function said(writes: readonly Write[]): string[] {
  return writes.flatMap((write) => {
    const reason = 'tell' in write && write.tell ? [write.tell.reason] : []
    if (write.do !== 'patch') return reason
    const { status } = write.body as { readonly status?: { readonly phase: string } }
    return [`${write.ref.name}${status ? ` ${status.phase}` : ''}`, ...reason]
  })
}

const calm: ClaimSeen = {
  claim: claim(),
  volumes: [],
  classes: [storageClass('fast')],
  waiting: [],
  mayTell: true,
}
const late = { volumeBindingMode: 'WaitForFirstConsumer' }
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'a', uid: 'p' },
  spec: { containers: [] },
}

const claims: { it: string; seen: Partial<ClaimSeen>; want: string[] }[] = [
  {
    it: 'takes the smallest volume that is large enough',
    seen: { volumes: [volume('v9', { capacity: GB(9) }), volume('v5'), volume('v1', { capacity: GB(1) })] },
    want: ['v5', 'v5 Bound', 'data', 'data Bound'],
  },
  {
    it: 'takes the one with the fewest modes first',
    seen: {
      volumes: [volume('v2', { capacity: GB(2), accessModes: ['ReadWriteOnce', 'ReadWriteMany'] }), volume('v5')],
    },
    want: ['v5', 'v5 Bound', 'data', 'data Bound'],
  },
  {
    it: 'takes what is reserved for it',
    seen: {
      volumes: [volume('v2', { capacity: GB(2) }), volume('v5', { claimRef: { namespace: 'a', name: 'data' } })],
    },
    want: ['v5', 'v5 Bound', 'data', 'data Bound'],
  },
  {
    it: 'leaves what is not available, of another class, mode or claim',
    seen: {
      volumes: [
        volume('a', {}, { phase: 'Released' }),
        volume('b', { storageClassName: 'slow' }),
        volume('c', { accessModes: ['ReadOnlyMany'] }),
        volume('d', { volumeMode: 'Block' }),
        volume('e', { claimRef: theirs }),
      ],
    },
    want: ['data', 'ExternalProvisioning'],
  },
  { it: 'asks whoever provisions the class', seen: {}, want: ['data', 'ExternalProvisioning'] },
  {
    it: 'asks one of an odd name, too',
    seen: { classes: [storageClass('fast', { provisioner: 'constructor' })] },
    want: ['data', 'ExternalProvisioning'],
  },
  {
    it: 'says that nobody provisions the class',
    seen: { classes: [storageClass('fast', { provisioner: 'kubernetes.io/no-provisioner' })] },
    want: ['ProvisioningFailed'],
  },
  { it: 'says that there is no such class', seen: { classes: [] }, want: ['ProvisioningFailed'] },
  { it: 'says that it has no class', seen: { claim: claim({ storageClassName: '' }) }, want: ['FailedBinding'] },
  {
    it: 'gets the default class',
    seen: { claim: { ...claim(), spec: { accessModes: [] } }, classes: [storageClass('fast', {}, true)] },
    want: ['data'],
  },
  {
    it: 'waits for a pod',
    seen: { classes: [storageClass('fast', late)], volumes: [volume('v5')] },
    want: ['WaitForFirstConsumer'],
  },
  {
    it: 'waits for the pod that is there',
    seen: { classes: [storageClass('fast', late)], waiting: [pod] },
    want: ['WaitForPodScheduled'],
  },
  {
    it: 'leaves free volumes to the scheduler when the node is chosen',
    seen: {
      classes: [storageClass('fast', late)],
      volumes: [volume('v5')],
      claim: claim({}, { 'volume.kubernetes.io/selected-node': 'n' }),
    },
    want: ['data', 'ExternalProvisioning'],
  },
  {
    it: 'takes the volume that it names',
    seen: { claim: claim({ volumeName: 'v5' }), volumes: [volume('v5')] },
    want: ['v5', 'v5 Bound', 'data', 'data Bound'],
  },
  {
    it: 'refuses the volume that it names and that does not suit',
    seen: { claim: claim({ volumeName: 'v5' }), volumes: [volume('v5', { capacity: GB(1) })] },
    want: ['VolumeMismatch'],
  },
  {
    it: 'says that the volume that it names is taken',
    seen: { claim: claim({ volumeName: 'v5' }), volumes: [volume('v5', { claimRef: theirs })] },
    want: ['FailedBinding'],
  },
  {
    it: 'takes a volume with fewer modes rather than what is reserved for it',
    seen: {
      volumes: [
        volume('v2', { accessModes: ['ReadWriteOnce', 'ReadWriteMany'], claimRef: { namespace: 'a', name: 'data' } }),
        volume('v5'),
      ],
    },
    want: ['v5', 'v5 Bound', 'data', 'data Bound'],
  },
  {
    it: 'gets no default class when an annotation says that it wants none',
    seen: {
      claim: { ...claim({}, { 'volume.beta.kubernetes.io/storage-class': '' }), spec: { accessModes: [] } },
      classes: [storageClass('fast', {}, true)],
    },
    want: ['FailedBinding'],
  },
  {
    it: 'asks the driver that took the place of what Kubernetes provisioned itself',
    seen: { classes: [storageClass('fast', { provisioner: 'kubernetes.io/aws-ebs' })] },
    want: ['data', 'ExternalProvisioning'],
  },
  {
    it: 'says once that it has lost its volume',
    seen: { claim: claim({ volumeName: 'v5' }, BOUND, 'Lost') },
    want: [],
  },
  { it: 'waits for the volume that it names', seen: { claim: claim({ volumeName: 'v5' }) }, want: [] },
  {
    it: 'has lost its volume',
    seen: { claim: claim({ volumeName: 'v5' }, BOUND, 'Bound') },
    want: ['data Lost', 'ClaimLost'],
  },
  {
    it: 'has lost its volume to another',
    seen: { claim: claim({ volumeName: 'v5' }, BOUND, 'Bound'), volumes: [volume('v5', { claimRef: theirs })] },
    want: ['data Lost', 'ClaimMisbound'],
  },
  {
    it: 'finishes what was begun',
    seen: {
      claim: claim({ volumeName: 'v5' }, BOUND),
      volumes: [volume('v5', { claimRef: ours }, { phase: 'Bound' })],
    },
    want: ['data Bound'],
  },
]
for (const { it, seen, want } of claims)
  test(`a claim ${it}`, () => {
    const { status } = decideClaim({ ...calm, ...seen }) as { readonly status: readonly Write[] }
    assert.deepEqual(said(status), want)
  })

const volumes: { it: string; volume: Volume; claim?: Claim; want: string[] }[] = [
  { it: 'is free', volume: volume('v', {}, { phase: 'Pending' }), want: ['v Available'] },
  {
    it: 'is free as long as its claim did not come',
    volume: volume('v', { claimRef: { namespace: 'a', name: 'data' } }, {}),
    want: ['v Available'],
  },
  { it: 'is bound', volume: volume('v', { claimRef: ours }), claim: claim({ volumeName: 'v' }), want: ['v Bound'] },
  { it: 'is left by its claim', volume: volume('v', { claimRef: ours }, { phase: 'Bound' }), want: ['v Released'] },
  {
    it: 'is left by a claim of the same name',
    volume: volume('v', { claimRef: theirs }, { phase: 'Bound' }),
    claim: claim({ volumeName: 'v' }),
    want: ['v Released'],
  },
  {
    it: 'cannot be deleted here',
    volume: volume('v', { claimRef: ours, persistentVolumeReclaimPolicy: 'Delete' }, { phase: 'Released' }),
    want: ['v Failed', 'VolumeFailedDelete'],
  },
  {
    it: 'on a path of its host cannot be deleted here',
    volume: volume(
      'v',
      { claimRef: ours, persistentVolumeReclaimPolicy: 'Delete', hostPath: { path: '/data' } },
      { phase: 'Released' },
    ),
    want: ['v Failed', 'VolumeFailedDelete'],
  },
  {
    it: 'is told once to have failed',
    volume: volume('v', { claimRef: ours, persistentVolumeReclaimPolicy: 'Delete' }, { phase: 'Failed' }),
    want: [],
  },
  {
    it: 'and its claim say that their modes differ',
    volume: volume('v', { claimRef: ours, volumeMode: 'Block' }, { phase: 'Bound' }),
    claim: claim(),
    want: ['VolumeMismatch', 'VolumeMismatch'],
  },
  {
    it: 'is given up when its claim took another',
    volume: volume('v', { claimRef: ours }, { phase: 'Bound' }),
    claim: claim({ volumeName: 'other' }),
    want: ['v', 'v Available'],
  },
  {
    it: 'is as it should be',
    volume: volume('v', { claimRef: ours }, { phase: 'Bound' }),
    claim: claim({ volumeName: 'v' }),
    want: [],
  },
]
for (const { it, volume: seen, claim: its, want } of volumes)
  test(`a volume ${it}`, () => {
    const { status } = decideVolume({ volume: seen, claim: its }) as { readonly status: readonly Write[] }
    assert.deepEqual(said(status), want)
  })

test('a pod gets the claims that it brings along, unless somebody else has one of that name', () => {
  const template = { metadata: { labels: { a: 'b' } }, spec: { accessModes: ['ReadWriteOnce'] } }
  const bringing: Pod = {
    ...pod,
    spec: { containers: [], volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate: template } }] },
  }
  const made = decideEphemeral({ pod: bringing, claims: new Map() }) as { readonly status: readonly Write[] }
  assert.deepEqual(
    made.status.map((write) => (write.do === 'create' ? write.object.metadata.name : write.do)),
    ['p-v'],
  )
  const foreign = decideEphemeral({ pod: bringing, claims: new Map([['p-v', claim()]]) }) as {
    readonly status: readonly Write[]
  }
  assert.deepEqual(said(foreign.status), ['FailedBinding'])
})

test('a claim says again for what it waits only when it is time', () => {
  const seen = { ...calm, claim: claim({ storageClassName: '' }), mayTell: false }
  const quiet = decideClaim(seen)
  assert.ok(quiet.kind === 'done')
  assert.deepEqual(
    quiet.status.filter((write) => write.do === 'tell'),
    [],
  )
  assert.equal(quiet.againAfterMs, 15_000)
  const loud = decideClaim({ ...seen, mayTell: true })
  assert.equal(loud.kind === 'done' && loud.status.some((write) => write.do === 'tell'), true)
})

/** What a claim's status tells once it is bound. */
function statusTold(bound: Volume, of: Claim): unknown {
  const decided = decideClaim({ ...calm, claim: of, volumes: [bound] })
  const write =
    decided.kind === 'done' ? decided.status.find((each) => 'subresource' in each && each.do === 'patch') : undefined
  return write?.do === 'patch' ? (write.body as { readonly status: unknown }).status : undefined
}

const told: { it: string; volume: Volume; status: Claim['status']; want: object | undefined }[] = [
  {
    it: 'what the volume offers when it is bound',
    volume: volume('v', { claimRef: ours, volumeAttributesClassName: 'gold' }, { phase: 'Bound' }),
    status: { phase: 'Pending' },
    want: {
      phase: 'Bound',
      accessModes: ['ReadWriteOnce'],
      capacity: GB(5),
      currentVolumeAttributesClassName: 'gold',
    },
  },
  {
    it: 'nothing new of a volume that was expanded: whoever resizes it knows what the claim has',
    volume: volume('v', { claimRef: ours }, { phase: 'Bound' }),
    status: { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: GB(1) },
    want: undefined,
  },
  {
    it: 'the size before an expansion that its claim does not know of',
    volume: {
      ...volume('v', { claimRef: ours }, { phase: 'Bound' }),
      metadata: { name: 'v', uid: 'v', annotations: { 'volume.alpha.kubernetes.io/pre-resize-capacity': '3Gi' } },
    },
    status: { phase: 'Pending' },
    want: {
      phase: 'Bound',
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '3Gi' },
      currentVolumeAttributesClassName: null,
    },
  },
  {
    it: 'the size of the volume where the one before an expansion cannot be read',
    volume: {
      ...volume('v', { claimRef: ours }, { phase: 'Bound' }),
      metadata: { name: 'v', uid: 'v', annotations: { 'volume.alpha.kubernetes.io/pre-resize-capacity': 'much' } },
    },
    status: { phase: 'Pending' },
    want: {
      phase: 'Bound',
      accessModes: ['ReadWriteOnce'],
      capacity: GB(5),
      currentVolumeAttributesClassName: null,
    },
  },
]
for (const { it, volume: bound, status, want } of told)
  test(`a claim is told ${it}`, () => {
    const attributes = bound.spec.volumeAttributesClassName
    const spec = { volumeName: 'v', ...(attributes !== undefined && { volumeAttributesClassName: attributes }) }
    assert.deepEqual(statusTold(bound, { ...claim(spec, BOUND), status }), want)
  })
