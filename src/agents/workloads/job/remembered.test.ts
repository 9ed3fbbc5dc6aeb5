import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WatchCache } from '../../../adapters/kube/types.ts'
import { assertLinear } from '../../../../tests/support/cpu-time.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Pod } from '../shapes.ts'
import { TRACKING } from './ended.ts'
import { retryAfterMs } from './failure.ts'
import { jobMemory } from './remembered.ts'

const NOW = Date.parse('2026-11-27T00:00:10Z')
const held = (uid: string, phase: string, endedAt?: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    ...{ namespace: 'a', name: uid, uid, creationTimestamp: '2026-11-27T00:00:01Z', finalizers: [TRACKING] },
    ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'j', controller: true }],
  },
  spec: { containers: [] },
  status: { phase, conditions: [{ type: 'Ready', status: 'False', ...(endedAt && { lastTransitionTime: endedAt }) }] },
})
const leaving = (pod: Pod): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, deletionTimestamp: '2026-11-27T00:00:08Z', deletionGracePeriodSeconds: 0 },
})
const free = (pod: Pod): Pod => ({ ...pod, metadata: { ...pod.metadata, finalizers: [] } })
const job = (uid: string, podReplacementPolicy?: string): KubeObject => ({
  ...{ apiVersion: 'batch/v1', kind: 'Job', spec: { podReplacementPolicy } },
  metadata: { namespace: 'a', name: 'j', uid },
})
const over = (of: KubeObject): KubeObject =>
  ({ ...of, status: { conditions: [{ type: 'Failed', status: 'True' }] } }) as KubeObject
const failedAt = (second: number): Pod => held(`p${second}`, 'Failed', `2026-11-27T00:00:0${second}Z`)
const eight = [3, 1, 8, 2, 5, 7, 4, 6].map(failedAt)

const failed = held('p', 'Failed', '2026-11-27T00:00:07Z')
const cases: { it: string; of?: KubeObject | undefined; pods: readonly Pod[]; waitS: number }[] = [
  { it: 'waits for a failed pod that is gone', pods: [failed], waitS: 7 },
  { it: 'counts it once', pods: [failed, leaving(failed)], waitS: 7 },
  { it: 'waits for one that was deleted while it ran', pods: [leaving(held('p', 'Running'))], waitS: 8 },
  {
    it: 'does not, where only what has failed is replaced',
    of: job('j', 'Failed'),
    pods: [leaving(held('p', 'Running'))],
    waitS: 0,
  },
  { it: 'forgets it for a later success', pods: [failed, held('s', 'Succeeded', '2026-11-27T00:00:08Z')], waitS: 0 },
  { it: 'passes over what it has let go', pods: [free(failed)], waitS: 0 },
  { it: 'waits no longer after seven in a row', pods: eight.slice(1), waitS: 598 },
  { it: 'waits as long after eight, told more than once', pods: [...eight, ...eight], waitS: 598 },
  {
    it: 'waits for what failed after a success',
    pods: [...eight, held('s', 'Succeeded', '2026-11-27T00:00:06Z')],
    waitS: 18,
  },
  { it: 'that is over remembers nothing', of: over(job('j')), pods: [failed], waitS: 0 },
  { it: 'that is gone remembers nothing', of: undefined, pods: [failed], waitS: 0 },
  { it: 'remembers nothing of a former one of the name', of: job('other'), pods: [failed], waitS: 0 },
]
for (const { it, pods, waitS, ...rest } of cases)
  test(`a Job ${it}`, () => {
    const of = 'of' in rest ? rest.of : job('j')
    const jobs = { get: (namespace, name) => (`${namespace}/${name}` === 'a/j' ? of : undefined) } as WatchCache
    const memory = jobMemory(jobs)
    pods.forEach(memory.note)
    assert.equal(retryAfterMs([], memory.of('j'), NOW) / 1000, waitS)
    memory.forget('j')
    assert.equal(retryAfterMs([], memory.of('j'), NOW), 0)
  })

test('failures cost a Job the same, however many came before', () => {
  const jobs = { get: () => job('j') } as unknown as WatchCache
  const note = (count: number): void => {
    const memory = jobMemory(jobs)
    for (let at = 0; at < count; at++) memory.note(held(`p${at}`, 'Failed', '2026-11-27T00:00:07Z'))
    assert.equal(retryAfterMs([], memory.of('j'), NOW), 597_000)
  }
  assertLinear(note, 4000)
})
