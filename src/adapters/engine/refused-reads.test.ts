import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clusterOf, reconcile } from '../../../tests/support/one-object.ts'
import { FINALIZER } from '../../kinds/flux-object.ts'
import { parseGitRepository } from '../../kinds/git-repository.ts'
import { parseKustomization } from '../../kinds/kustomization.ts'
import { ApiError } from '../kube/api-error.ts'
import type { AbsorbingCache, KubeClient } from '../kube/types.ts'
import type { EngineContext } from './context.ts'
import { DEFAULT_FLAGS } from './flags.ts'
import { verifySource } from './git-repository/verify.ts'
import { buildManifests } from './kustomization/build/build.ts'
import { targetFailure } from './kustomization/apply/target.ts'
import { receiverController } from './receiver/controller.ts'
import { LookFailure } from './source/look-failure.ts'

// A right that the engine lacks stops an object for good: the object says so. What passes by itself is tried again, and says nothing.
const forbidden = new ApiError(
  403,
  'Forbidden',
  'secrets "s" is forbidden: User "sluice" cannot get resource "secrets"',
)
const busy = new ApiError(503, 'ServiceUnavailable', 'apiserver is shutting down')
const refusing = (error: Error): KubeClient => ({ get: () => Promise.reject(error) }) as unknown as KubeClient

const kustomization = parseKustomization({
  ...{
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'app', namespace: 'ns' },
  },
  spec: {
    ...{ interval: '10m', prune: true, sourceRef: { kind: 'GitRepository', name: 'app' } },
    postBuild: { substituteFrom: [{ kind: 'Secret', name: 's' }] },
  },
})
const build = (error: Error): ReturnType<typeof buildManifests> => {
  const context = {
    client: refusing(error),
    flags: { ...DEFAULT_FLAGS, remoteBases: false },
    traps: 'safe',
  } as unknown as EngineContext
  return buildManifests(context, undefined, kustomization, { snapshot: {} as never, path: '' })
}

test('a Kustomization says that it may not read what it needs', async () => {
  const result = await build(forbidden)
  assert.equal('failure' in result && result.failure.message, forbidden.message)
  await assert.rejects(build(busy), busy)
})

test('a Kustomization says that it may not read how its cluster is reached', () => {
  assert.equal(targetFailure(forbidden).message, forbidden.message)
  assert.throws(() => targetFailure(busy), busy)
})

test('a GitRepository says that it may not read the keys of its signatures', async () => {
  const repository = parseGitRepository({
    ...{ apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository', metadata: { name: 'app', namespace: 'ns' } },
    spec: { interval: '1m', url: 'http://git/app', verify: { mode: 'HEAD', secretRef: { name: 's' } } },
  })
  const verify = (error: Error) => verifySource(refusing(error), repository, {} as never, {} as never)
  await assert.rejects(
    verify(forbidden),
    (error) => error instanceof LookFailure && /public keys secret error: secrets "s" is forb/.test(error.message),
  )
  await assert.rejects(verify(busy), busy)
})

test('a Receiver says that it may not read its token', async () => {
  const { cluster, context } = clusterOf({
    ...{ apiVersion: 'notification.toolkit.fluxcd.io/v1', kind: 'Receiver' },
    metadata: { name: 'r', namespace: 'ns', uid: 'u', generation: 1, resourceVersion: '1', finalizers: [FINALIZER] },
    spec: { type: 'generic', interval: '10m', secretRef: { name: 's' }, resources: [] },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  })
  const saying = (error: Error) =>
    receiverController(
      { ...context, client: { ...context.client, ...refusing(error) } },
      context.caches.open({ apiVersion: '', kind: '' }) as AbsorbingCache,
    )
  await assert.rejects(reconcile(saying(busy), 'ns/r'), busy)
  await reconcile(saying(forbidden), 'ns/r')
  assert.match(JSON.stringify(cluster.now['status']), /unable to read token .* is forbidden/)
})
