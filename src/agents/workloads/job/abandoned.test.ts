import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WatchCache } from '../../../adapters/kube/types.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Pod } from '../shapes.ts'
import { abandonedPods } from './abandoned.ts'
import { TRACKING } from './ended.ts'

const NOW = 5
const leaving: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    namespace: 'a',
    name: 'p',
    uid: 'p',
    deletionTimestamp: '2026-11-27T00:00:00Z',
    finalizers: [TRACKING],
    ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'j', controller: true }],
  },
  spec: { containers: [] },
  status: { phase: 'Running' },
}
const jobWith = (uid: string, suspend = false): KubeObject => ({
  ...{ apiVersion: 'batch/v1', kind: 'Job', spec: { suspend } },
  metadata: { namespace: 'a', name: 'j', uid },
})

const cases: { it: string; job: KubeObject | undefined; pod?: Pod; want: readonly number[] }[] = [
  { it: 'of its Job is remembered', job: jobWith('j'), want: [NOW] },
  { it: 'that had ended is not', job: jobWith('j'), pod: { ...leaving, status: { phase: 'Failed' } }, want: [] },
  { it: 'of a suspended Job is not', job: jobWith('j', true), want: [] },
  { it: 'whose Job is gone is not', job: undefined, want: [] },
  { it: 'of a former Job of the name is not', job: jobWith('other'), want: [] },
]
for (const { it, job, pod = leaving, want } of cases)
  test(`a pod that is deleted ${it}`, () => {
    const jobs = { get: (namespace, name) => (`${namespace}/${name}` === 'a/j' ? job : undefined) } as WatchCache
    const abandoned = abandonedPods(jobs, { nowMs: () => NOW })
    abandoned.note(pod)
    assert.deepEqual(abandoned.of('j'), want)
    abandoned.forget('j')
    assert.deepEqual(abandoned.of('j'), [])
  })
