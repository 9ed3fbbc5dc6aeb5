import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { goText, revisionData, revisionHash, type ControllerRevision } from '../history/revision.ts'
import { controlledBy } from '../meta.ts'
import type { Pod, PodTemplate } from '../shapes.ts'
import { decideStatefulSet, type StatefulSetSeen } from './decide.ts'
import type { StatefulSet, StatefulSetStatus } from './shapes.ts'

const nowMs = Date.parse('2026-11-23T04:00:00Z')
const template = (image: string): PodTemplate => ({
  metadata: { labels: { app: 'db' } },
  spec: { containers: [{ name: 'c', image }] },
})
const nameOf = (image: string): string => `db-${revisionHash(goText(revisionData(template(image))), 0)}`
const [OLD, NEW] = [nameOf('old'), nameOf('new')]
const set = (spec: Partial<StatefulSet['spec']> = {}, status: Partial<StatefulSetStatus> = {}): StatefulSet => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'db', namespace: 'a', uid: 'db', generation: 1 },
  spec: {
    replicas: 3,
    serviceName: 'db',
    selector: { matchLabels: { app: 'db' } },
    template: template('old'),
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
    ...spec,
  },
  status: { replicas: 0, currentRevision: OLD, ...status },
})
const revision = (image: string, number: number): ControllerRevision => ({
  apiVersion: 'apps/v1',
  kind: 'ControllerRevision',
  metadata: { name: nameOf(image), namespace: 'a', labels: { app: 'db' }, ownerReferences: [controlledBy(set())] },
  data: revisionData(template(image)),
  revision: number,
})
const SINCE = '2026-11-23T03:59:50Z'
type Look = { readonly ready?: boolean; readonly phase?: string; readonly leaving?: boolean; readonly of?: string }
const pod = (ordinal: number, { ready = true, phase = 'Running', leaving = false, of = OLD }: Look = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: `db-${ordinal}`,
    namespace: 'a',
    uid: `pod-${ordinal}`,
    labels: { app: 'db', 'controller-revision-hash': of, 'statefulset.kubernetes.io/pod-name': `db-${ordinal}` },
    ownerReferences: [controlledBy(set())],
    ...(leaving && { deletionTimestamp: SINCE }),
  },
  spec: { containers: [{ name: 'c' }] },
  status: {
    phase,
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: SINCE }],
  },
})
const withData = (given: Pod): Pod => {
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: `data-${given.metadata.name}` } }]
  return { ...given, spec: { ...given.spec, volumes } }
}
const nameless = (given: Pod): Pod => {
  const { 'statefulset.kubernetes.io/pod-name': _name, ...labels } = given.metadata.labels ?? {}
  return { ...given, metadata: { ...given.metadata, labels } }
}
const claim = (ordinal: number, metadata: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: `data-db-${ordinal}`, namespace: 'a', ...metadata },
})
const seenOf = (given: Partial<StatefulSetSeen>, claims: readonly KubeObject[] = []): StatefulSetSeen => {
  const revisions = given.revisions ?? [revision('old', 1)]
  return {
    set: set(),
    candidates: [],
    revisions,
    revisionNamed: (name) => revisions.find(({ metadata }) => metadata.name === name),
    claimNamed: (name) => claims.find(({ metadata }) => metadata.name === name),
    nowMs,
    ...given,
  }
}
const steps = (seen: StatefulSetSeen): string[] => {
  const decision = decideStatefulSet(seen)
  if (decision.kind !== 'act') return [decision.kind]
  return decision.changes.map((write) => {
    if (write.do === 'create' || write.do === 'delete' || write.do === 'replace')
      return `${write.do} ${write.object.metadata.name}`
    return write.do
  })
}

