import assert from 'node:assert/strict'
import { test } from 'node:test'
import { revisionData, type ControllerRevision } from '../history/revision.ts'
import { controlledBy } from '../meta.ts'
import type { Node, Pod, PodTemplate, Taint } from '../shapes.ts'
import { podTemplateHash } from '../template-hash/hash.ts'
import { decideDaemonSet, type DaemonSetSeen } from './decide.ts'
import { failureWaits } from './failures.ts'
import { buildPod } from './placement.ts'
import type { DaemonSet, DaemonSetStatus } from './shapes.ts'

const nowMs = Date.parse('2026-11-23T04:00:00Z')
const SINCE = '2026-11-23T03:59:50Z'
const template = (image: string): PodTemplate => ({
  metadata: { labels: { app: 'd' } },
  spec: { containers: [{ name: 'c', image }] },
})
const [OLD, NEW] = [podTemplateHash(template('old')), podTemplateHash(template('new'))]
const set = (spec: Partial<DaemonSet['spec']> = {}): DaemonSet => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'd', namespace: 'a', uid: 'd', generation: 1 },
  spec: { selector: { matchLabels: { app: 'd' } }, template: template('old'), ...spec },
})
const node = (name: string, taints: readonly Taint[] = []): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { name } },
  spec: { taints },
})
const revision = (image: string, number: number): ControllerRevision => revisionOf(template(image), number)
const revisionOf = (kept: PodTemplate, number: number): ControllerRevision => {
  const hash = podTemplateHash(kept)
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `d-${hash}`,
      labels: { app: 'd', 'controller-revision-hash': hash },
      ownerReferences: [controlledBy(set())],
    },
    data: revisionData(kept),
    revision: number,
  }
}
type Look = {
  readonly ready?: boolean
  readonly phase?: string
  readonly leaving?: boolean
  readonly of?: string
  readonly name?: string
}
const pod = (
  on: string,
  { ready = true, phase = 'Running', leaving = false, of = OLD, name = `d-${on}` }: Look = {},
): Pod => {
  const { metadata, spec } = buildPod(set(), of, on)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, name, ...(leaving && { deletionTimestamp: SINCE }) },
    spec: { ...spec, nodeName: on },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: SINCE }],
    },
  }
}
const unbound = (on: string): Pod => ({ ...pod(on), spec: buildPod(set(), OLD, on).spec, status: { phase: 'Pending' } })
const seenOf = (given: Partial<DaemonSetSeen>): DaemonSetSeen => ({
  set: set(),
  nodes: [node('x'), node('y'), node('z')],
  candidates: [],
  revisions: [revision('old', 1)],
  revisionNamed: () => undefined,
  waitOn: () => 0,
  nowMs,
  ...given,
})
const steps = (seen: DaemonSetSeen): string[] => {
  const decision = decideDaemonSet(seen)
  if (decision.kind !== 'act') return [decision.kind]
  return decision.changes.map((write) => {
    if (write.do === 'tell') return `tell ${write.tell.reason}`
    if (write.do === 'create' && write.object.kind === 'Pod') return `create on ${targetOf(write.object as Pod)}`
    return write.do === 'patch' ? 'patch' : `${write.do} ${write.object.metadata.name}`
  })
}
const targetOf = ({ spec }: Pod): string => {
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required?.nodeSelectorTerms[0]?.matchFields?.[0]?.values?.[0] ?? ''
}
const all = (look: Look = {}): Pod[] => ['x', 'y', 'z'].map((on) => pod(on, look))
const rolling = (rollingUpdate: object): Partial<DaemonSet['spec']> => ({
  template: template('new'),
  updateStrategy: { type: 'RollingUpdate', rollingUpdate },
})
const moving = {
  set: set(rolling({ maxUnavailable: 1, maxSurge: 0 })),
  revisions: [revision('old', 1), revision('new', 2)],
}
const surging = { ...moving, set: set(rolling({ maxUnavailable: 0, maxSurge: 1 })) }
const fresh = (on: string, look: Look = {}): Pod => pod(on, { of: NEW, name: `new-${on}`, ...look })
const picky: PodTemplate = { ...template('old'), spec: { ...template('old').spec, nodeSelector: { name: 'y' } } }
const closed: Taint = { key: 'team', value: 'a', effect: 'NoSchedule' }
const evicting: Taint = { key: 'team', value: 'a', effect: 'NoExecute' }

