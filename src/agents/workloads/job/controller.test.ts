import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liveCopy } from '../../../../tests/support/live-copy.ts'
import { forSeeds, servedKind, simulateCluster } from '../../../../tests/support/simulated-cluster.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { jobController } from './controller.ts'
import { TRACKING } from './ended.ts'

const held = (name: string, ownerUid?: string): KubeObject => ({
  ...{ apiVersion: 'v1', kind: 'Pod' },
  metadata: {
    ...{ namespace: 'a', name, finalizers: [TRACKING] },
    ...(ownerUid !== undefined && {
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: ownerUid, controller: true }],
    }),
  },
})

/** The controller beside what it looks at, and the keys that have been woken since they were last taken. */
async function start(objects: { readonly Job: KubeObject[]; readonly Pod: KubeObject[] }) {
  const jobs = liveCopy(objects.Job)
  const pods = liveCopy(objects.Pod)
  const bench = {
    cache: (_: string, kind: string) => (kind === 'Job' ? jobs : pods).cache,
    clock: { nowMs: () => 0 },
  }
  const woken = new Set<string>()
  const controller = jobController(bench as Bench)
  await controller.watch({ now: (key) => void woken.add(key), after: () => undefined })
  const take = (): string[] => {
    const keys = [...woken].sort()
    woken.clear()
    return keys
  }
  const lost = async (key: string): Promise<readonly string[]> => {
    const seen = await controller.observe(key)
    return seen && 'lost' in seen ? seen.lost.map(({ metadata }) => metadata.name) : []
  }
  return { controller, jobs, pods, take, lost }
}

const job = (uid: string): KubeObject => ({
  ...{ apiVersion: 'batch/v1', kind: 'Job', spec: { template: { spec: { containers: [] } } } },
  metadata: { namespace: 'a', name: 'j', uid },
})

test('pods that a Job left behind before the start are let go, orphans and others', async () => {
  const { take } = await start({
    Job: [job('now')],
    Pod: [held('mine', 'now'), held('former', 'before'), held('orphan')],
  })

  assert.deepEqual(
    take().filter((key) => key !== 'a/j'),
    ['a/j/before', 'a/orphan/'],
  )
})

test('a pod of a Job of another group is not let go', async () => {
  const pod = held('p', 'gone')
  const owner = { ...pod.metadata.ownerReferences?.[0], apiVersion: 'batch.example.com/v1' }
  const foreign = { ...pod, metadata: { ...pod.metadata, ownerReferences: [owner as never] } }
  const { lost, take } = await start({ Job: [], Pod: [foreign] })
  assert.deepEqual([take(), await lost('a/j/gone')], [['a/j'], []])
})

test('a pod of which the creation answers after the end of its Job is let go', async () => {
  const { jobs, pods, take, lost } = await start({ Job: [job('one')], Pod: [] })
  jobs.tell(job('one'), 'DELETED')
  assert.deepEqual([take(), await lost('a/j/one')], [['a/j', 'a/j/one'], []])

  pods.tell(held('late', 'one'), 'ADDED')
  assert.deepEqual([take(), await lost('a/j/one')], [['a/j', 'a/j/one'], ['late']])

  jobs.tell(job('two'), 'ADDED')
  pods.tell(held('later', 'one'), 'ADDED')
  pods.tell(held('mine', 'two'), 'ADDED')
  assert.deepEqual([take(), await lost('a/j/one'), await lost('a/j/two')], [['a/j', 'a/j/one'], ['late', 'later'], []])

  pods.tell({ ...held('late', 'one'), metadata: { ...held('late', 'one').metadata, finalizers: [] } }, 'MODIFIED')
  pods.tell(held('later', 'one'), 'DELETED')
  assert.deepEqual([take(), await lost('a/j/one')], [['a/j'], []])
})

test('a Job that is over remembers no failures', async () => {
  const { jobs, pods, controller } = await start({ Job: [job('one')], Pod: [] })
  const failures = async (): Promise<number | undefined> => {
    const seen = await controller.observe('a/j')
    return seen && 'job' in seen ? seen.remembered.failures.size : undefined
  }
  const failed: KubeObject = { ...held('p', 'one'), ...{ spec: { containers: [] }, status: { phase: 'Failed' } } }
  pods.tell({ ...failed, metadata: { ...failed.metadata, creationTimestamp: '2026-11-28T00:00:00Z' } }, 'ADDED')
  assert.equal(await failures(), 1)

  const status = { conditions: [{ type: 'Complete', status: 'True' }] }
  jobs.tell({ ...job('one'), ...{ status } }, 'MODIFIED')
  assert.equal(await failures(), 0)
})

const kinds = [servedKind('batch/v1', 'Job', 'jobs'), servedKind('v1', 'Pod', 'pods')]

test('a Job whose time is over stays where somebody has let it live longer', () =>
  forSeeds(8, async (seed) => {
    const { store, clock, run } = simulateCluster(seed, kinds, 0)
    const over = (ttlSecondsAfterFinished: number): KubeObject => ({
      ...job('one'),
      spec: { ttlSecondsAfterFinished, template: { spec: { containers: [] } } },
      status: { conditions: [{ type: 'Complete', status: 'True', lastTransitionTime: '1970-01-01T00:00:00Z' }] },
    })
    const isLeaving = (): boolean => store.get('Job', 'a', 'j')?.metadata.deletionTimestamp !== undefined
    store.put(over(60))
    // in the moment in which its time is over
    clock.after(60_000, () => store.put(over(90)))
    clock.after(89_000, () => assert.equal(isLeaving(), false))
    await run((bench) => [jobController(bench)])
    assert.ok(isLeaving())
  }))
