import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { abortAfter } from '../../machine/timers.ts'
import { openOutbox } from './outbox.ts'
import { post, saying, type Parcel } from '../../pipeline/notify/hook-request.ts'
import type { Reach } from '../net/reach.ts'
import { hold } from './send.ts'

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

const MINUTE_MS = 60_000
const DAY_MS = 1_440 * MINUTE_MS

for (const { it, setByMs, isDue, isRepeated } of [
  { it: 'stands still', setByMs: 0, isDue: false, isRepeated: true },
  { it: 'goes on to when it is due', setByMs: 4 * MINUTE_MS, isDue: true, isRepeated: true },
  { it: 'is set back by no more than a backoff', setByMs: -10 * MINUTE_MS, isDue: false, isRepeated: false },
  { it: 'is set back by an hour', setByMs: -60 * MINUTE_MS, isDue: true, isRepeated: false },
  { it: 'is set back by ten days', setByMs: -10 * DAY_MS, isDue: true, isRepeated: false },
  { it: 'is set forward by ten days', setByMs: 10 * DAY_MS, isDue: true, isRepeated: false },
])
  test(`a letter that waits over a restart, while the clock ${it}`, () => {
    const path = join(mkdtempSync(join(tmpdir(), 'outbox-')), 'notify.db')
    const open = () => openOutbox(path, (value) => (typeof value === 'string' ? value : undefined))
    const [atMs, box] = [100 * DAY_MS, open()]
    box.put('k', 'one', atMs)
    box.retryAt(box.due(atMs, 1)[0]!.id, atMs + 4 * MINUTE_MS)
    box.put('sent', 'two', atMs)
    box.done(box.due(atMs, 1)[0]!.id)
    box.close()
    const after = open()
    assert.equal(after.due(atMs + setByMs, 9).length, isDue ? 1 : 0)
    assert.equal(after.put('sent', 'two', atMs + setByMs), !isRepeated)
    after.close()
    rmSync(dirname(path), { recursive: true })
  })

test('of the letters that are due those come first that failed least', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'outbox-')), 'notify.db')
  const box = openOutbox(path, (value) => (typeof value === 'string' ? value : undefined))
  for (const letter of ['a', 'b', 'c']) box.put(letter, letter, 1000)
  const [first] = box.due(1000, 1)
  box.retryAt(first!.id, 1000)
  assert.deepEqual(
    box.due(1000, 9).map(({ payload }) => payload),
    ['b', 'c', 'a'],
  )
  box.close()
  rmSync(dirname(path), { recursive: true })
})

test('a letter of an older version that cannot be read is given up, and keeps no other waiting', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'outbox-')), 'notify.db')
  const older = openOutbox<object>(path, () => ({}))
  older.put('old', { of: 'an older version' }, 1000)
  older.close()
  const box = openOutbox(path, (value) => (typeof value === 'string' ? value : undefined))
  box.put('new', 'readable', 1000)
  const [letter, ...others] = box.due(1000, 1)
  assert.deepEqual([letter?.payload, others], ['readable', []])
  box.retryAt(letter!.id, 5000)
  assert.equal(box.nextMs(), 5000)
  box.close()
  rmSync(dirname(path), { recursive: true })
})

