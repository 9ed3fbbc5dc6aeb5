import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../shapes.ts'
import { retryAfterMs } from './failure.ts'
import { failedIndexes } from './index-failures.ts'
import { NOTHING } from './remembered.ts'
import type { Job } from './shapes.ts'

const NOW = Date.parse('2026-11-28T03:00:00Z')
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString().replace('.000', '')

type Ended = { readonly phase: string; readonly agoS: number; readonly sidecarAgoS?: number }

function pod({ phase, agoS, sidecarAgoS }: Ended): Pod {
  const ended = (name: string, seconds: number) => ({
    name,
    state: { terminated: { exitCode: 1, finishedAt: ago(seconds) } },
  })
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', uid: `${phase} ${agoS}`, creationTimestamp: ago(3600) },
    spec: {
      containers: [{ name: 'c' }],
      ...(sidecarAgoS !== undefined && { initContainers: [{ name: 's', restartPolicy: 'Always' }] }),
    },
    status: {
      phase,
      containerStatuses: [ended('c', agoS)],
      ...(sidecarAgoS !== undefined && { initContainerStatuses: [ended('s', sidecarAgoS)] }),
    },
  } as unknown as Pod
}

// the Job controller of Kubernetes 1.37 waits as long
const cases: { it: string; ended: readonly Ended[]; want: number }[] = [
  {
    it: 'does not wait after a success',
    ended: [
      { phase: 'Succeeded', agoS: 1 },
      { phase: 'Failed', agoS: 2 },
    ],
    want: 0,
  },
  {
    it: 'waits after a failure',
    ended: [
      { phase: 'Failed', agoS: 2 },
      { phase: 'Succeeded', agoS: 3 },
    ],
    want: 8,
  },
  {
    it: 'waits twice as long after two',
    ended: [
      { phase: 'Failed', agoS: 2 },
      { phase: 'Failed', agoS: 3 },
    ],
    want: 18,
  },
  {
    it: 'takes what failed in the second of a success as before it',
    ended: [
      { phase: 'Failed', agoS: 2 },
      { phase: 'Succeeded', agoS: 2 },
    ],
    want: 0,
  },
  { it: 'waits from the end of the last sidecar', ended: [{ phase: 'Failed', agoS: 9, sidecarAgoS: 1 }], want: 9 },
]
for (const { it, ended, want } of cases)
  test(`a Job ${it}`, () => assert.equal(retryAfterMs(ended.map(pod), NOTHING, NOW) / 1000, want))

test('a Job of very many failed pods waits as long as any', () => {
  const one = pod({ phase: 'Failed', agoS: 2 })
  const many = Array.from({ length: 130_000 }, (_, at) => ({ ...one, metadata: { ...one.metadata, uid: `${at}` } }))
  assert.equal(retryAfterMs(many, NOTHING, NOW), 598_000)
})

test('a Job that has shrunk forgets failed indexes beyond its end', () => {
  const job = {
    metadata: {},
    spec: { completions: 3, backoffLimitPerIndex: 1, template: { spec: {} } },
  } as unknown as Job
  assert.equal(failedIndexes(job, { failedIndexes: '1-4' }, []), '1,2')
})
