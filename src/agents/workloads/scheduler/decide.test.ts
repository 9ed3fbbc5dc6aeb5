import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Pod, PodSpec } from '../shapes.ts'
import { isWaitingForNode, placePod, type Room } from './decide.ts'
import { demandOf, milli } from './resources.ts'

const ready: Node['status'] = {
  conditions: [{ type: 'Ready', status: 'True' }],
  allocatable: { cpu: '2', memory: '1Gi', pods: '3' },
}
const calm: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n', labels: { disk: 'ssd' } },
  status: ready ?? {},
}
const room = (node: Partial<Node> = {}, used = { cpu: 0, memory: 0, pods: 0 }): Room => ({
  node: { ...calm, ...node } as Node,
  used,
})
const pod = (spec: Partial<PodSpec> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'a' },
  spec: { containers: [{ name: 'c', resources: { requests: { cpu: '500m', memory: '256Mi' } } }], ...spec },
})
const tainted = { spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } }

const cases: { it: string; spec?: Partial<PodSpec>; rooms: Room[]; want: string }[] = [
  { it: 'goes to the only node', rooms: [room()], want: 'n' },
  {
    it: 'goes to the emptier node',
    rooms: [room({}, { cpu: 0, memory: 0, pods: 1 }), room({ metadata: { name: 'm' } })],
    want: 'm',
  },
  { it: 'waits without nodes', rooms: [], want: 'no nodes available to schedule pods' },
  {
    it: 'waits for CPU',
    rooms: [room({}, { cpu: 1600, memory: 0, pods: 1 })],
    want: '0/1 nodes are available: 1 Insufficient cpu.',
  },
  {
    it: 'waits for memory',
    rooms: [room({}, { cpu: 0, memory: 9e8, pods: 1 })],
    want: '0/1 nodes are available: 1 Insufficient memory.',
  },
  {
    it: 'waits for a place',
    rooms: [room({}, { cpu: 0, memory: 0, pods: 3 })],
    want: '0/1 nodes are available: 1 Too many pods.',
  },
  {
    it: 'waits for a cordoned node',
    rooms: [room({ spec: { unschedulable: true } })],
    want: '0/1 nodes are available: 1 node(s) were unschedulable.',
  },
  {
    it: 'avoids a taint',
    rooms: [room(tainted)],
    want: '0/1 nodes are available: 1 node(s) had untolerated taint(s).',
  },
  {
    it: 'tolerates a taint',
    spec: { tolerations: [{ key: 'k', operator: 'Exists' }] },
    rooms: [room(tainted)],
    want: 'n',
  },
  { it: 'follows its selector', spec: { nodeSelector: { disk: 'ssd' } }, rooms: [room()], want: 'n' },
  {
    it: 'waits for its selector',
    spec: { nodeSelector: { disk: 'hdd' } },
    rooms: [room()],
    want: "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
  },
  {
    it: 'waits for readiness',
    rooms: [room({ status: {} })],
    want: '0/1 nodes are available: 1 node(s) were not ready.',
  },
]
for (const { it, spec, rooms, want } of cases)
  test(`a pod ${it}`, () => {
    const placement = placePod(pod(spec), rooms)
    assert.equal(placement.nodeName ?? ('why' in placement ? placement.why : ''), want)
  })

test('pods of other schedulers, gated, placed or leaving ones are left alone', () => {
  assert.ok(isWaitingForNode(pod()))
  for (const spec of [{ schedulerName: 'fake' }, { nodeName: 'n' }, { schedulingGates: [{ name: 'g' }] }])
    assert.equal(isWaitingForNode(pod(spec)), false)
})

test('demand is the sum of containers, or the largest init container', () => {
  assert.deepEqual(demandOf(pod({ initContainers: [{ name: 'i', resources: { requests: { cpu: 2 } } }] })), {
    cpu: 2000,
    memory: 268435456,
    pods: 1,
  })
  assert.equal(milli('1Ki'), 1024000)
  assert.equal(milli('nonsense'), 0)
})
