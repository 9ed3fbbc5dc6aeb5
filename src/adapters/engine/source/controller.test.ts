import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WORDS } from '../../../controllers/git-repository.ts'
import { FINALIZER } from '../../../kinds/flux-object.ts'
import { parseGitRepository } from '../../../kinds/git-repository.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { EngineContext } from '../context.ts'
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

/** A cluster that holds one object, which `now` replaces. */
function clusterOf(first: KubeObject) {
  const cluster = { now: first }
  const context = {
    clock: { nowMs: () => 0 },
    random: () => 0.5,
    tell: () => undefined,
    caches: { open: () => ({ get: () => cluster.now, list: () => [cluster.now], close: () => undefined }) },
    client: {
      patch: async (_ref: unknown, _type: unknown, [{ value }]: [{ readonly value: unknown }]) =>
        (cluster.now = { ...cluster.now, status: value }),
    },
  }
  return { cluster, context: context as unknown as EngineContext }
}

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
  const reconcile = async (): Promise<unknown> => {
    for (;;) {
      const seen = await controller.observe(KEY)
      assert.ok(seen)
      const decision = controller.decide(seen)
      if (decision.kind !== 'act') {
        await controller.settle(decision.status, seen, KEY)
        const { observedGeneration, observedIgnore } = cluster.now['status'] as Record<string, unknown>
        return { observedGeneration, observedIgnore }
      }
      await controller.act(decision.changes, seen, KEY)
    }
  }
  assert.deepEqual(await reconcile(), { observedGeneration: 1, observedIgnore: undefined })
  assert.deepEqual(await reconcile(), { observedGeneration: 2, observedIgnore: '/b.yaml' })
  assert.deepEqual(lookedFor, [undefined, '/b.yaml'])
})
