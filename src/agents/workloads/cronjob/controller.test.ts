import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liveCopy } from '../../../../tests/support/live-copy.ts'
import type { KubeObject, ObjectRef } from '../../../lib/kube/object.ts'
import { ApiError } from '../../../adapters/kube/api-error.ts'
import { controlledBy } from '../meta.ts'
import type { Bench } from '../bench.ts'
import type { Write } from '../write.ts'
import { cronJobController } from './controller.ts'
import type { CronJob } from './decide.ts'

const cronJob: KubeObject = {
  ...{ apiVersion: 'batch/v1', kind: 'CronJob' },
  metadata: { namespace: 'a', name: 'c', uid: 'c', creationTimestamp: '2026-11-23T04:00:00Z' },
  spec: { schedule: '* * * * *', concurrencyPolicy: 'Forbid', jobTemplate: { spec: {} } },
  status: { active: [{ namespace: 'a', name: 'run', uid: 'run' }] },
}
const run = (uid: string): KubeObject => ({
  ...{ apiVersion: 'batch/v1', kind: 'Job', spec: {} },
  metadata: { namespace: 'a', name: 'run', uid, ownerReferences: [controlledBy(cronJob)] },
})

/** What a look decides where the copy has these Jobs and the server that one. */
async function look(known: KubeObject[], live: KubeObject | undefined): Promise<readonly string[]> {
  const copies = { CronJob: liveCopy([cronJob]).cache, Job: liveCopy(known).cache }
  const asked: string[] = []
  const bench = {
    cache: (_: string, kind: keyof typeof copies) => copies[kind],
    clock: { nowMs: () => Date.parse('2026-11-23T04:01:10Z') },
    client: { get: async ({ namespace, name }: ObjectRef) => (asked.push(`${namespace}/${name}`), live) },
  }
  const controller = cronJobController(bench as unknown as Bench)
  await controller.watch({ now: () => undefined, after: () => undefined })
  const seen = await controller.observe('a/c')
  assert.ok(seen)
  const decision = controller.decide(seen)
  const writes = decision.kind === 'act' ? decision.changes : decision.status
  return [...asked, ...writes.flatMap((write) => (write.do === 'tell' ? [write.tell.reason] : [write.do]))]
}

test('a Job that is listed counts as running until the server, too, knows of none', async () => {
  assert.deepEqual(await look([run('run')], undefined), ['JobAlreadyActive'])
  assert.deepEqual(await look([], run('run')), ['a/run', 'JobAlreadyActive'])
  assert.deepEqual(await look([], undefined), ['a/run', 'replace', 'MissingJob'])
  assert.deepEqual(await look([], run('other')), ['a/run', 'replace', 'MissingJob'])
  const { ownerReferences: _, ...metadata } = run('run').metadata
  assert.deepEqual(await look([], { ...run('run'), metadata }), ['a/run', 'replace', 'MissingJob'])
})

for (const concurrencyPolicy of ['Forbid', 'Replace'])
  test(`a run whose creation was not answered and of which no watch tells counts, where the policy is ${concurrencyPolicy}`, async () => {
    const given = {
      ...cronJob,
      spec: { schedule: '* * * * *', concurrencyPolicy, jobTemplate: { spec: {} } },
      status: {},
    }
    const copies = { CronJob: liveCopy([given]).cache, Job: liveCopy([]).cache }
    const server = new Map<string, KubeObject>()
    let nowMs = Date.parse('2026-11-23T04:01:10Z')
    const bench = {
      cache: (_: string, kind: keyof typeof copies) => copies[kind],
      clock: { nowMs: () => nowMs },
      client: { get: async ({ name }: ObjectRef) => server.get(name) },
      async carryOut(_: string, [write]: readonly Write[]) {
        assert.ok(write?.do === 'create')
        server.set(write.object.metadata.name, { ...write.object, metadata: { ...write.object.metadata, uid: 'run' } })
        throw new ApiError(504, 'Timeout', 'the request timed out')
      },
    }
    const controller = cronJobController(bench as unknown as Bench)
    await controller.watch({ now: () => undefined, after: () => undefined })
    const look = async () => {
      const seen = await controller.observe('a/c')
      assert.ok(seen)
      return { seen, decision: controller.decide(seen) }
    }
    const first = await look()
    assert.ok(first.decision.kind === 'act')
    await controller.act(first.decision.changes, first.seen, 'a/c')
    nowMs += 60_000
    const { decision } = await look()
    assert.ok(decision.kind === 'act')
    const [noted] = decision.changes
    assert.ok(noted?.do === 'replace' && noted.subresource === 'status')
    const { active, lastScheduleTime } = (noted.object as CronJob).status ?? {}
    assert.deepEqual([active?.map(({ uid }) => uid), lastScheduleTime], [['run'], '2026-11-23T04:01:00Z'])
  })
