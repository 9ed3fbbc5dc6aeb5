import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../../tests/support/manual-clock.ts'
import { ApiError } from '../../adapters/kube/api-error.ts'
import { startController } from '../../engine/converge.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import type { Bench } from './bench.ts'
import { workloadController } from './controller.ts'
import type { WorkloadDecision } from './decision.ts'

const pod: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } }

/** A controller that always wants the same, of which the server refuses what it is told to; and how often it tried. */
async function start(isRefused: (tries: number) => boolean) {
  const clock = manualClock()
  const seen: (string | undefined)[] = []
  const faults: unknown[] = []
  let tries = 0
  let isDone = false
  const bench = {
    async carryOut() {
      if (isRefused(++tries)) throw new ApiError(403, 'Forbidden', 'not you')
      isDone = true
    },
  }
  const controller = workloadController<string | undefined>(bench as unknown as Bench, {
    ...{ kind: 'Eager', component: 'eager' },
    watch: async (wake) => wake.now('a/p'),
    observe: (_key, failure) => (seen.push(failure), failure ?? ''),
    decide: (): WorkloadDecision =>
      isDone ? { kind: 'done', status: [] } : { kind: 'act', changes: [{ do: 'create', object: pod }] },
  })
  const running = await startController(controller, { clock, onError: (_kind, _key, error) => void faults.push(error) })
  await running.whenIdle()
  return { clock, seen, faults, running, tried: () => tries }
}

test('what is refused is decided of once more, and then waits for its backoff', async () => {
  const { clock, faults, running, seen, tried } = await start(() => true)
  assert.deepEqual([tried(), faults.length, seen], [2, 1, [undefined, 'not you']])
  clock.advance(5)
  await running.whenIdle()
  // what was refused in an earlier try is no reason to say so of what is decided now
  assert.deepEqual([tried(), faults.length, seen.slice(2)], [4, 2, [undefined, 'not you']])
  await running.close()
})

test('what goes well after a refusal is no failure any more', async () => {
  const { faults, running, seen, tried } = await start((tries) => tries === 1)
  assert.deepEqual([tried(), faults.length, seen], [2, 0, [undefined, 'not you', undefined]])
  await running.close()
})

test('what a status was written of is looked at again when it was out of date, whether anybody wakes it or not', async () => {
  const clock = manualClock()
  let tries = 0
  const bench = {
    clock,
    async carryOut() {
      if (++tries === 1) throw new ApiError(409, 'Conflict', 'the object has been modified')
    },
  }
  const controller = workloadController<string>(bench as unknown as Bench, {
    ...{ kind: 'Eager', component: 'eager' },
    watch: async (wake) => wake.now('a/p'),
    observe: () => '',
    decide: () => ({ kind: 'done', status: tries > 1 ? [] : [{ do: 'delete', object: pod }] }),
  })
  const running = await startController(controller, { clock, onError: (_kind, _key, error) => assert.fail(`${error}`) })
  await running.whenIdle()
  clock.advance(20)
  await running.whenIdle()
  assert.equal(tries, 2)
  await running.close()
})
