import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { TLSSocket } from 'node:tls'
import { type NatsLogin, parseNatsServers } from '../../lib/nats/handshake.ts'
import { parseNkey } from '../../lib/nats/nkey.ts'
import { writeCertificate } from '../../lib/x509/certificate.ts'
import { abortAfter } from '../../machine/timers.ts'
import { publishToNats } from './nats.ts'

const SEED = 'SUAGMJH5XLGZKQQWAWKRZJIGMOU4HPFUYLXJMXOO5NLFEO2OOQJ5LPRDPM'
const NONCE = 'bm9uY2U'
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const subject = { commonName: 'nats' }
const certificate = writeCertificate({
  ...{ subject, key: publicKey, issuer: { subject, key: privateKey }, serial: Buffer.from([1]) },
  ...{ notBeforeMs: 0, notAfterMs: Date.now() + 3_600_000, use: 'server', names: ['127.0.0.1'] },
})
const keyPem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()

/** What a server of NATS does of its protocol, as much as a publisher sees; it lets in who proves to be the one it knows. */
async function withServer(
  options: { readonly knows: NatsLogin; readonly tls?: boolean; readonly maxPayload?: number },
  run: (address: string, published: string[]) => Promise<void>,
): Promise<void> {
  const published: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((plain) => {
    sockets.add(plain)
    const info = { nonce: NONCE, tls_required: options.tls === true, max_payload: options.maxPayload ?? 1024 }
    plain.on('error', () => undefined)
    plain.write(`INFO ${JSON.stringify(info)} \r\n`)
    const socket = options.tls ? new TLSSocket(plain, { isServer: true, cert: certificate, key: keyPem }) : plain
    serve(
      socket.on('error', () => undefined),
      options.knows,
      published,
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await run(`127.0.0.1:${(server.address() as AddressInfo).port}`, published)
  } finally {
    sockets.forEach((socket) => socket.destroy())
    await new Promise((resolve) => server.close(resolve))
  }
}

function serve(socket: Socket, knows: NatsLogin, published: string[]): void {
  let text = ''
  let isIn = false
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
      const [verb = '', ...words] = text.slice(0, end).split(' ')
      text = text.slice(end + 2)
      if (verb === 'CONNECT') isIn = isProved(knows, JSON.parse(words.join(' ')) as Record<string, string>)
      if (!isIn) return void socket.end("-ERR 'Authorization Violation'\r\n")
      if (verb === 'PING') socket.write('PING\r\nPONG\r\n')
      if (verb !== 'PUB') continue
      const payload = text.slice(0, Number(words[1]))
      text = text.slice(payload.length + 2)
      if (words[0] === 'forbidden') socket.write(`-ERR 'Permissions Violation for Publish to "forbidden"'\r\n`)
      else published.push(`${words[0]} ${Buffer.from(payload, 'latin1').toString('utf8')}`)
    }
  })
}

function isProved(knows: NatsLogin, said: Record<string, string>): boolean {
  if (knows.kind === 'none') return said['user'] === undefined
  if (knows.kind === 'user') return said['user'] === knows.username && said['pass'] === knows.password
  if (knows.kind === 'token') return said['auth_token'] === knows.token
  const whole = parseNkey(knows.seed)
  if (knows.kind === 'nkey' ? said['nkey'] !== whole.publicKey : said['jwt'] !== knows.jwt) return false
  return verify(undefined, Buffer.from(NONCE), keyOf(whole.publicKey), Buffer.from(said['sig'] ?? '', 'base64url'))
}

function keyOf(name: string) {
  const bits = [...name].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  )
  const bytes = (bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2))
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(bytes.slice(1, 33))])
  return createPublicKey({ key: der, format: 'der', type: 'spki' })
}