const cases: { it: string; seen: Partial<DaemonSetSeen>; want: string[] }[] = [
  { it: 'begins with a revision', seen: { revisions: [] }, want: [`create d-${OLD}`] },
  { it: 'mans every node', seen: { candidates: [pod('y')] }, want: ['create on x', 'create on z'] },
  { it: 'is done when all are manned', seen: { candidates: all() }, want: ['done'] },
  {
    it: 'counts a pod that is not bound yet',
    seen: { nodes: [node('x')], candidates: [unbound('x')] },
    want: ['done'],
  },
  {
    it: 'follows its selector',
    seen: { set: set({ template: picky }), revisions: [revisionOf(picky, 1)] },
    want: ['create on y'],
  },
  { it: 'avoids a taint', seen: { nodes: [node('x', [closed]), node('y')] }, want: ['create on y'] },
  {
    it: 'stays on a node that is closed later',
    seen: { nodes: [node('x', [closed])], candidates: [pod('x')] },
    want: ['done'],
  },
  {
    it: 'leaves a node that drives pods away',
    seen: { nodes: [node('x', [evicting])], candidates: [pod('x')] },
    want: ['delete d-x'],
  },
  {
    it: 'bears a cordon and a sick node',
    seen: {
      nodes: [
        node('x', [
          { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' },
          { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' },
        ]),
      ],
    },
    want: ['create on x'],
  },
  {
    it: 'forgets pods of a node that is gone, unless they are not bound',
    seen: { nodes: [], candidates: [pod('x'), unbound('y')] },
    want: ['delete d-y'],
  },
  {
    it: 'keeps the oldest of several pods',
    seen: { nodes: [node('x')], candidates: [pod('x'), pod('x', { name: 'd-xx' })] },
    want: ['delete d-xx'],
  },
  {
    it: 'replaces a failed pod',
    seen: { nodes: [node('x')], candidates: [pod('x', { phase: 'Failed' })] },
    want: ['tell FailedDaemonPod', 'delete d-x'],
  },
  {
    it: 'replaces one of two failed pods of a node at a time',
    seen: { nodes: [node('x')], candidates: ['a', 'b'].map((name) => pod('x', { phase: 'Failed', name })) },
    want: ['tell FailedDaemonPod', 'delete a'],
  },
  {
    it: 'waits before it replaces one that fails again',
    seen: { nodes: [node('x')], candidates: [pod('x', { phase: 'Failed' })], waitOn: () => 2000 },
    want: ['done'],
  },
  {
    it: 'replaces a pod that has ended',
    seen: { nodes: [node('x')], candidates: [pod('x', { phase: 'Succeeded' })] },
    want: ['tell SucceededDaemonPod', 'delete d-x'],
  },
  { it: 'updates one node at a time', seen: { ...moving, candidates: all() }, want: ['delete d-x'] },
  {
    it: 'updates as many as may be missing, percentages rounded up',
    seen: { ...moving, set: set(rolling({ maxUnavailable: '50%' })), candidates: all() },
    want: ['delete d-x', 'delete d-y'],
  },
  {
    it: 'waits for a new pod',
    seen: { ...moving, candidates: [fresh('x', { ready: false }), pod('y'), pod('z')] },
    want: ['done'],
  },
  {
    it: 'replaces pods that do not serve at once',
    seen: { ...moving, candidates: [pod('x', { ready: false }), pod('y', { ready: false }), pod('z')] },
    want: ['delete d-x', 'delete d-y'],
  },
  {
    it: 'leaves updates to others when told so',
    seen: {
      ...moving,
      set: set({ template: template('new'), updateStrategy: { type: 'OnDelete' } }),
      candidates: all(),
    },
    want: ['done'],
  },
  { it: 'surges on one node', seen: { ...surging, candidates: all() }, want: ['create on x'] },
  {
    it: 'keeps the old pod until the new one serves',
    seen: { ...surging, candidates: [...all(), fresh('x', { ready: false })] },
    want: ['done'],
  },
  {
    it: 'drops the old pod when the new one serves',
    seen: { ...surging, candidates: [...all(), fresh('x')] },
    want: ['delete d-x'],
  },
  {
    it: 'goes back to a revision that it had',
    seen: { revisions: [revision('old', 1), revision('new', 2)] },
    want: [`replace d-${OLD}`],
  },
  {
    it: 'forgets revisions beyond its limit, but for those that pods are of',
    seen: {
      set: set({ revisionHistoryLimit: 0, updateStrategy: { type: 'OnDelete' } }),
      revisions: [revision('new', 1), revision('even newer', 2), revision('old', 3)],
      candidates: [fresh('x'), pod('y'), pod('z')],
    },
    want: [`delete d-${podTemplateHash(template('even newer'))}`],
  },
  {
    it: 'keeps one of two revisions of a template, and its pods follow',
    seen: {
      revisions: [
        revision('old', 1),
        {
          ...revision('old', 2),
          metadata: {
            ...revision('old', 2).metadata,
            name: 'twin',
            labels: { app: 'd', 'controller-revision-hash': 'twin' },
          },
        },
      ],
      candidates: all(),
    },
    want: ['patch', 'patch', 'patch'],
  },
  {
    it: 'raises the collision count',
    seen: { revisions: [], revisionNamed: () => revision('new', 1) },
    want: ['replace d'],
  },
  {
    it: 'does nothing while it is being deleted',
    seen: { set: { ...set(), metadata: { ...set().metadata, deletionTimestamp: SINCE } } },
    want: ['done'],
  },
  { it: 'waits after a refusal', seen: { failure: 'quota exceeded' }, want: ['wait'] },
]
for (const { it, seen, want } of cases)
  test(`a DaemonSet ${it}`, () => {
    assert.deepEqual(steps(seenOf(seen)), want)
  })

test('a DaemonSet writes its pods as the original does', () => {
  const { spec, metadata } = buildPod(
    set({
      template: {
        metadata: {},
        spec: {
          containers: [],
          hostNetwork: true,
          tolerations: [{ operator: 'Exists' }],
          affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } },
        },
      },
    }),
    'hash',
    'x',
  )
  assert.equal(metadata.generateName, 'd-')
  assert.deepEqual(spec.affinity?.nodeAffinity, {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['x'] }] }],
    },
  })
  assert.deepEqual(
    spec.tolerations?.map(({ key }) => key?.replace('node.kubernetes.io/', '')),
    [
      undefined,
      'not-ready',
      'unreachable',
      'disk-pressure',
      'memory-pressure',
      'pid-pressure',
      'unschedulable',
      'network-unavailable',
    ],
  )
})

