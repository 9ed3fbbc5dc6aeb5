import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startController } from '../../../engine/converge.ts'
import { WORDS } from '../../../controllers/git-repository.ts'
import { FINALIZER } from '../../../kinds/flux-object.ts'
import { parseGitRepository } from '../../../kinds/git-repository.ts'
import { read } from '../../../lib/kube/read.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { ApiError } from '../../kube/api-error.ts'
import { manualClock } from '../../../../tests/support/manual-clock.ts'
import { clusterOf, reconcile } from '../../../../tests/support/one-object.ts'
import { sourceController } from './controller.ts'

const KEY = 'ns/app'
const REVISION = `main@sha1:${'a'.repeat(40)}`
const artifact = { digest: 'sha256:1', lastUpdateTime: '', path: 'p', revision: REVISION, size: 1, url: 'http://a/p' }

const repository = (generation: number, ignore?: string, status?: unknown): KubeObject => ({
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'GitRepository',
  metadata: {
    ...{ name: 'app', namespace: 'ns', uid: 'u', generation, resourceVersion: String(generation) },
    finalizers: [FINALIZER],
  },
  spec: { interval: '1h', url: 'http://git/app', ...(ignore === undefined ? {} : { ignore }) },
  ...(status === undefined ? {} : { status }),
})

test('what is changed while the remote is looked at is for the next look, not in the status of this one', async () => {
  const { cluster, context } = clusterOf(repository(1))
  const lookedFor: (string | undefined)[] = []
  const controller = sourceController(context, {
    kind: 'GitRepository',
    parse: parseGitRepository,
    words: WORDS,
    async look({ ignore }) {
      lookedFor.push(ignore)
      cluster.now = repository(2, '/b.yaml', cluster.now['status'])
      return { kind: 'stored', artifact, news: 'stored' }
    },
  })
  const observed = async (): Promise<unknown> => {
    await reconcile(controller, KEY)
    const { observedGeneration, observedIgnore } = cluster.now['status'] as Record<string, unknown>
    return { observedGeneration, observedIgnore }
  }
  assert.deepEqual(await observed(), { observedGeneration: 1, observedIgnore: undefined })
  assert.deepEqual(await observed(), { observedGeneration: 2, observedIgnore: '/b.yaml' })
  assert.deepEqual(lookedFor, [undefined, '/b.yaml'])
})

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

for (const [it, setByMs] of [
  ['an hour back', -HOUR_MS],
  ['ten days back', -10 * DAY_MS],
  ['ten days forward', 10 * DAY_MS],
] as const)
  test(`a clock that is set ${it} makes no look at the remote earlier or later`, async () => {
    const clock = manualClock(Date.parse('2026-11-28T12:00:00Z'))
    const { context } = clusterOf(repository(1), clock)
    let looks = 0
    const controller = sourceController(context, {
      ...{ kind: 'GitRepository', parse: parseGitRepository, words: WORDS },
      async look() {
        looks++
        return { kind: 'unchanged', revision: REVISION }
      },
    })
    await reconcile(controller, KEY)
    clock.set(setByMs)
    await reconcile(controller, KEY)
    assert.equal(looks, 1)
    clock.advance(1.1 * HOUR_MS)
    await reconcile(controller, KEY)
    assert.equal(looks, 2)
  })

test('what was found is said as soon as the status may be written, not at the next look', async () => {
  const clock = manualClock()
  const { cluster, context } = clusterOf(repository(1), clock)
  let refusals = 1
  const patch: typeof context.client.patch = async (...asked) => {
    if (refusals-- > 0) throw new ApiError(403, 'Forbidden', 'RBAC: not known yet')
    return context.client.patch(...asked)
  }
  const caches = {
    open: () => ({
      ...context.caches.open({ apiVersion: '', kind: '' }),
      ready: Promise.resolve(),
      onChange: () => undefined,
    }),
  } as unknown as typeof context.caches
  const controller = sourceController(
    { ...context, caches, client: { ...context.client, patch } },
    {
      ...{ kind: 'GitRepository', parse: parseGitRepository, words: WORDS },
      look: async () => ({ kind: 'stored', artifact, news: 'stored' }),
    },
  )
  const running = await startController(controller, { clock, onError: () => undefined })
  await running.whenIdle()
  assert.equal(cluster.now['status'], undefined)
  clock.advance(750)
  await running.whenIdle()
  assert.equal(read(cluster.now, 'status', 'artifact', 'revision'), REVISION)
  await running.close()
})