test('a request reaches its hook; a refusal is an error that can be tried again', async () => {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => bodies.push(chunk))
    request.on('end', () => {
      const to = request.url === '/elsewhere' ? 'http://example.com/' : '/ok'
      if (/^\/(moved|elsewhere)/.test(request.url ?? '')) response.writeHead(308, { location: to }).end()
      else response.writeHead(request.url === '/fail' ? 500 : 204).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const reach = (scope: Reach['scope'], ...own: number[]): Reach => ({ scope, ownPorts: () => own })
  const options = { timeoutMs: 2000, within: abortAfter, reach: reach('any'), userAgent: 'sluice' }
  const hook = (url: string) => saying(() => post(url, {}))({} as Parcel)
  const at = (path: string) => hook(`http://127.0.0.1:${port}${path}`)
  await hold(at('/ok'), options)
  await hold(at('/moved'), options)
  assert.deepEqual(bodies, ['{}', '{}', '{}'])
  const cases: [url: string, reach: Reach, want: object][] = [
    [`http://127.0.0.1:${port}/fail`, reach('any'), { code: 'NOTIFY_FAILED', retry: 'backoff', message: /code 500/ }],
    [
      `http://127.0.0.1:${port}/elsewhere`,
      reach('any'),
      { code: 'NOTIFY_FAILED', message: /redirect to another host/ },
    ],
    [`http://127.0.0.1:${port}/own`, reach('any', port), { code: 'NOTIFY_ADDRESS' }],
    [`http://127.0.0.1:${port}/ok`, reach('private'), { code: 'NOTIFY_ADDRESS' }],
    [`http://localhost:${port}/ok`, reach('private'), { code: 'NOTIFY_ADDRESS' }],
    [`http://[::ffff:127.0.0.1]:${port}/ok`, reach('private'), { code: 'NOTIFY_ADDRESS' }],
    [`http://2130706433:${port}/ok`, reach('private'), { code: 'NOTIFY_ADDRESS' }],
    ['http://0.0.0.0:1/', reach('private'), { code: 'NOTIFY_ADDRESS' }],
    ['http://10.0.0.1/', reach('public'), { code: 'NOTIFY_ADDRESS' }],
    ['http://[fd12::1]/', reach('public'), { code: 'NOTIFY_ADDRESS' }],
    ['http://169.254.169.254/latest', reach('any'), { code: 'NOTIFY_ADDRESS' }],
    ['http://[::ffff:a9fe:a9fe]/latest', reach('any'), { code: 'NOTIFY_ADDRESS' }],
    ['http://[64:ff9b::a9fe:a9fe]/latest', reach('any'), { code: 'NOTIFY_ADDRESS' }],
    ['http://[fd00:ec2::254]/latest', reach('any'), { code: 'NOTIFY_ADDRESS' }],
    [
      'http://127.0.0.1:1/secret',
      reach('any'),
      {
        code: 'NOTIFY_FAILED',
        message: 'failed to execute request: dial tcp 127.0.0.1:1: connect: connection refused',
        hint: /^nobody listens there/,
      },
    ],
    [
      'http://hooks.invalid/secret',
      reach('any'),
      {
        code: 'NOTIFY_FAILED',
        message: /^failed to execute request: dial tcp: lookup hooks\.invalid (on \S+)?: no such host$/,
      },
    ],
  ]
  for (const [url, to, want] of cases) await assert.rejects(hold(hook(url), { ...options, reach: to }), want, url)
  assert.equal(bodies.length, 5)
  await new Promise((resolve) => server.close(resolve))
})

test('a proxy is asked with its password, and is itself an address that must be allowed', async () => {
  const seen: [string | undefined, string | undefined][] = []
  const proxy = createServer((request, response) => {
    seen.push([request.url, request.headers['proxy-authorization']])
    response.writeHead(200).end()
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const { port } = proxy.address() as AddressInfo
  const options = {
    timeoutMs: 2000,
    within: abortAfter,
    reach: { scope: 'any', ownPorts: () => [] } as Reach,
    userAgent: 'sluice',
    proxy: { url: `http://127.0.0.1:${port}`, username: 'u', password: 'p' },
  }
  const hook = () => saying(() => post('http://hooks.example.com/x', {}))({} as Parcel)
  await hold(hook(), options)
  assert.deepEqual(seen, [['http://hooks.example.com/x', 'Basic dTpw']])
  await assert.rejects(hold(hook(), { ...options, reach: { scope: 'private', ownPorts: () => [] } }), {
    code: 'NOTIFY_ADDRESS',
  })
  await new Promise((resolve) => proxy.close(resolve))
})