const moving = { set: set({ template: template('new') }), revisions: [revision('old', 1), revision('new', 2)] }
const parallel = { podManagementPolicy: 'Parallel' }
const stored = { volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }], replicas: 1 }
const withScaled = { persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Retain' } }
const orphan = { ...pod(0), metadata: { ...pod(0).metadata, ownerReferences: [] } }

const cases: { it: string; seen: Partial<StatefulSetSeen>; claims?: readonly KubeObject[]; want: string[] }[] = [
  { it: 'begins with a revision', seen: { revisions: [] }, want: [`create ${OLD}`] },
  { it: 'makes its first pod', seen: {}, want: ['create db-0'] },
  { it: 'waits for the first pod', seen: { candidates: [pod(0, { ready: false })] }, want: ['done'] },
  { it: 'makes the next pod', seen: { candidates: [pod(0)] }, want: ['create db-1'] },
  {
    it: 'waits until a pod has been ready for long enough',
    seen: { set: set({ minReadySeconds: 30 }), candidates: [pod(0)] },
    want: ['done'],
  },
  { it: 'fills a gap first', seen: { candidates: [pod(0), pod(2)] }, want: ['create db-1'] },
  { it: 'waits for a pod that leaves', seen: { candidates: [pod(0, { leaving: true })] }, want: ['done'] },
  { it: 'replaces a failed pod', seen: { candidates: [pod(0, { phase: 'Failed' })] }, want: ['delete db-0'] },
  { it: 'replaces one that succeeded', seen: { candidates: [pod(0, { phase: 'Succeeded' })] }, want: ['delete db-0'] },
  { it: 'adopts an orphan of its name', seen: { candidates: [orphan] }, want: ['patch'] },
  {
    it: 'lets pods of other names be',
    seen: { candidates: [{ ...orphan, metadata: { ...orphan.metadata, name: 'other-0' } }] },
    want: ['create db-0'],
  },
  {
    it: 'makes all at once in parallel',
    seen: { set: set(parallel), candidates: [pod(1, { ready: false })] },
    want: ['create db-0', 'create db-2'],
  },
  {
    it: 'counts from its first ordinal',
    seen: { set: set({ ordinals: { start: 5 } }), candidates: [pod(5)] },
    want: ['create db-6'],
  },
  {
    it: 'scales down from the highest ordinal',
    seen: { set: set({ replicas: 1 }), candidates: [pod(0), pod(1), pod(2)] },
    want: ['delete db-2'],
  },
  {
    it: 'scales down one at a time',
    seen: { set: set({ replicas: 1 }), candidates: [pod(0), pod(1), pod(2, { leaving: true })] },
    want: ['done'],
  },
  {
    it: 'does not scale down while a lower surplus pod is sick',
    seen: { set: set({ replicas: 0 }), candidates: [pod(0, { ready: false }), pod(1, { ready: false })] },
    want: ['done'],
  },
  {
    it: 'does not scale down while a wanted pod is sick',
    seen: { set: set({ replicas: 1 }), candidates: [pod(0, { ready: false }), pod(1)] },
    want: ['done'],
  },
  {
    it: 'scales down all at once in parallel',
    seen: { set: set({ ...parallel, replicas: 1 }), candidates: [pod(0, { ready: false }), pod(1), pod(2)] },
    want: ['delete db-2', 'delete db-1'],
  },
  {
    it: 'updates from the highest ordinal',
    seen: { ...moving, candidates: [0, 1, 2].map((n) => pod(n)) },
    want: ['delete db-2'],
  },
  {
    it: 'updates the next pod when the last is ready',
    seen: { ...moving, candidates: [pod(0), pod(1), pod(2, { of: NEW })] },
    want: ['delete db-1'],
  },
  {
    it: 'stops an update at a pod that does not become ready',
    seen: { ...moving, candidates: [pod(0), pod(1), pod(2, { of: NEW, ready: false })] },
    want: ['done'],
  },
  {
    it: 'updates several at once where told to',
    seen: {
      ...moving,
      set: set({
        template: template('new'),
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: '70%' } },
      }),
      candidates: [0, 1, 2].map((n) => pod(n)),
    },
    want: ['delete db-2', 'delete db-1'],
  },
  {
    it: 'leaves pods below the partition',
    seen: {
      ...moving,
      set: set({
        template: template('new'),
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } },
      }),
      candidates: [pod(0), pod(1), pod(2, { of: NEW })],
    },
    want: ['done'],
  },
  {
    it: 'leaves updates to others when told so',
    seen: {
      ...moving,
      set: set({ template: template('new'), updateStrategy: { type: 'OnDelete' } }),
      candidates: [0, 1, 2].map((n) => pod(n)),
    },
    want: ['done'],
  },
  {
    it: 'replaces sick old pods at once in parallel, whatever the limit',
    seen: {
      ...moving,
      set: set({ ...parallel, template: template('new') }),
      candidates: [pod(0, { ready: false }), pod(1), pod(2, { ready: false })],
    },
    want: ['delete db-2', 'delete db-0'],
  },
  {
    it: 'goes back to a revision that it had',
    seen: { revisions: [revision('old', 1), revision('new', 2)] },
    want: [`replace ${OLD}`],
  },
  {
    it: 'forgets revisions beyond its limit',
    seen: { set: set({ replicas: 0, revisionHistoryLimit: 0 }), revisions: [revision('new', 1), revision('old', 2)] },
    want: [`delete ${NEW}`],
  },
  { it: 'makes claims before the pod', seen: { set: set(stored) }, want: ['create data-db-0'] },
  {
    it: 'makes the pod when its claims are there',
    seen: { set: set(stored) },
    claims: [claim(0)],
    want: ['create db-0'],
  },
  {
    it: 'makes no pod on a claim that leaves',
    seen: { set: set(stored) },
    claims: [claim(0, { deletionTimestamp: SINCE })],
    want: ['wait'],
  },
  {
    it: 'makes no pod on the claim of a former pod',
    seen: { set: set({ ...stored, ...withScaled }) },
    claims: [claim(0, { ownerReferences: [controlledBy(pod(0))] })],
    want: ['done'],
  },
  {
    it: 'gives the claim of a surplus pod to the pod, then deletes it',
    seen: { set: set({ ...stored, ...withScaled, replicas: 0 }), candidates: [pod(0)] },
    claims: [claim(0)],
    want: ['replace data-db-0'],
  },
  {
    it: 'names a pod again that lost its label, and leaves its claim alone',
    seen: { set: set({ ...stored, replicas: 1 }), candidates: [nameless(withData(pod(0)))] },
    want: ['replace db-0'],
  },
  {
    it: 'gives a pod its volume and its claim',
    seen: { set: set({ ...stored, replicas: 1 }), candidates: [pod(0)] },
    want: ['create data-db-0', 'replace db-0'],
  },
  {
    it: 'only looks while it is being deleted',
    seen: { set: { ...set(), metadata: { ...set().metadata, deletionTimestamp: SINCE } } },
    want: ['done'],
  },
  { it: 'waits after a refusal', seen: { failure: 'quota exceeded' }, want: ['wait'] },
]
for (const { it, seen, claims, want } of cases)
  test(`a StatefulSet ${it}`, () => assert.deepEqual(steps(seenOf(seen, claims)), want))

