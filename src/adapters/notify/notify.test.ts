import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openOutbox } from './outbox.ts'
import { sendRequest } from './send.ts'

test('an outbox keeps its letters over a restart, and repeats none within five minutes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'outbox-'))
  const open = () => openOutbox(join(folder, 'notify.db'), (value) => (typeof value === 'string' ? value : undefined))
  let box = open()
  assert.equal(box.put('k', 'one', 1000), true)
  assert.equal(box.put('k', 'one', 2000), false)
  box.close()
  box = open()
  const [letter] = box.due(2000, 10)
  assert.deepEqual([letter?.payload, letter?.attempts], ['one', 0])
  box.retryAt(letter!.id, 5000)
  assert.deepEqual(box.due(4000, 10), [])
  assert.equal(box.nextMs(), 5000)
  assert.equal(box.due(5000, 10)[0]?.attempts, 1)
  box.done(letter!.id)
  assert.equal(box.nextMs(), undefined)
  assert.equal(box.put('k', 'one', 6000), false)
  assert.equal(box.put('k', 'one', 1000 + 5 * 60_000), true)
  box.close()
  rmSync(folder, { recursive: true })
})

test('a request reaches its hook; a refusal is an error that can be tried again', async () => {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => bodies.push(chunk))
    request.on('end', () => response.writeHead(request.url === '/fail' ? 500 : 204).end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const options = { timeoutMs: 2000, reach: 'any', userAgent: 'sluice' } as const
  const hook = (path: string) =>
    ({ method: 'POST', url: `http://127.0.0.1:${port}${path}`, headers: {}, body: '{}' }) as const
  await sendRequest(hook('/ok'), options)
  assert.deepEqual(bodies, ['{}'])
  await assert.rejects(sendRequest(hook('/fail'), options), {
    code: 'NOTIFY_FAILED',
    retry: 'backoff',
    message: /status code 500/,
  })
  await assert.rejects(sendRequest(hook('/ok'), { ...options, reach: 'public' }), { code: 'NOTIFY_ADDRESS' })
  await assert.rejects(
    sendRequest({ ...hook(''), url: `http://localhost:${port}/` }, { ...options, reach: 'public' }),
    { code: 'NOTIFY_ADDRESS' },
  )
  await assert.rejects(sendRequest({ ...hook(''), url: 'http://169.254.169.254/latest' }, options), {
    code: 'NOTIFY_ADDRESS',
  })
  await assert.rejects(sendRequest({ ...hook(''), url: 'http://127.0.0.1:1/' }, options), {
    code: 'NOTIFY_FAILED',
    message: /ECONNREFUSED/,
  })
  await new Promise((resolve) => server.close(resolve))
})
