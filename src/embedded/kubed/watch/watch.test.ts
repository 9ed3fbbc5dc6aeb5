import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { makeRegistry } from '../resources/registry.ts'
import { watch } from './watch.ts'

for (const { it, isGone, watches } of [
  { it: 'goes before its watch begins leaves none behind', isGone: true, watches: 0 },
  { it: 'stays is told of changes', isGone: false, watches: 1 },
])
  test(`a client that ${it}`, async () => {
    let open = 0
    const store = {
      settledOrRefused: async () => undefined,
      fault: () => undefined,
      select: () => ({ places: [], at: () => undefined }),
      since: () => [],
      version: () => 1,
      durable: () => 1,
      watch: () => {
        open++
        return () => open--
      },
    }
    const resource = makeRegistry().find('', 'v1', 'configmaps')
    const query = new URLSearchParams('watch=true&allowWatchBookmarks=true&timeoutSeconds=600')
    const call = { resource, query, namespace: '', name: '', subresource: '', warnings: [] }
    const response = new ServerResponse(new IncomingMessage(new Socket()))
    if (isGone) response.destroy()
    await watch({ store } as unknown as Environment, call as unknown as Call, response, {
      contentType: 'application/json',
      show: () => '{}',
    })
    assert.equal(open, watches)
    response.emit('close')
    assert.equal(open, 0)
  })