test('a StatefulSet gives its pods their identity', () => {
  const decision = decideStatefulSet(seenOf({ set: set(stored) }, [claim(0)]))
  const [write] = decision.kind === 'act' ? decision.changes : []
  const made = write?.do === 'create' ? (write.object as Pod) : undefined
  assert.equal(made?.metadata.generateName, 'db-')
  assert.deepEqual(made?.metadata.labels, {
    app: 'db',
    'statefulset.kubernetes.io/pod-name': 'db-0',
    'apps.kubernetes.io/pod-index': '0',
    'controller-revision-hash': OLD,
  })
  assert.deepEqual(made?.spec, {
    containers: [{ name: 'c', image: 'old' }],
    hostname: 'db-0',
    subdomain: 'db',
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } }],
  })
})

test('a pod below the partition comes back at the current revision', () => {
  const partitioned = set({
    template: template('new'),
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
  })
  const decision = decideStatefulSet(seenOf({ ...moving, set: partitioned }))
  const [write] = decision.kind === 'act' ? decision.changes : []
  const made = write?.do === 'create' ? (write.object as Pod) : undefined
  assert.equal(made?.spec.containers[0]?.['image'], 'old')
})

const statuses: { it: string; pods: Pod[]; want: Partial<StatefulSetStatus> }[] = [
  {
    it: 'in the middle of an update',
    pods: [pod(0), pod(1, { leaving: true }), pod(2, { of: NEW })],
    want: {
      replicas: 3,
      readyReplicas: 3,
      currentReplicas: 1,
      updatedReplicas: 1,
      availableReplicas: 3,
      currentRevision: OLD,
    },
  },
  {
    it: 'after an update',
    pods: [0, 1, 2].map((n) => pod(n, { of: NEW })),
    want: {
      replicas: 3,
      readyReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 3,
      availableReplicas: 3,
      currentRevision: NEW,
    },
  },
]
for (const { it, pods, want } of statuses)
  test(`the status of a StatefulSet ${it}`, () => {
    const decision = decideStatefulSet(seenOf({ ...moving, candidates: pods }))
    assert.equal(decision.kind, 'done')
    const [write] = decision.kind === 'done' ? decision.status : []
    const status = write?.do === 'replace' ? (write.object as StatefulSet).status : undefined
    assert.deepEqual(status, { observedGeneration: 1, updateRevision: NEW, collisionCount: 0, ...want })
  })

test('a name that another template holds raises the collision count', () => {
  const taken = { ...revision('new', 1), metadata: { name: OLD, namespace: 'a' } }
  const decision = decideStatefulSet(
    seenOf({ revisions: [], revisionNamed: (name) => (name === OLD ? taken : undefined) }),
  )
  const writes = decision.kind === 'act' ? decision.changes : []
  assert.equal(writes.length, 2)
  const counted = writes[1]?.do === 'replace' ? (writes[1].object as StatefulSet).status : undefined
  assert.equal(counted?.collisionCount, 1)
})
