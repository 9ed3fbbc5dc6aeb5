import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { frameDatagram, readDatagrams, sendDatagram } from './datagram.ts'
import { makeDatagramBalancer } from './udp.ts'

const HOST = '127.0.0.1'
const open: Socket[] = []
const balancer = makeDatagramBalancer()
after(() => {
  balancer.setPorts([])
  for (const socket of open) socket.close()
})

async function listen(answer: (text: string) => string): Promise<number> {
  const socket = createSocket('udp4', (message, from) => socket.send(answer(String(message)), from.port, from.address))
  open.push(socket)
  socket.bind(0, HOST)
  await once(socket, 'listening')
  return socket.address().port
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, HOST)
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

/**
 * Says a word until it is answered: datagrams may be lost, also while the balancer still begins to listen. What was said more than once may be
 * answered more than once, so the answer is the one that ends in the word.
 */
async function say(client: Socket, port: number, word: string): Promise<string> {
  const again = setInterval(() => client.send(word, port, HOST), 50)
  for (;;) {
    const answer = String((await once(client, 'message'))[0])
    if (!answer.endsWith(word)) continue
    clearInterval(again)
    return answer
  }
}

test('a client of a UDP Service stays with its pod, until the pod is gone', async () => {
  const pods = await Promise.all(['a', 'b'].map((name) => listen((text) => `${name} ${text}`)))
  const port = await freePort()
  const table = (ready: readonly number[]) => [
    {
      key: 'default/dns:53/udp',
      protocol: 'UDP' as const,
      listen: { host: HOST, port },
      ready: ready.map((each) => ({ host: HOST, port: each })),
      serving: [],
    },
  ]
  balancer.setPorts(table(pods))
  const client = createSocket('udp4')
  open.push(client)
  const first = await say(client, port, 'one')
  for (let turn = 0; turn < 5; turn++) assert.equal(await say(client, port, `one ${turn}`), `${first} ${turn}`)
  const other = first.startsWith('a') ? 1 : 0
  balancer.setPorts(table(pods.filter((_, index) => index === other)))
  const name = other === 0 ? 'a' : 'b'
  let last = ''
  for (let turn = 0; turn < 20 && !last.startsWith(name); turn++) last = await say(client, port, `two ${turn}`)
  assert.match(last, new RegExp(`^${name} two`))
})

test('what says that it comes from port 0, which nobody can be answered at, is not answered', () => {
  const client = createSocket('udp4')
  open.push(client)
  assert.doesNotThrow(() => sendDatagram(client, Buffer.from('late'), { address: HOST, port: 0 }))
})

test('who cannot be answered does not end the Service', async () => {
  const port = await freePort()
  const pod = await listen((text) => text)
  const target = { host: HOST, port: pod }
  balancer.setPorts([
    { key: 'default/dns:53/udp', protocol: 'UDP', listen: { host: HOST, port }, ready: [target], serving: [] },
  ])
  const client = createSocket('udp4')
  open.push(client)
  assert.equal(await say(client, port, 'one'), 'one')
  // the kernel refuses to send to everybody
  const failed = new Promise<void>((resolve) => client.once('error', () => resolve()))
  sendDatagram(client, Buffer.from('late'), { address: '255.255.255.255', port })
  assert.equal(await Promise.race([failed.then(() => 'told'), say(client, port, 'two')]), 'two')
})

test('datagrams in a stream are read whatever pieces it comes in', () => {
  const sent = ['', 'a', 'longer'.repeat(100), 'b'].map((text) => Buffer.from(text))
  const bytes = Buffer.concat(sent.map(frameDatagram))
  for (const size of [1, 2, 3, 7, bytes.length]) {
    const read: string[] = []
    const take = readDatagrams((message) => read.push(String(message)))
    for (let at = 0; at < bytes.length; at += size) take(bytes.subarray(at, at + size))
    assert.deepEqual(read, sent.map(String))
  }
})
