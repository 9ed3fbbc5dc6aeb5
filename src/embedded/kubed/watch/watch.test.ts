import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { makeRegistry } from '../resources/registry.ts'
import { watch } from './watch.ts'

for (const { it, isGone, seconds, watches } of [
  { it: 'goes before its watch begins leaves none behind', isGone: true, seconds: 600, watches: 0 },
  { it: 'stays is told of changes', isGone: false, seconds: 600, watches: 1 },
  { it: 'wants to watch for a month is told of changes', isGone: false, seconds: 31 * 24 * 3600, watches: 1 },
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
    const query = new URLSearchParams(`watch=true&allowWatchBookmarks=true&timeoutSeconds=${seconds}`)
    const call = { resource, query, namespace: '', name: '', subresource: '', warnings: [] }
    const response = new ServerResponse(new IncomingMessage(new Socket()))
    if (isGone) response.destroy()
    await watch({ store } as unknown as Environment, call as unknown as Call, response, {
      contentType: 'application/json',
      show: () => '{}',
    })
    // one turn of the timers: a watch that is over has ended
    await new Promise((resolve) => setTimeout(resolve, 2))
    const found = { open, isEnded: response.writableEnded }
    response.emit('close')
    assert.deepEqual(found, { open: watches, isEnded: false })
    assert.equal(open, 0)
  })
