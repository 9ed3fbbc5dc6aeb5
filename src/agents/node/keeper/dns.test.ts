import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { seededRandom } from '../../../../tests/support/seeded-random.ts'
import { answerDns, converseDns, type DnsNames } from './dns.ts'

const WEB = 'web.shop.svc.cluster.local'
const many = Array.from({ length: 40 }, (_, at) => `pod-${at}.db.shop.svc.cluster.local`)
const names: DnsNames = {
  names: { [WEB]: ['10.96.0.9'], 'empty.shop.svc.cluster.local': [] },
  records: {
    '9.0.96.10.in-addr.arpa': [{ type: 'PTR', target: WEB }],
    [`_http._tcp.${WEB}`]: [{ type: 'SRV', port: 8080, target: WEB }],
    'ext.shop.svc.cluster.local': [{ type: 'CNAME', target: WEB }],
    'odd.shop.svc.cluster.local': [{ type: 'CNAME', target: 'constructor' }],
    'away.shop.svc.cluster.local': [{ type: 'CNAME', target: 'example.com' }],
    '_db._tcp.db.shop.svc.cluster.local': many.map((target) => ({ type: 'SRV', port: 5432, target })),
  },
}
const udp = createSocket('udp4', (query, from) => {
  const answer = answerDns(query, names, 512)
  if (answer) udp.send(answer, from.port, from.address)
})
const tcp = createServer((connection) => converseDns(connection, () => names))
const resolver = new Resolver({ timeout: 2000, tries: 2 })

before(async () => {
  tcp.listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const { port } = tcp.address() as AddressInfo
  udp.bind(port, '127.0.0.1')
  await once(udp, 'listening')
  resolver.setServers([`127.0.0.1:${port}`])
})
after(() => {
  udp.close()
  tcp.close()
})

const answers: [it: string, ask: () => Promise<unknown>, want: unknown][] = [
  ['an address', () => resolver.resolve4('Web.shop.svc.cluster.local'), ['10.96.0.9']],
  ['a pod by its address', () => resolver.resolve4('10-42-0-7.shop.pod.cluster.local'), ['10.42.0.7']],
  [
    'a port',
    // later versions of Node say the type, too
    async () => (await resolver.resolveSrv(`_http._tcp.${WEB}`)).map(({ name, port }) => `${name}:${port}`),
    [`${WEB}:8080`],
  ],
  ['the name of an address', () => resolver.reverse('10.96.0.9'), [WEB]],
  ['another name', () => resolver.resolveCname('away.shop.svc.cluster.local'), ['example.com']],
  ['another name that every object has', () => resolver.resolveCname('odd.shop.svc.cluster.local'), ['constructor']],
  ['no address behind one that every object has', () => resolver.resolve4('odd.shop.svc.cluster.local'), []],
  ['the address behind another name', () => resolver.resolve4('ext.shop.svc.cluster.local'), ['10.96.0.9']],
  [
    'more than a datagram holds',
    async () => (await resolver.resolveSrv('_db._tcp.db.shop.svc.cluster.local')).map(({ name }) => name).sort(),
    [...many].sort(),
  ],
]
for (const [it, ask, want] of answers) test(`names: ${it}`, async () => assert.deepEqual(await ask(), want))

const refusals: [it: string, ask: () => Promise<unknown>, code: string][] = [
  ['one that is not there', () => resolver.resolve4('nope.shop'), 'ENOTFOUND'],
  ['no pod', () => resolver.resolve4('10-42-0-700.shop.pod.cluster.local'), 'ENOTFOUND'],
  ['one that every object has', () => resolver.resolve4('constructor'), 'ENOTFOUND'],
  ['of another type', () => resolver.resolve6(WEB), 'ENODATA'],
  ['without pods', () => resolver.resolve4('empty.shop.svc.cluster.local'), 'ENODATA'],
]
for (const [it, ask, code] of refusals) test(`names: ${it}`, () => assert.rejects(ask, { code }))

test('whatever is sent, it is answered within its bounds or not at all', () => {
  const random = seededRandom(53)
  for (let turn = 0; turn < 2_000; turn++) {
    const query = Buffer.from(Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 256)))
    if (query.length > 12 && random() < 0.8) query.set([7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
    assert.ok((answerDns(query, names, 512)?.length ?? 0) <= 512)
  }
})

test('who sends no query over TCP is hung up on', async () => {
  const { port } = tcp.address() as AddressInfo
  const client = connect(port, '127.0.0.1')
  client.write(Buffer.from([0, 3, 1, 2, 3]))
  client.resume()
  await once(client, 'close')
})

test('who asks over TCP and takes no answer is not listened to', async () => {
  let served: Socket | undefined
  const server = createServer((connection) => converseDns((served = connection), () => names)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').pause()
  const query = Buffer.concat([
    Buffer.from([0, 0, 7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    Buffer.from('\u0004_db\u0004_tcp\u0002db\u0004shop\u0003svc\u0007cluster\u0005local\u0000', 'latin1').fill(3, 0, 1),
    Buffer.from([0, 33, 0, 1]),
  ])
  query.writeUInt16BE(query.length - 2)
  const flood = Buffer.concat(Array.from({ length: 20_000 }, () => query))
  client.write(flood)
  for (let read = 0; read === 0 || served?.bytesRead !== read;) {
    read = served?.bytesRead ?? 0
    await setTimeout(300)
  }
  assert.ok(
    (served?.writableLength ?? 0) < 8 * 1024 * 1024,
    `${served?.writableLength} bytes wait for a client that takes none`,
  )
  client.destroy()
  server.close()
})
