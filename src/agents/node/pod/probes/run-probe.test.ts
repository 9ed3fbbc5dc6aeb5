import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { test } from 'node:test'
import { LONGEST_TIMER_MS } from '../../../../machine/timers.ts'
import { greet } from '../../keeper/greet.ts'
import type { Driver } from '../../driver.ts'
import { renderGet } from './http-check.ts'
import { runHook, runProbe } from './run-probe.ts'

const at = { host: '10.42.0.2', port: 80 }

test('a probe asks as a kubelet does, and its own headers win', () => {
  const first = (httpHeaders: { name: string; value: string }[]): string[] =>
    renderGet({ path: 'ready?a=1', port: 80, httpHeaders }, at).split('\r\n')
  const usual = ['User-Agent: kube-probe/1.37', 'Accept: */*', 'Connection: close']
  assert.deepEqual(first([{ name: 'HOST', value: 'web' }]), ['GET /ready?a=1 HTTP/1.1', ...usual, 'HOST: web', '', ''])
  assert.deepEqual(
    first([
      { name: 'X-A', value: '1' },
      { name: 'x-a', value: '2' },
      { name: 'accept', value: '' },
    ]),
    ['GET /ready?a=1 HTTP/1.1', 'Host: 10.42.0.2:80', usual[0], usual[2], 'X-A: 1', 'x-a: 2', '', ''],
  )
})

test('of several hosts that a probe names the first counts, an empty one is none', () => {
  const hosts = (...values: string[]): string[] =>
    renderGet({ port: 80, httpHeaders: values.map((value) => ({ name: 'Host', value })) }, at)
      .split('\r\n')
      .filter((line) => /^host/i.test(line))
  assert.deepEqual(hosts('a', 'b'), ['Host: a'])
  assert.deepEqual(hosts('', 'b'), ['Host: 10.42.0.2:80'])
})

test('a path or header cannot smuggle a second request', () => {
  assert.match(renderGet({ path: '/a b\r\nX: 1', port: 80 }, at), /^GET \/a%20b%0D%0AX:%201 HTTP\/1\.1\r\n/)
  for (const header of [
    { name: 'a b', value: '' },
    { name: 'a', value: 'b\r\nX: 1' },
  ])
    assert.throws(() => renderGet({ port: 80, httpHeaders: [header] }, at))
})

// as v1.37.2 answers (prober.runProbe): what cannot be asked is no failure
const away = { exec: () => Promise.reject(new Error('no keeper')), connect: () => Promise.reject(new Error('refused')) }
const asked: { it: string; probe: Parameters<typeof runProbe>[2]; want: object }[] = [
  {
    it: 'a port of a name that there is not',
    probe: { httpGet: { port: 'web' } },
    want: { ok: false, isUnknown: true, message: 'port "web" not found' },
  },
  {
    it: 'a program where none can be run',
    probe: { exec: { command: ['true'] } },
    want: { ok: false, isUnknown: true, message: 'no keeper' },
  },
  { it: 'a port where nobody listens', probe: { grpc: { port: 80 } }, want: { ok: false, message: 'refused' } },
]
for (const { it, probe, want } of asked)
  test(`a probe of ${it}`, async () => {
    const id = { uid: 'u', container: 'c', attempt: 0 }
    const target = { id, container: { name: 'c', image: 'i' }, ip: '10.42.0.2' }
    assert.deepEqual(await runProbe(away as unknown as Driver, target, probe, 1_000), want)
  })

const answers: { it: string; say: string | undefined; request?: string; want: string | RegExp }[] = [
  { it: 'the first line', say: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', want: 'HTTP/1.1 200 OK' },
  { it: 'nothing when nothing was asked', say: undefined, request: '', want: '' },
  { it: 'that the peer hung up', say: '', want: /connection closed/ },
  { it: 'that there is no line', say: 'x'.repeat(9000), want: /no first line/ },
  { it: 'that time is over', say: undefined, want: /deadline exceeded/ },
]
for (const { it, say, request, want } of answers) {
  test(`a greeting answers ${it}`, async (t) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      if (say === '') socket.end()
      else if (say !== undefined) socket.write(say)
    })
    t.after(() => server.close())
    const target = { host: '127.0.0.1', port: await portOf(server) }
    const answer = greet(target, request ?? 'GET / HTTP/1.1\r\n\r\n', 300)
    if (typeof want === 'string') assert.equal(await answer, want)
    else await assert.rejects(answer, want)
  })
}

function portOf(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}

for (const run of [runProbe, runHook])
  test(`${run.name} waits for a program as long as a timer can where it may take a month`, async () => {
    const waits: number[] = []
    const exec = async (_id: unknown, _command: unknown, timeoutMs: number) => {
      waits.push(timeoutMs)
      return { code: 0, output: '', timedOut: false }
    }
    const target = { id: 'c' as never, container: { name: 'c' } as never, ip: at.host }
    await run({ exec } as unknown as Driver, target, { exec: { command: ['true'] } }, 31 * 24 * 3_600_000)
    assert.deepEqual(waits, [LONGEST_TIMER_MS])
  })
