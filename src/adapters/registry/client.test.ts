import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { digestOf } from '../../lib/oci/digest.ts'
import { MEDIA } from '../../lib/oci/media-types.ts'
import { writeCertificate } from '../../lib/x509/certificate.ts'
import { createRegistryClient, type RegistryClient, type RegistryClientOptions } from './client.ts'
import { checkTarget, endpointOf } from './endpoint.ts'
import { RetryAfter } from './pause.ts'

/** A server's certificate for this machine, and the authority that signed it. */
function ownCertificate(): { key: string; cert: string; caPem: string } {
  const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const [authority, server] = [pair(), pair()]
  const issuer = { subject: { commonName: 'authority' }, key: authority }
  const times = { notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + 3_600_000, serial: randomBytes(8) }
  const of = { subject: { commonName: 'localhost' }, names: ['127.0.0.1'] }
  return {
    key: server.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: writeCertificate({ ...of, ...times, key: server, issuer, use: 'server' }),
    caPem: writeCertificate({ ...times, subject: issuer.subject, key: authority, issuer, use: 'authority' }),
  }
}

type Seen = { method: string; url: string; authorization: string | undefined }
type Handler = (request: IncomingMessage, response: ServerResponse, base: string) => void

async function withRegistry(
  handler: Handler,
  work: (client: RegistryClient, seen: Seen[], host: string) => Promise<void>,
  options: RegistryClientOptions = {},
): Promise<void> {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', authorization: request.headers.authorization })
    handler(request, response, `http://${request.headers.host}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = createRegistryClient({ ...options, aliases: { 'registry.test': host } })
  try {
    await work(client, seen, host)
  } finally {
    client.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

const web = { host: 'registry.test', repository: 'team/web' }
const code = (wanted: string) => (error: unknown) => error instanceof SluiceError && error.code === wanted

test('tags of a registry that neither sorts nor pages come sorted', () =>
  withRegistry(
    (_, response) => response.end(JSON.stringify({ name: 'team/web', tags: ['2', '10', '1', '2'] })),
    async (client, seen) => {
      assert.deepEqual(await client.listTags(web), ['1', '10', '2'])
      assert.equal(seen.length, 1)
    },
  ))

test('pages are followed by their Link, and a Link in circles ends', () =>
  withRegistry(
    ({ url }, response) => {
      const last = new URL(url ?? '', 'http://x').searchParams.get('last')
      const page = last === null ? ['a', 'b'] : last === 'b' ? ['c'] : []
      response.setHeader(
        'link',
        `<http://elsewhere.example/v2/team/web/tags/list?n=2&last=${page.at(-1) ?? 'b'}>; rel="next"`,
      )
      response.end(JSON.stringify({ tags: page }))
    },
    async (client, seen) => {
      assert.deepEqual(await client.listTags(web), ['a', 'b', 'c'])
      assert.equal(seen.length, 3)
    },
  ))

test('an unknown repository has no tags at all, an empty one has none', () =>
  withRegistry(
    ({ url }, response) => {
      response.statusCode = url?.includes('team/web') ? 404 : 200
      response.end('{"tags":null}')
    },
    async (client) => {
      assert.equal(await client.listTags(web), undefined)
      assert.deepEqual(await client.listTags({ ...web, repository: 'empty' }), [])
    },
  ))

test('a token is fetched once for each scope and sent with what follows', () =>
  withRegistry(
    (request, response, base) => {
      if (request.url?.startsWith('/token')) return void response.end(JSON.stringify({ token: 'secret-token' }))
      if (request.headers.authorization === 'Bearer secret-token') return void response.end('{"tags":["1"]}')
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${base}/token",service="test"` }).end()
    },
    async (client, seen) => {
      assert.deepEqual(await client.listTags(web), ['1'])
      assert.deepEqual(await client.listTags(web), ['1'])
      const [, token] = seen
      assert.equal(token?.authorization, `Basic ${Buffer.from('me:pass').toString('base64')}`)
      assert.match(token?.url ?? '', /service=test&scope=repository%3Ateam%2Fweb%3Apull/)
      assert.equal(seen.filter(({ url }) => url.startsWith('/token')).length, 1)
    },
    { credentials: () => ({ username: 'me', password: 'pass' }) },
  ))

