import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Taint } from '../shapes.ts'
import { decideRegistration, decideTaints, type NodeSeen } from './decide.ts'

const node = (status: Record<string, string>, taints: readonly Taint[] = [], unschedulable = false): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n' },
  spec: { ...(taints.length > 0 && { taints }), ...(unschedulable && { unschedulable }) },
  status: { conditions: Object.entries(status).map(([type, each]) => ({ type, status: each })) as never },
})
const NOW_MS = Date.parse('2026-11-23T04:00:00Z')
const timeAdded = '2026-11-23T04:00:00Z'
const NEW: Taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }
const FOREIGN: Taint = { key: 'team', value: 'a', effect: 'NoSchedule' }

const cases: { it: string; seen: Node; want: readonly Taint[] | 'nothing' }[] = [
  { it: 'opens a node that has not said yet', seen: node({}, [NEW]), want: [] },
  { it: 'opens a node that is ready', seen: node({ Ready: 'True' }, [NEW, FOREIGN]), want: [FOREIGN] },
  {
    it: 'closes a node that is not',
    seen: node({ Ready: 'False' }, [FOREIGN]),
    want: [FOREIGN, { ...NEW, timeAdded }],
  },
  {
    it: 'tells a lost node from a sick one',
    seen: node({ Ready: 'Unknown' }, [NEW]),
    want: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule', timeAdded }],
  },
  {
    it: 'closes a cordoned node',
    seen: node({ Ready: 'True' }, [], true),
    want: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule', timeAdded }],
  },
  { it: 'writes nothing when all is so already', seen: node({ Ready: 'False' }, [NEW]), want: 'nothing' },
]
for (const { it, seen, want } of cases)
  test(`node taints: ${it}`, () => {
    const decision = decideTaints({ node: seen, nowMs: NOW_MS })
    assert.equal(decision.kind, 'done')
    const [write] = decision.kind === 'done' ? decision.status : []
    const object = write !== undefined && write.do === 'replace' ? (write.object as Node) : undefined
    assert.deepEqual(want === 'nothing' ? object : (object?.spec?.taints ?? []), want === 'nothing' ? undefined : want)
  })

const labelled = (labels: Record<string, string>, annotations: Record<string, string> = ttl): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n', uid: 'u', labels, annotations },
})
const ttl = { 'node.alpha.kubernetes.io/ttl': '0' }
const [OS, OLD_OS] = ['kubernetes.io/os', 'beta.kubernetes.io/os']

const registrations: { it: string; seen: NodeSeen; want: readonly unknown[] }[] = [
  { it: 'is left alone when it is known', seen: { node: labelled({}), isNew: false }, want: [] },
  {
    it: 'is told of when it is new',
    seen: { node: labelled({}), isNew: true },
    want: ['Node n event: Registered Node n in Controller'],
  },
  {
    it: 'is told of when it has gone',
    seen: { gone: { name: 'n', uid: 'u' } },
    want: ['Node n event: Removing Node n from Controller'],
  },
  {
    it: 'gets its annotation and the former name of a label',
    seen: { node: labelled({ [OS]: 'linux' }, {}), isNew: false },
    want: [{ metadata: { annotations: ttl, labels: { [OLD_OS]: 'linux' } } }],
  },
  {
    it: 'gets the former name right',
    seen: { node: labelled({ [OS]: 'linux', [OLD_OS]: 'windows' }), isNew: false },
    want: [{ metadata: { labels: { [OLD_OS]: 'linux' } } }],
  },
  { it: 'keeps a former name alone', seen: { node: labelled({ [OLD_OS]: 'windows' }), isNew: false }, want: [] },
  { it: 'that has both is left alone', seen: { node: labelled({ [OS]: 'l', [OLD_OS]: 'l' }), isNew: false }, want: [] },
]
for (const { it, seen, want } of registrations)
  test(`a node ${it}`, () => {
    const decided = decideRegistration(seen)
    const told = decided.kind === 'done' ? decided.status : []
    assert.deepEqual(
      told.map((write) => (write.do === 'tell' ? write.tell.message : write.do === 'patch' ? write.body : write.do)),
      want,
    )
  })