test('the status of a DaemonSet counts nodes', () => {
  const seen = seenOf({
    ...moving,
    nodes: [node('w', [closed]), node('x'), node('y'), node('z')],
    candidates: [pod('w'), fresh('x', { ready: false }), pod('y'), pod('z', { leaving: true })],
  })
  const decision = decideDaemonSet(seen)
  const [write] = decision.kind === 'done' ? decision.status : []
  const status = write?.do === 'replace' ? (write.object as DaemonSet).status : undefined
  const want: DaemonSetStatus = {
    currentNumberScheduled: 3,
    numberMisscheduled: 1,
    desiredNumberScheduled: 3,
    numberReady: 2,
    observedGeneration: 1,
    updatedNumberScheduled: 1,
    numberAvailable: 2,
    numberUnavailable: 1,
  }
  assert.deepEqual(status, want)
})

test('each failure on a node doubles the wait, up to 15 minutes', () => {
  const waits = failureWaits()
  assert.equal(waits.waitMs(set(), 'x', 0), 0)
  waits.note(set(), 'x', 0)
  assert.equal(waits.waitMs(set(), 'x', 0), 1000)
  waits.note(set(), 'x', 1000)
  assert.equal(waits.waitMs(set(), 'x', 1000), 2000)
  for (let count = 0; count < 20; count++) waits.note(set(), 'x', 1000)
  assert.equal(waits.waitMs(set(), 'x', 1000), 900_000)
  assert.equal(waits.waitMs(set(), 'y', 1000), 0)
  const changed = { ...set(), status: { observedGeneration: 2 } } as DaemonSet
  assert.equal(waits.waitMs(changed, 'x', 1000), 0)
})
