import assert from 'node:assert/strict'
import { test } from 'node:test'
import { podFact } from './pod-watch.ts'

const image = (digest: string) => ({ image: `r/${digest}:1`, imageID: `r/${digest}@sha256:${digest}` })
const podOf = (status: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web-1', namespace: 'shop', labels: { app: 'web' } },
  status,
})

const cases: [it: string, status: object, digest: string | undefined, others: readonly string[] | undefined][] = [
  ['of one container', { containerStatuses: [image('a')] }, 'sha256:a', undefined],
  [
    'of several, and of what ran before them',
    { containerStatuses: [image('a'), image('c'), image('a')], initContainerStatuses: [image('b')] },
    'sha256:a',
    ['sha256:b', 'sha256:c'],
  ],
  ['of one that is not pulled yet', { containerStatuses: [{ image: 'r/a:1', imageID: '' }] }, undefined, undefined],
]
for (const [it, status, digest, others] of cases)
  test(`a pod is told with the digests ${it}`, () => {
    const fact = podFact(podOf(status), false)
    assert.deepEqual(fact?.kind === 'pod' ? [fact.digest, fact.others] : [undefined, undefined], [digest, others])
  })
