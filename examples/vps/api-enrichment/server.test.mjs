import assert from 'node:assert/strict'
import { test } from 'node:test'

process.env.NODE_ENV = 'test'
const { server } = await import('./server.mjs')

test('api-enrichment says that it is healthy, and hands the correlation id back', async (t) => {
  t.after(() => (server.closeAllConnections(), server.close())) // also when it fails: a test that listens on never ends
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const response = await fetch(`http://127.0.0.1:${server.address().port}/health`, { headers: { 'x-correlation-id': 'abc' } })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('x-correlation-id'), 'abc')
  assert.equal((await response.json()).service, 'api-enrichment')
})
