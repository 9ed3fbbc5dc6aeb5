import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket as Stream } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ownPorts } from '../../../../tests/support/own-ports.ts'
import { makeDatagramBalancer } from '../keeper/udp.ts'
import { openDatagramPort } from './datagram-port.ts'

const HOST = '127.0.0.1'
const KEY = 'default/dns:53/udp'

/** A socket on a port of its own that answers what it hears. */
async function socketOf(t: TestContext, answer?: (message: Buffer) => Buffer | string): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.on('message', (message, from) => answer && socket.send(answer(message), from.port, from.address))
  t.after(() => socket.close())
  await once(socket.bind(0, HOST), 'listening')
  return socket
}

/** Balances over pods by streams, as a keeper does; `path` is where. */
async function serveBalancer(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'datagrams-'))
  const path = join(folder, 'socket')
  const balancer = makeDatagramBalancer()
  const server = createServer({ allowHalfOpen: true }, (stream) => balancer.serve(KEY, stream))
  await once(server.listen(path), 'listening')
  t.after(() => {
    server.close()
    rmSync(folder, { recursive: true })
  })
  const setPods = (pods: readonly Socket[]): void => {
    const ready = pods.map((pod) => ({ host: HOST, port: pod.address().port }))
    balancer.setPorts([{ key: KEY, protocol: 'UDP', listen: undefined, ready, serving: [] }])
  }
  return { path, balancer, setPods }
}

/** A port of this machine that leads to them; `streams` are those that it opened. */
async function openPort(t: TestContext, path: string) {
  const streams: Stream[] = []
  const streamOf = (): Stream => {
    streams.push(connect({ path, allowHalfOpen: true }))
    return streams.at(-1) as Stream
  }
  const port = await ownPorts()
  const close = await openDatagramPort({ host: HOST, port }, streamOf)
  assert.ok(typeof close === 'function', String(close))
  t.after(close)
  return { port, streams }
}

/** Says something until it is answered: datagrams may be lost. */
async function say(client: Socket, port: number, message: Buffer | string): Promise<Buffer> {
  const heard = once(client, 'message')
  const say = (): void => client.send(message, port, HOST)
  const again = setInterval(say, 100)
  say()
  const [answer] = await heard
  clearInterval(again)
  return answer as Buffer
}

test('datagrams of any size come to a pod and its answers back, each client by a stream of its own', async (t) => {
  const { path, balancer, setPods } = await serveBalancer(t)
  setPods([await socketOf(t, (message) => message)])
  assert.deepEqual([balancer.has(KEY), balancer.has('default/web:80')], [true, false])
  const { port, streams } = await openPort(t, path)
  const clients = [await socketOf(t), await socketOf(t)]
  for (const [index, client] of clients.entries())
    for (const size of [0, 1, 1400, 60_000]) {
      const message = Buffer.alloc(size, String(index))
      let answer = await say(client, port, message)
      // what was said more than once is answered more than once
      while (answer.length !== size) answer = await say(client, port, message)
      assert.deepEqual(answer, message)
    }
  assert.equal(streams.length, 2)
})

test('a client whose stream has ended gets another one, and another pod where its own is gone', async (t) => {
  const { path, setPods } = await serveBalancer(t)
  const [a, b] = [await socketOf(t, () => 'a'), await socketOf(t, () => 'b')]
  const { port, streams } = await openPort(t, path)
  const client = await socketOf(t)
  setPods([a])
  assert.equal(String(await say(client, port, 'x')), 'a')
  setPods([b])
  let last = ''
  while (last !== 'b') last = String(await say(client, port, 'x'))
  const [stream] = streams
  assert.ok(stream)
  stream.destroy()
  await once(stream, 'close')
  assert.equal(String(await say(client, port, 'x')), 'b')
  assert.equal(streams.length, 2)
})

test('why a port cannot be opened is said', async (t) => {
  const taken = await socketOf(t)
  const why = await openDatagramPort({ host: HOST, port: taken.address().port }, () => undefined)
  assert.match(String(why), /EADDRINUSE/)
})