test('wrong credentials are tried once and end in REGISTRY_DENIED', () =>
  withRegistry(
    (_, response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
    async (client, seen) => {
      await assert.rejects(client.listTags(web), code('REGISTRY_DENIED'))
      assert.equal(seen.length, 2)
    },
    { credentials: () => ({ username: 'me', password: 'bad' }) },
  ))

test('a redirect is followed without the credentials', () =>
  withRegistry(
    (request, response) => {
      if (request.url?.startsWith('/cdn')) return void response.end('content')
      if (request.headers.authorization === undefined)
        return void response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
      response.writeHead(307, { location: '/cdn/blob' }).end()
    },
    async (client, seen) => {
      const body = await client.openBlob(web, digestOf('content'))
      body?.resume()
      assert.equal(seen.at(-1)?.url, '/cdn/blob')
      assert.equal(seen.at(-1)?.authorization, undefined)
    },
    { credentials: () => ({ username: 'me', password: 'pass' }) },
  ))

test('a manifest that is not what its digest says is refused', () =>
  withRegistry(
    (_, response) => response.writeHead(200, { 'content-type': MEDIA.manifest }).end('{"lies":true}'),
    async (client) => {
      await assert.rejects(client.getManifest(web, digestOf('truth')), code('DIGEST_MISMATCH'))
    },
  ))

test('an answer without end is cut at its limit', () =>
  withRegistry(
    (_, response) => {
      const more = (): void => {
        while (response.write(Buffer.alloc(65_536, 'x')));
        response.once('drain', more)
      }
      more()
    },
    (client) => assert.rejects(client.getManifest(web, 'latest'), code('REGISTRY_LIMIT')),
  ))

/** More than is read on for; the response ends when the client has let go. */
function pour(response: ServerResponse): Promise<void> {
  const more = (): void => {
    while (response.write(Buffer.alloc(65_536, 'x')));
    response.once('drain', more)
  }
  more()
  return new Promise((resolve) => response.once('close', resolve))
}

test('what nobody reads of a long answer is not fetched', () => {
  let cut: Promise<void> | undefined
  return withRegistry(
    (_, response) => void (cut = pour(response.writeHead(404))),
    async (client) => {
      assert.equal(await client.getManifest(web, 'latest'), undefined)
      await cut
    },
  )
})

test('a refusal is let go of when no token can be fetched, and its connection serves the next call', () => {
  let realm = 'file:///etc/passwd'
  const connections = new Set<unknown>()
  return withRegistry(
    (request, response, base) => {
      connections.add(request.socket)
      if (request.url?.startsWith('/token')) return void response.end('{"token":"t"}')
      if (request.headers.authorization) return void response.end('{"tags":["1"]}')
      response.setHeader('www-authenticate', `Bearer realm="${realm || `${base}/token`}"`)
      response.writeHead(401).end('{"errors":[]}')
    },
    async (client) => {
      for (let turn = 0; turn < 20; turn++)
        await assert.rejects(client.listTags(web), code('REGISTRY_FORBIDDEN_ADDRESS'))
      realm = ''
      assert.deepEqual(await client.listTags(web), ['1'])
      assert.equal(connections.size < 5, true, `${connections.size} connections`)
    },
  )
})

test('a registry that stands still is given up', () =>
  withRegistry(
    () => undefined,
    (client) => assert.rejects(client.listTags(web), code('REGISTRY_UNREACHABLE')),
    { timeoutMs: 100 },
  ))

test('a blob that stands still in the middle is given up', () =>
  withRegistry(
    (_, response) => {
      response.writeHead(200, { 'content-length': 100 })
      response.write('half')
    },
    async (client) => {
      const body = await client.openBlob(web, digestOf('x'))
      assert.ok(body)
      await assert.rejects(async () => {
        for await (const chunk of body) void chunk
      }, /no bytes for 0.1 s/)
    },
    { timeoutMs: 100 },
  ))

test('a kept connection that the registry closed is opened again', () => {
  let asked = 0
  return withRegistry(
    (request, response) => {
      asked++
      if (asked === 2) return void request.socket.destroy()
      response.end('{"tags":["1"]}')
    },
    async (client) => {
      assert.deepEqual(await client.listTags(web), ['1'])
      assert.deepEqual(await client.listTags(web), ['1'])
      assert.equal(asked, 3)
    },
  )
})

test('the words of the registry are in the error', () =>
  withRegistry(
    (_, response) => response.writeHead(500).end('{"errors":[{"code":"UNKNOWN","message":"disk on fire"}]}'),
    (client) => assert.rejects(client.getManifest(web, '1'), /status 500, UNKNOWN: disk on fire/),
  ))

const targets: { it: string; host: string; to: string; ok: boolean }[] = [
  { it: 'another public host', host: 'ghcr.io', to: 'https://cdn.example/x', ok: true },
  { it: 'plain http', host: 'ghcr.io', to: 'http://ghcr.io/x', ok: false },
  { it: 'the metadata server', host: 'ghcr.io', to: 'https://169.254.169.254/x', ok: false },
  { it: 'loopback', host: 'ghcr.io', to: 'https://127.0.0.1/x', ok: false },
  { it: 'loopback, mapped', host: 'ghcr.io', to: 'https://[::ffff:127.0.0.1]/x', ok: false },
  { it: 'localhost', host: 'ghcr.io', to: 'https://localhost:6443/x', ok: false },
  { it: 'a file', host: 'ghcr.io', to: 'file:///etc/passwd', ok: false },
  { it: 'loopback from loopback', host: '127.0.0.1:5000', to: 'http://127.0.0.1:9000/x', ok: true },
]
for (const { it, host, to, ok } of targets)
  test(`a registry on ${host} ${ok ? 'may' : 'may not'} send us to ${it}`, () => {
    const { plain, base, isLoopback } = endpointOf(host, {})
    const check = (): void => checkTarget({ base: plain ?? base, isLoopback }, new URL(to))
    if (ok) check()
    else assert.throws(check, code('REGISTRY_FORBIDDEN_ADDRESS'))
  })

const places: readonly [host: string, base: string, plain: string | undefined, plainHttp?: readonly string[]][] = [
  ['ghcr.io', 'https://ghcr.io/', undefined],
  ['docker.io', 'https://registry-1.docker.io/', undefined],
  ['r.test', 'http://127.0.0.1:5000/', undefined],
  ['r.test:80', 'https://r.test/', undefined],
  ['203.0.113.1:5000', 'https://203.0.113.1:5000/', 'http://203.0.113.1:5000/', ['203.0.113.1:5000']],
  ['10.0.0.1:5000', 'https://10.0.0.1:5000/', undefined],
  ['172.16.0.1:5000', 'https://172.16.0.1:5000/', undefined],
  ['192.168.0.1:5000', 'https://192.168.0.1:5000/', undefined],
  ['[2001:db8::1]:5000', 'https://[2001:db8::1]:5000/', undefined],
  ['127.0.0.1.example.com', 'https://127.0.0.1.example.com/', undefined],
  ['localhost:5000', 'https://localhost:5000/', 'http://localhost:5000/'],
  ['[::1]:5000', 'https://[::1]:5000/', 'http://[::1]:5000/'],
]
for (const [host, base, plain, plainHttp = []] of places)
  test(`${host}${plainHttp.length > 0 ? ', told to be plain,' : ''} is at ${base}${plain === undefined ? '' : `, else at ${plain}`}`, () => {
    const aliases = { 'r.test': '127.0.0.1:5000', 'r.test:80': 'https://r.test' }
    const endpoint = endpointOf(host, aliases, plainHttp)
    assert.deepEqual([endpoint.base.href, endpoint.plain?.href], [base, plain])
  })

test('a registry of this machine that speaks plain HTTP is found behind HTTPS, once', () =>
  withRegistry(
    (_, response) => response.end(JSON.stringify({ tags: ['1'] })),
    async (client, seen, host) => {
      for (const repository of ['team/web', 'team/db'])
        assert.deepEqual(await client.listTags({ host, repository }), ['1'])
      assert.deepEqual(
        seen.map(({ url }) => url),
        ['/v2/', '/v2/team/web/tags/list?n=1000', '/v2/team/db/tags/list?n=1000'],
      )
    },
  ))

test('a registry of this machine that speaks HTTPS is asked by HTTPS, and by nothing else where its certificate is not trusted', async () => {
  const { key, cert, caPem } = ownCertificate()
  const seen: string[] = []
  const server = createSecureServer({ key, cert }, ({ url }, response) => {
    seen.push(url ?? '')
    response.end(JSON.stringify({ tags: ['1'] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const of = { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, repository: 'app' }
  const [trusting, strange] = [createRegistryClient({ trust: { caPem } }), createRegistryClient()]
  try {
    assert.deepEqual(await trusting.listTags(of), ['1'])
    assert.deepEqual(seen, ['/v2/', '/v2/app/tags/list?n=1000'])
    await assert.rejects(strange.listTags(of), code('REGISTRY_UNREACHABLE'))
    assert.equal(seen.length, 2)
  } finally {
    for (const client of [trusting, strange]) client.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

test('a registry that wants to be left alone is asked nothing more until then', () =>
  withRegistry(
    (_, response) => response.writeHead(429, { 'retry-after': '3600' }).end(),
    async (client, seen) => {
      const busy = (error: unknown): boolean =>
        error instanceof SluiceError && error.code === 'REGISTRY_BUSY' && error.cause instanceof RetryAfter
      await assert.rejects(client.listTags(web), busy)
      await assert.rejects(client.headManifest(web, '1'), busy)
      assert.equal(seen.length, 1)
    },
  ))

test('what is attached to a manifest is found by the API, or under its fallback tag', async () => {
  const digest = digestOf(Buffer.from('x'))
  const list = JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA.index,
    manifests: [{ mediaType: MEDIA.manifest, digest, size: 1 }],
  })
  for (const hasApi of [true, false])
    await withRegistry(
      ({ url }, response) => {
        const isApi = url?.includes('/referrers/') === true
        if (isApi !== hasApi) return void response.writeHead(404).end()
        response.writeHead(200, { 'content-type': MEDIA.index }).end(list)
      },
      async (client) => {
        const found = await client.listReferrers(web, digest)
        assert.deepEqual(
          found.map((one) => one.digest),
          [digest],
        )
      },
    )
})

test('who logs in after a first request is let in, and who logs out is not', async () => {
  let login: { username: string; password: string } | undefined
  const right = `Basic ${Buffer.from('ada:right').toString('base64')}`
  await withRegistry(
    ({ headers }, response) => {
      const isIn = headers.authorization === right
      response.writeHead(isIn ? 200 : 401, isIn ? {} : { 'www-authenticate': 'Basic realm="x"' })
      response.end('{"tags":["1"]}')
    },
    async (client) => {
      const ask = (): Promise<unknown> => client.listTags(web)
      await assert.rejects(ask(), code('REGISTRY_DENIED'))
      login = { username: 'ada', password: 'wrong' }
      await assert.rejects(ask(), code('REGISTRY_DENIED'))
      login = { username: 'ada', password: 'right' }
      assert.deepEqual(await ask(), ['1'])
      login = undefined
      await assert.rejects(ask(), code('REGISTRY_DENIED'))
    },
    { credentials: () => login },
  )
})

const astray: readonly { readonly it: string; readonly status: number; readonly headers: Record<string, string> }[] = [
  { it: 'a redirect', status: 307, headers: { location: 'http://[' } },
  { it: 'a realm', status: 401, headers: { 'www-authenticate': 'Bearer realm="http://["' } },
  { it: 'the next page', status: 200, headers: { link: '<http://[>; rel="next"' } },
]
for (const { it, status, headers } of astray)
  test(`${it} that is no address is refused in words`, () =>
    withRegistry(
      (_, response) => response.writeHead(status, headers).end('{"tags":["1"]}'),
      async (client) => {
        await assert.rejects(client.listTags(web), (error) => {
          assert.ok(error instanceof SluiceError, String(error))
          assert.match(error.message, /sent us to "http:\/\/\[", which is no address/)
          return error.code === 'REGISTRY_REFUSED'
        })
      },
    ))

const unmet: readonly [it: string, host: string, message: RegExp, hint: RegExp][] = [
  [
    'is unknown to DNS',
    'reg.invalid',
    /^registry reg\.invalid: dial tcp: lookup reg\.invalid( on \S+)?: no such host$/,
    /DNS/,
  ],
  [
    'does not listen',
    '10.0.0.1:1',
    /^registry 127\.0\.0\.1:1: dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
    /port/,
  ],
]
for (const [it, host, message, hint] of unmet)
  test(`a registry that ${it} is told in plain words, with what to do`, async () => {
    const client = createRegistryClient({ aliases: { '10.0.0.1:1': '127.0.0.1:1' } })
    await assert.rejects(client.listTags({ host, repository: 'app' }), { code: 'REGISTRY_UNREACHABLE', message, hint })
    client.close()
  })
