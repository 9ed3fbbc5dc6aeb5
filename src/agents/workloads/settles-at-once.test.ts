import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asJson } from '../../lib/kube/json.ts'
import { mergePatch } from '../../lib/kube/merge-patch.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import type { WorkloadDecision } from './decision.ts'
import { decideRegistration, decideTaints } from './nodes/decide.ts'
import { decideSilence } from './nodes/silence.ts'
import { decideClaim, decideClass, decideVolume } from './protection/decide.ts'
import { decideQuota } from './quota/decide.ts'
import { as, type Node, type Pod } from './shapes.ts'

const NOW_MS = Date.parse('2026-11-23T04:00:00Z')

/** Every choice of one item from each list. */
function choices<T extends readonly (readonly unknown[])[]>(...lists: T): { [K in keyof T]: T[K][number] }[] {
  const all = lists.reduce<unknown[][]>(
    (chosen, list) => chosen.flatMap((before) => list.map((item) => [...before, item])),
    [[]],
  )
  return all as { [K in keyof T]: T[K][number] }[]
}

const readiness = [undefined, 'True', 'False', 'Unknown']
const taints = [
  [],
  [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }],
  [
    { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' },
    { key: 'own', effect: 'NoExecute' },
  ],
]
const nodes = choices(readiness, ['True', 'False'], taints, [true, false]).map(
  ([ready, pressure, has, unschedulable]): Node => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n', labels: { 'kubernetes.io/os': 'linux' } },
    spec: { taints: has, unschedulable },
    status: {
      conditions: [
        { type: 'MemoryPressure', status: pressure },
        ...(ready === undefined ? [] : [{ type: 'Ready', status: ready }]),
      ],
    },
  }),
)
const kept = choices(['Pending', 'Bound'], [[], ['mine'], ['kubernetes.io/pvc-protection', 'mine']], [true, false]).map(
  ([phase, finalizers, isLeaving]): KubeObject => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: 'c',
      namespace: 'a',
      finalizers,
      ...(isLeaving && { deletionTimestamp: '2026-11-23T04:00:00Z' }),
    },
    spec: {},
    status: { phase },
  }),
)
const user: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'a' },
  spec: { containers: [], nodeName: 'n', volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] },
  status: { phase: 'Running', containerStatuses: [{ name: 'c', state: {} }] },
}
const quotas = choices(
  [{}, { pods: '1' }, { pods: '1', 'count/x.y': '2' }],
  [{}, { pods: '3', 'count/x.y': '1', cpu: '1' }],
).map(([hard, used]): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'q', namespace: 'a' },
  spec: { hard },
  status: { hard, used },
}))

type Row = {
  readonly it: string
  readonly states: readonly KubeObject[]
  readonly decide: (object: KubeObject) => WorkloadDecision
}
const silent = { pods: [], heardMs: NOW_MS - 3_600_000, isAllLost: false, nowMs: NOW_MS }
const rows: readonly Row[] = [
  { it: 'taints of conditions', states: nodes, decide: (node) => decideTaints({ node: as(node), nowMs: NOW_MS }) },
  {
    it: 'the registry of nodes',
    states: nodes,
    decide: (node) => decideRegistration({ node: as(node), isNew: false }),
  },
  {
    it: 'the watch for silent nodes',
    states: nodes,
    decide: (node) => decideSilence({ ...silent, node: as(node), zone: 'normal' }),
  },
  {
    it: 'a zone that is lost',
    states: nodes,
    decide: (node) => decideSilence({ ...silent, node: as(node), zone: 'full', isAllLost: true }),
  },
  { it: 'the guard of used claims', states: kept, decide: (claim) => decideClaim(claim, [user], NOW_MS) },
  { it: 'the guard of unused claims', states: kept, decide: (claim) => decideClaim(claim, [], NOW_MS) },
  { it: 'the guard of volumes', states: kept, decide: decideVolume },
  { it: 'the guard of classes', states: kept, decide: (named) => decideClass(named, []) },
  {
    it: 'quotas',
    states: quotas,
    decide: (quota) =>
      decideQuota({
        quota: as(quota),
        counted: [{ kind: { group: '', plural: 'pods' }, objects: [user] }],
        nowMs: NOW_MS,
      }),
  },
]

/** The object after what was decided of it, and how much that wrote besides Events. */
function carriedOut(
  object: KubeObject,
  decision: WorkloadDecision,
): { readonly after: KubeObject; readonly writes: number } {
  const writes = decision.kind === 'act' ? decision.changes : decision.status
  const after = writes.reduce((before, write) => {
    if (write.do === 'patch') return as<KubeObject>(mergePatch(asJson(before), asJson(write.body)) as never)
    if (write.do !== 'replace') return before
    return write.subresource === 'status'
      ? { ...before, status: write.object['status'] }
      : { ...write.object, status: before['status'] }
  }, object)
  return { after, writes: writes.filter((write) => write.do !== 'tell').length }
}

for (const { it, states, decide } of rows)
  test(`from any state it takes ${it} two looks at most until nothing is written any more`, () => {
    for (const state of states) {
      const once = carriedOut(state, decide(state))
      const twice = carriedOut(once.after, decide(once.after))
      assert.equal(carriedOut(twice.after, decide(twice.after)).writes, 0, JSON.stringify(state))
    }
  })
