import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createListener, connect } from 'node:net'
import { Duplex } from 'node:stream'
import { after, test } from 'node:test'
import { makeBalancer } from './balance.ts'
import type { Target } from './messages.ts'

const host = '127.0.0.1'
const balancer = makeBalancer()
const pods: Server[] = []
const front = createListener({ allowHalfOpen: true }, (socket) => balancer.serve('shop/web:80', socket))
after(() => {
  front.close()
  for (const pod of pods) {
    pod.close()
    pod.closeAllConnections()
  }
})

async function startPod(name: string): Promise<Target> {
  const pod = createServer((_, response) => response.end(name)).listen(0, host)
  pods.push(pod)
  await once(pod, 'listening')
  return { host, port: (pod.address() as AddressInfo).port }
}

/** One request on a connection of its own. */
async function ask(port = (front.address() as AddressInfo).port): Promise<string> {
  const socket = connect(port, host)
  socket.write('GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n')
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text.split('\r\n\r\n')[1] ?? ''
}

async function askMany(): Promise<string[]> {
  const heard: string[] = []
  for (let turn = 0; turn < 6; turn++) heard.push(await ask())
  return heard
}

test('requests go to all pods in turn; with affinity to one, until it may not be chosen any more', async () => {
  const ready = [await startPod('a'), await startPod('b')]
  front.listen(0, host)
  await once(front, 'listening')
  const table = { key: 'shop/web:80', listen: undefined, ready, serving: [] }
  balancer.setPorts([table])
  assert.deepEqual((await askMany()).sort(), ['a', 'a', 'a', 'b', 'b', 'b'])
  balancer.setPorts([{ ...table, affinityMs: 3_600_000 }])
  const stays = new Set(await askMany())
  assert.equal(stays.size, 1)
  const [name] = stays
  balancer.setPorts([
    { ...table, ready: ready.filter((_, index) => index !== (name === 'a' ? 0 : 1)), affinityMs: 3_600_000 },
  ])
  assert.deepEqual(new Set(await askMany()), new Set([name === 'a' ? 'b' : 'a']))
})

/** A pod that answers one request of a connection and hangs up at the next. */
async function startForgetfulPod(heard: string[]): Promise<Target> {
  const pod = createServer((request, response) => {
    heard.push(`${request.method}`)
    if (heard.length === 1) response.end('once')
    else request.socket.destroy()
  }).listen(0, host)
  pods.push(pod)
  await once(pod, 'listening')
  return { host, port: (pod.address() as AddressInfo).port }
}

const methods: [method: string, times: number][] = [
  ['GET', 2],
  ['DELETE', 2],
  ['POST', 1],
  ['PATCH', 1],
]
for (const [method, times] of methods)
  test(`a ${method} on a connection that the pod closed is sent ${times === 1 ? 'once' : 'again'}`, async () => {
    const heard: string[] = []
    const [other, forgetful] = [makeBalancer(), await startForgetfulPod(heard)]
    other.setPorts([{ key: 'shop/web:80', listen: undefined, ready: [forgetful], serving: [] }])
    const door = createListener({ allowHalfOpen: true }, (socket) => other.serve('shop/web:80', socket)).listen(0, host)
    await once(door, 'listening')
    for (const each of ['GET', method]) {
      const socket = connect((door.address() as AddressInfo).port, host)
      socket.write(`${each} / HTTP/1.1\r\nHost: web\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
      for await (const _chunk of socket);
    }
    door.close()
    assert.deepEqual(
      heard.slice(1, 3),
      Array.from({ length: times }, () => method),
    )
  })

test('a client that goes away while its pod is connected leaves nothing open', async () => {
  const pod = createListener((socket) => socket.resume()).listen(0, host)
  await once(pod, 'listening')
  const other = makeBalancer()
  const target = { host, port: (pod.address() as AddressInfo).port }
  other.setPorts([{ key: 'shop/db:5432', listen: undefined, ready: [target], serving: [] }])
  const client = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
  other.serve('shop/db:5432', client)
  client.push('\u0000hello')
  await once(client, 'data')
  setImmediate(() => client.destroy())
  const [held] = await once(pod, 'connection')
  await once(held, 'close', { signal: AbortSignal.timeout(5_000) })
  pod.close()
})

test('an address that becomes another Service leads to its pods', async (t) => {
  const other = makeBalancer()
  t.after(() => other.setPorts([]))
  const free = createListener().listen(0, host)
  await once(free, 'listening')
  const listen = { host, port: (free.address() as AddressInfo).port }
  free.close()
  await once(free, 'close')
  for (const name of ['former', 'present']) {
    other.setPorts([{ key: `shop/${name}:80`, listen, ready: [await startPod(name)], serving: [] }])
    assert.equal(await ask(listen.port), name)
  }
})
