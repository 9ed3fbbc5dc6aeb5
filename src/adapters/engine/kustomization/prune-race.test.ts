import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Kustomization } from '../../../kinds/kustomization.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { ownerLabels } from '../../../pipeline/apply/rules.ts'
import { ApiError } from '../../kube/api-error.ts'
import { pruneObjects } from './apply/prune.ts'
import type { Target } from './apply/target.ts'

const one = { namespace: 'ns', name: 'one' } as Kustomization
const entry = { id: 'ns_shared__ConfigMap', v: 'v1' }

/** A server that shows an object a version further at every look, owned by the next of `owners`; deletes obey preconditions. */
function serverOf(owners: readonly string[], changesOnDelete: number) {
  const deleted: unknown[] = []
  let at = 0
  const show = (): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'shared',
      namespace: 'ns',
      uid: 'u',
      resourceVersion: String(at),
      labels: ownerLabels('ns', owners[Math.min(at, owners.length - 1)] ?? ''),
    },
  })
  const client = {
    resource: async () => ({ namespaced: true }),
    get: async () => show(),
    delete: async (_ref: unknown, options: { readonly resourceVersion?: string }) => {
      if (at < changesOnDelete) at++
      if (options.resourceVersion !== undefined && options.resourceVersion !== String(at))
        throw new ApiError(409, 'Conflict', 'changed')
      deleted.push(options)
    },
  }
  const target = { context: { client }, live: { forget: () => undefined } } as unknown as Target
  return { target, deleted }
}

test('an object that another Kustomization takes while it is pruned stays', async () => {
  const { target, deleted } = serverOf(['one', 'two'], 1)
  const { pruned } = await pruneObjects(target, one, [entry])
  assert.deepEqual(
    pruned.map(({ action }) => action),
    ['skipped'],
  )
  assert.deepEqual(deleted, [])
})

test('an object that somebody keeps writing is deleted in the end', async () => {
  const { target, deleted } = serverOf(['one'], 100)
  const { pruned } = await pruneObjects(target, one, [entry])
  assert.deepEqual(
    pruned.map(({ action }) => action),
    ['deleted'],
  )
  assert.deepEqual(deleted, [{ propagationPolicy: 'Background', uid: 'u' }])
})

const refusals: readonly [it: string, error: Error, passes: boolean][] = [
  ['the server has trouble', new ApiError(503, 'ServiceUnavailable', 'later'), true],
  ['the server is away', new SluiceError('KUBE_UNREACHABLE', 'no complete answer', { retry: 'backoff' }), true],
  ['it may not', new ApiError(403, 'Forbidden', 'no'), false],
]
for (const [it, error, passes] of refusals)
  test(`what cannot be pruned because ${it} ${passes ? 'is tried again soon' : 'waits for its interval'}`, async () => {
    const { target } = serverOf(['one'], 0)
    const client = { ...target.context.client, delete: () => Promise.reject(error) }
    const { failures } = await pruneObjects({ ...target, context: { client } } as unknown as Target, one, [entry])
    assert.deepEqual(
      failures.map((failure) => failure.passes),
      [passes],
    )
  })