const reach = { scope: 'any', ownPorts: () => [] } as const
const send = (
  address: string,
  login: NatsLogin,
  more: { readonly subject?: string; readonly timeoutMs?: number; readonly caPem?: string } = {},
) =>
  publishToNats(
    {
      protocol: 'nats',
      servers: parseNatsServers(address),
      login,
      subject: more.subject ?? 'flux',
      payload: '{"a":"ä"}',
    },
    {
      reach,
      timeoutMs: more.timeoutMs ?? 5000,
      within: abortAfter,
      ...(more.caPem === undefined ? {} : { caPem: more.caPem }),
    },
  )
const none: NatsLogin = { kind: 'none' }
const logins: readonly NatsLogin[] = [
  none,
  { kind: 'user', username: 'u', password: 'p' },
  { kind: 'token', token: 't' },
  { kind: 'nkey', seed: SEED },
  { kind: 'jwt', jwt: 'j', seed: SEED },
]
for (const login of logins)
  test(`a message is published with login "${login.kind}", and nobody else gets in`, () =>
    withServer({ knows: login }, async (address, published) => {
      await send(address, login)
      assert.deepEqual(published, ['flux {"a":"ä"}'])
      if (login === none) return
      await assert.rejects(send(address, none), {
        code: 'NOTIFY_FAILED',
        message: 'error publishing event to subject flux: error connecting to server: nats: authorization violation',
      })
      assert.equal(published.length, 1)
    }))

test('the login of an address counts before that of the secret', () =>
  withServer({ knows: { kind: 'user', username: 'a', password: 'b' } }, async (address, published) => {
    await send(`nats://a:b@${address}`, { kind: 'user', username: 'x', password: 'y' })
    assert.equal(published.length, 1)
  }))

test('under TLS, when the server wants it, and only with one that is trusted', () =>
  withServer({ knows: none, tls: true }, async (address, published) => {
    await send(address, none, { caPem: certificate })
    await send(`tls://${address}`, none, { caPem: certificate })
    assert.equal(published.length, 2)
    await assert.rejects(send(address, none), { code: 'NOTIFY_FAILED', message: /error connecting to server: \w*CERT/ })
    assert.equal(published.length, 2)
  }))

test('the next server is asked when one is not there', () =>
  withServer({ knows: none }, async (address, published) => {
    await send(`nats://127.0.0.1:1,nats://${address}`, none)
    assert.equal(published.length, 1)
  }))

test('what the server does not take is an error that can be tried again', () =>
  withServer({ knows: none, maxPayload: 4 }, async (address) => {
    await assert.rejects(send(address, none), { retry: 'backoff', message: /maximum payload exceeded/ })
    await withServer({ knows: none }, (other) =>
      assert.rejects(send(other, none, { subject: 'forbidden' }), {
        message:
          /^error publishing event to subject forbidden: error publishing message to server: nats: permissions violation/,
      }),
    )
  }))

test('a server that says nothing, says nonsense, or may not be reached', async () => {
  const sockets: Socket[] = []
  const server = createServer((socket) => void sockets.push(socket.on('error', () => undefined)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await assert.rejects(send(`127.0.0.1:${port}`, none, { timeoutMs: 100 }), { message: /no answer within 0.1s/ })
  server.on('connection', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  await assert.rejects(send(`127.0.0.1:${port}`, none), { message: /nats: expected INFO/ })
  await assert.rejects(send('169.254.169.254:4222', none), { code: 'NOTIFY_ADDRESS' })
  sockets.forEach((socket) => socket.destroy())
  await new Promise((resolve) => server.close(resolve))
})

test('where no server of NATS listens, it is said as by its own client', () =>
  assert.rejects(
    publishToNats(
      {
        protocol: 'nats',
        servers: [{ host: '127.0.0.1', port: 9, isTls: false, login: undefined }],
        subject: 'c',
        payload: '',
        login: { kind: 'none' },
      },
      { reach: { scope: 'any', ownPorts: () => [] }, timeoutMs: 2000, within: abortAfter },
    ),
    {
      message:
        'error publishing event to subject c: error connecting to server: nats: no servers available for connection',
    },
  ))
