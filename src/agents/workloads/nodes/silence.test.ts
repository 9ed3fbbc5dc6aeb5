import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideSilence, type SilenceSeen, zoneStateOf } from './silence.ts'

const nowMs = Date.parse('2026-11-27T12:00:00Z')
const node = (ready: string | undefined, taints: object[] = []): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n', uid: 'u', resourceVersion: '7', creationTimestamp: '2026-11-27T11:00:00Z' },
  spec: { taints: taints as never },
  status: { conditions: ready === undefined ? [] : [{ type: 'Ready', status: ready, reason: 'KubeletReady' }] },
})
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'a' },
  spec: { nodeName: 'n', containers: [] },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
}
const calm: SilenceSeen = {
  node: node('True'),
  pods: [],
  heardMs: nowMs - 10_000,
  zone: 'normal',
  isAllLost: false,
  nowMs,
}
const said = (write: Write): string =>
  write.do === 'patch'
    ? JSON.stringify(write.body)
    : write.do === 'replace'
      ? `${write.object.kind} ${JSON.stringify((write.object as Node).status?.conditions?.map(({ type, status, reason }) => [type, status, reason]))}`
      : write.do
const unsure = { type: 'Ready', status: 'Unknown' }
const calmly = ['MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => ({ type, status: 'False' }))
const stale: Node = { ...node('Unknown'), status: { conditions: [unsure, ...calmly] } }
const whole: Node = { ...node('True'), status: { conditions: [{ type: 'Ready', status: 'True' }, ...calmly] } }
const evicting = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }

const cases: { it: string; seen: Partial<SilenceSeen>; want: readonly string[] }[] = [
  { it: 'leaves a node alone that speaks', seen: {}, want: [] },
  {
    it: 'knows nothing of a node that is silent',
    seen: { heardMs: nowMs - 51_000, pods: [pod] },
    want: [
      'Pod [["Ready","False",null]]',
      'tell',
      'Node [["Ready","Unknown","NodeStatusUnknown"],["MemoryPressure","Unknown","NodeStatusNeverUpdated"],' +
        '["DiskPressure","Unknown","NodeStatusNeverUpdated"],["PIDPressure","Unknown","NodeStatusNeverUpdated"]]',
    ],
  },
  {
    it: 'changes nothing of a node that is known to be silent',
    seen: { node: stale, heardMs: nowMs - 51_000, isAllLost: true },
    want: [],
  },
  {
    it: 'knows no longer that a pod of unknown readiness may be ready',
    seen: { heardMs: nowMs - 51_000, node: whole, pods: [{ ...pod, status: { conditions: [unsure] } }] },
    want: [
      'Pod [["Ready","False",null]]',
      'tell',
      'Node [["Ready","Unknown","NodeStatusUnknown"],["MemoryPressure","Unknown","NodeStatusUnknown"],' +
        '["DiskPressure","Unknown","NodeStatusUnknown"],["PIDPressure","Unknown","NodeStatusUnknown"]]',
    ],
  },
  { it: 'waits longer for one that never spoke', seen: { node: node(undefined), heardMs: nowMs - 55_000 }, want: [] },
  {
    it: 'evicts from it',
    seen: { node: node('Unknown') },
    want: [
      '{"metadata":{"resourceVersion":"7"},"spec":{"taints":[{"key":"node.kubernetes.io/unreachable","effect":"NoExecute","timeAdded":"2026-11-27T12:00:00Z"}]}}',
    ],
  },
  { it: 'evicts nothing where all is lost', seen: { node: node('Unknown'), isAllLost: true }, want: [] },
  { it: 'evicts no more where most is lost', seen: { node: node('Unknown'), zone: 'partial' }, want: [] },
  {
    it: 'forgives a node that is back',
    seen: { node: node('True', [evicting]) },
    want: ['{"metadata":{"resourceVersion":"7"},"spec":{"taints":[]}}'],
  },
]
for (const { it, seen, want } of cases)
  test(`node silence: ${it}`, () => {
    const decision = decideSilence({ ...calm, ...seen })
    assert.deepEqual(decision.kind === 'act' ? decision.changes.map(said) : [], want)
  })

test('a zone is lost in part from three nodes and 55 % on', () => {
  const zone = (lost: number, ready: number) =>
    zoneStateOf([...Array<boolean>(lost).fill(false), ...Array<boolean>(ready).fill(true)])
  assert.deepEqual(
    [zone(0, 1), zone(1, 0), zone(2, 1), zone(3, 2), zone(3, 3)],
    ['normal', 'full', 'normal', 'partial', 'normal'],
  )
})
