import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod, Taint, Toleration } from '../shapes.ts'
import { decideEviction, toleratedMs } from './evict.ts'

const taint: Taint = { key: 'k', value: 'v', effect: 'NoExecute' }
const other: Taint = { key: 'other', effect: 'NoExecute' }
const forK = (tolerationSeconds?: number): Toleration => ({
  key: 'k',
  operator: 'Exists',
  ...(tolerationSeconds !== undefined && { tolerationSeconds }),
})
const cases: [it: string, tolerations: Toleration[], taints: Taint[], wantMs: number][] = [
  ['none', [], [taint], 0],
  ['for ever', [forK()], [taint], Infinity],
  ['for a while', [forK(3)], [taint], 3000],
  ['for less than nothing', [forK(-3)], [taint], 0],
  ['the first that fits counts', [forK(3), forK(1)], [taint], 3000],
  [
    'the shorter of two taints',
    [forK(3), { key: 'other', operator: 'Exists', tolerationSeconds: 2 }],
    [taint, other],
    2000,
  ],
  ['one of two', [forK(3)], [taint, other], 0],
  ['another effect', [{ ...forK(), effect: 'NoSchedule' }], [taint], 0],
]
for (const [it, tolerations, taints, wantMs] of cases)
  test(`taints are tolerated: ${it}`, () => assert.equal(toleratedMs(tolerations, taints), wantMs))

const pod = (tolerations: Toleration[], deletionTimestamp?: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'a', ...(deletionTimestamp !== undefined && { deletionTimestamp }) },
  spec: { containers: [], tolerations },
})

test('a pod is told why and deleted, when its time is over', () => {
  const at = (nowMs: number): ReturnType<typeof decideEviction> =>
    decideEviction({ pod: pod([forK(3)]), taints: [taint], sinceMs: 1000, nowMs })
  assert.deepEqual(at(2000), { kind: 'done', status: [], againAfterMs: 2000 })
  const over = at(4000)
  assert.deepEqual(over.kind === 'done' && over.status.map((write) => write.do), ['patch', 'delete'])
})

test('a pod that leaves, or whose node has no such taint, is left alone', () => {
  const seen = { sinceMs: 0, nowMs: 0 }
  assert.deepEqual(decideEviction({ ...seen, pod: pod([], 'now'), taints: [taint] }), { kind: 'done', status: [] })
  assert.deepEqual(decideEviction({ ...seen, pod: pod([]), taints: [] }), { kind: 'done', status: [] })
})
