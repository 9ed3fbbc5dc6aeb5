import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeResource } from '../../../kube/types.ts'
import type { EngineContext } from '../../context.ts'
import { withoutStrayNamespaces } from './stray-namespace.ts'

const object = (kind: string, namespace?: string) => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'a', ...(namespace === undefined ? {} : { namespace }) },
})
const answering = (resources: Readonly<Record<string, Partial<KubeResource>>>) =>
  ({
    client: { resource: (_version: string, kind: string) => Promise.resolve(resources[kind]) },
  }) as unknown as Pick<EngineContext, 'client'>
const served = { ConfigMap: { namespaced: true }, ClusterRole: { namespaced: false } }

test('what is in no namespace loses the one that Git gives it, anything else keeps it', async () => {
  const objects = [object('ConfigMap', 'x'), object('ClusterRole', 'x'), object('Unknown', 'x')]
  const result = await withoutStrayNamespaces(answering(served), objects)
  assert.deepEqual(
    result.map(({ metadata }) => metadata.namespace),
    ['x', undefined, 'x'],
  )
  const later = await withoutStrayNamespaces(answering({ ...served, Unknown: { namespaced: false } }), objects)
  assert.equal(later[2]?.metadata.namespace, undefined, 'its definition may come with the same objects')
})

test('a list with nothing to take away stays the same one', async () => {
  const objects = [object('ConfigMap', 'x'), object('ClusterRole')]
  assert.equal(await withoutStrayNamespaces(answering(served), objects), objects)
})

test('a server that does not answer changes nothing: the apply tells', async () => {
  const objects = [object('ClusterRole', 'x')]
  const dead = { client: { resource: () => Promise.reject(new Error('gone')) } }
  assert.equal(await withoutStrayNamespaces(dead as unknown as Pick<EngineContext, 'client'>, objects), objects)
})
