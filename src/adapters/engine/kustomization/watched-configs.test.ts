import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { SharedCaches } from '../../kube/shared-caches.ts'
import { watchConfigs } from './watched-configs.ts'

type Handler = (object: KubeObject, type: 'ADDED' | 'MODIFIED' | 'DELETED') => void

test('a ConfigMap that goes, or loses the label of those that are watched, wakes nobody', () => {
  const handlers: Handler[] = []
  const caches = { open: () => ({ onChange: (handler: Handler) => handlers.push(handler) }) } as unknown as SharedCaches
  const woken: string[] = []
  watchConfigs(caches, (kind, namespace, name) => woken.push(`${kind}/${namespace}/${name}`))
  const object: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'vars', namespace: 'ns' } }
  for (const type of ['ADDED', 'MODIFIED', 'DELETED'] as const) handlers[0]?.(object, type)
  assert.deepEqual(woken, ['ConfigMap/ns/vars', 'ConfigMap/ns/vars'])
})
