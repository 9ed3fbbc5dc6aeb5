import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { EngineContext } from '../context.ts'
import { watchConfigs } from './watched-configs.ts'

type Handler = (object: KubeObject, type: 'ADDED' | 'MODIFIED' | 'DELETED') => void

for (const [it, isThere, want] of [
  ['goes wakes who reads it', false, 3],
  ['loses the label of those that are watched wakes nobody', true, 2],
] as const)
  test(`a ConfigMap that ${it}`, async () => {
    const handlers: Handler[] = []
    const caches = { open: () => ({ onChange: (handler: Handler) => handlers.push(handler) }) }
    const object: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'vars', namespace: 'ns' } }
    const client = { get: async () => (isThere ? object : undefined) }
    const woken: string[] = []
    const context = { caches, client } as unknown as EngineContext
    watchConfigs(context, (kind, namespace, name) => woken.push(`${kind}/${namespace}/${name}`))
    for (const type of ['ADDED', 'MODIFIED', 'DELETED'] as const) handlers[0]?.(object, type)
    await setImmediate()
    assert.deepEqual(woken, Array(want).fill('ConfigMap/ns/vars'))
  })
