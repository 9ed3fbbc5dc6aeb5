// What a hostile or broken client can send: the answer is a clear refusal, the server goes on, its memory stays bounded.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { collectorOfV8 } from '../../src/app/process/release-memory.ts'
import { type Kubed, serveKubed } from '../../src/embedded/kubed/serve.ts'
import { type Api, apiOf } from '../kube/server.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const dir = mkdtempSync(join(tmpdir(), 'kubed-hostile-'))
let kubed: Kubed
let api: Api

before(async () => {
  kubed = await serveKubed({ stateDir: join(dir, 'patient'), port: 0, isAlsoPlain: true })
  api = apiOf(kubed.kubeconfig, async () => undefined)
})
after(async () => {
  await api.close()
  await kubed.close()
  rmSync(dir, { recursive: true, force: true })
})

const nested = (depth: number, open: string, close: string): string => open.repeat(depth) + close.repeat(depth)

const bodies: { it: string; body: string; type?: string; path?: string; code: number; says: RegExp }[] = [
  { it: 'lists 10,001 deep', body: `{"data":${nested(10_001, '[', ']')}}`, code: 400, says: /exceeded max depth/ },
  {
    it: 'objects 200,000 deep',
    body: `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`,
    code: 400,
    says: /exceeded max depth/,
  },
  {
    it: 'the same where nobody validates',
    path: `${MAPS}?fieldValidation=Ignore`,
    body: `{"x":${nested(9_000, '[', ']')}}`,
    code: 422,
    says: /name or generateName is required/,
  },
  {
    it: 'a deep merge patch',
    type: 'application/merge-patch+json',
    body: `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
    code: 400,
    says: /depth/,
  },
  { it: 'a deep apply', type: 'application/apply-patch+yaml', body: nested(100_000, '[', ']'), code: 400, says: /./ },
  {
    it: 'a deep apply in JSON',
    type: 'application/apply-patch+yaml',
    body: `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
    code: 400,
    says: /./,
  },
  {
    it: 'a bomb of YAML aliases',
    type: 'application/yaml',
    body: bomb(),
    code: 400,
    says: /alias|anchor|excessive|too/i,
  },
  { it: 'text that ends early', body: '{"metadata":', code: 400, says: /unexpected end of JSON input/ },
  {
    it: 'bytes that are no protobuf',
    type: 'application/vnd.kubernetes.protobuf',
    body: 'k8s\0\u00ff\u00ff\u00ff',
    code: 400,
    says: /./,
  },
  {
    it: 'keys of prototypes',
    body: '{"metadata":{"name":"p"},"data":{"constructor":"x","toString":"y"}}',
    code: 201,
    says: /"toString":"y"/,
  },
  {
    it: 'a key that JavaScript keeps for itself',
    body: '{"metadata":{"name":"p"},"data":{"\\u005f_proto__":{"x":"y"}}}',
    code: 400,
    says: /__proto__/,
  },
  {
    it: 'the same by a JSON patch',
    type: 'application/json-patch+json',
    body: '[{"op":"add","path":"/metadata/__proto__","value":{"x":"y"}}]',
    code: 422,
    says: /rejected/,
  },
  {
    it: 'an operation that every object has',
    type: 'application/json-patch+json',
    body: '[{"op":"constructor","path":"/data/x"}]',
    code: 422,
    says: /rejected/,
  },
  {
    it: 'a scope that every object has',
    path: '/api/v1/namespaces/default/resourcequotas',
    body: '{"metadata":{"name":"q"},"spec":{"hard":{"pods":"1"},"scopes":["constructor"]}}',
    code: 422,
    says: /unsupported scope/,
  },
  {
    it: 'a type of a secret that every object has',
    path: '/api/v1/namespaces/default/secrets',
    body: '{"metadata":{"name":"odd"},"type":"constructor"}',
    code: 201,
    says: /"type":"constructor"/,
  },
  {
    it: 'the same key in YAML',
    type: 'application/yaml',
    body: 'metadata: {name: p}\ndata: {__proto__: {x: y}}',
    code: 400,
    says: /__proto__/,
  },
  {
    it: 'a version with a zero in front',
    body: '{"metadata":{"name":"zero","resourceVersion":"01"}}',
    code: 500,
    says: /should not be set/,
  },
  {
    it: 'free fields as deep as they may be',
    path: '/apis/apps/v1/namespaces/default/controllerrevisions',
    body: `{"metadata":{"name":"q"},"revision":1,"data":${'{"a":'.repeat(9_900)}{}${'}'.repeat(9_900)}}`,
    code: 400,
    says: /nested too deeply/,
  },
]

function bomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < 12; level++)
    lines.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    )
  return lines.join('\n')
}

for (const { it, body, type = 'application/json', path: given, code, says } of bodies)
  test(`${it}: ${code}`, async () => {
    const isPatch = type.includes('patch')
    const path = given ?? (isPatch ? `${MAPS}/kube-root-ca.crt?fieldManager=x` : MAPS)
    const answer = await api.call(isPatch ? 'PATCH' : 'POST', path, body, type)
    assert.equal(answer.code, code, answer.text.slice(0, 300))
    assert.match(answer.text, says)
    await assertAnswers()
  })

test('warnings in any script reach the client, of writes that succeed and of those that fail', async () => {
  const unknown = '299 - "unknown field \\"日é\\""'
  assert.deepEqual(await warned('POST', MAPS, '{"metadata":{"name":"A B"},"日é":1}'), [422, unknown])
  assert.deepEqual(await warned('POST', MAPS, '{"metadata":{"name":"warned"},"日é":1}'), [201, unknown])
  assert.deepEqual(await warned('POST', MAPS, '{"metadata":{"name":"quiet"},"a\\nb日":1}'), [
    201,
    '299 - "unknown field \\"a\\\\nb日\\""',
  ])
})

test('a definition that is deprecated in another script is read and watched', async () => {
  const schema = { openAPIV3Schema: { type: 'object' } }
  const version = { name: 'v1', served: true, storage: true, deprecated: true, deprecationWarning: '用 v2', schema }
  const names = { plural: 'olds', kind: 'Old' }
  const spec = { group: 'hostile.io', scope: 'Namespaced', names, versions: [version] }
  const made = await api.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: 'olds.hostile.io' },
    spec,
  })
  assert.equal(made.code, 201, made.text)
  const olds = '/apis/hostile.io/v1/namespaces/default/olds'
  while ((await api.call('GET', olds)).code !== 200) await new Promise((done) => setTimeout(done, 20))
  assert.deepEqual(await warned('GET', `${olds}/none`), [404, '299 - "用 v2"'])
  assert.deepEqual(await warned('GET', olds), [200, '299 - "用 v2"'])
  assert.deepEqual(await warned('GET', `${olds}?watch=true&timeoutSeconds=1`), [200, '299 - "用 v2"'])
})

/** Code and warnings of an answer. */
async function warned(method: string, path: string, body?: string): Promise<[number | undefined, string]> {
  const answer = await new Promise<[number | undefined, string]>((done, failed) => {
    const headers = { authorization: `Bearer ${kubed.token}`, 'content-type': 'application/json' }
    request(`${kubed.server}${path}`, { method, rejectUnauthorized: false, agent: false, headers }, (response) => {
      const bytes = Buffer.from(String(response.headers.warning ?? ''), 'latin1')
      response.resume().on('end', () => done([response.statusCode, bytes.toString('utf8')]))
    })
      .on('error', failed)
      .end(body)
  })
  await assertAnswers()
  return answer
}

test('a field selector of what every object has selects nothing', async () => {
  for (const field of ['constructor', 'toString', '__proto__']) {
    const answer = await api.call('GET', `/api/v1/namespaces/default/events?fieldSelector=${field}%3Dx`)
    assert.deepEqual([answer.code, answer.body.message], [400, `field label not supported: ${field}`])
  }
})

test('a body of 100 MB is refused before it is read, and costs no memory', async () => {
  const before = process.memoryUsage().rss
  const piece = Buffer.alloc(1024 * 1024, 0x20)
  const code = await new Promise((done, failed) => {
    const outgoing = request(`${kubed.server}${MAPS}`, {
      method: 'POST',
      rejectUnauthorized: false,
      agent: false,
      headers: { authorization: `Bearer ${kubed.token}`, 'content-type': 'application/json' },
    })
    outgoing.on('response', (response) => {
      response.resume().on('end', () => done(response.statusCode))
    })
    outgoing.on('error', failed)
    let sent = 0
    const pump = (): void => {
      while (sent++ < 100) if (!outgoing.write(piece)) return void outgoing.once('drain', pump)
      outgoing.end()
    }
    pump()
  })
  assert.equal(code, 413)
  assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024)
  await assertAnswers()
})

test('clients that never finish what they ask are cut off', async () => {
  // Of its own: on a busy machine others take longer than that.
  const hasty = await serveKubed({ stateDir: join(dir, 'hasty'), port: 0, isAlsoPlain: true, headTimeoutMs: 300 })
  const url = new URL(hasty.plainServer ?? '')
  const secure = new URL(hasty.server)
  const sockets = [
    connect(Number(url.port), url.hostname),
    connectTls({ port: Number(secure.port), host: secure.hostname, rejectUnauthorized: false }),
    connect(Number(secure.port), secure.hostname),
  ]
  const ended = sockets.map(
    (socket) =>
      new Promise<void>((done) =>
        socket
          .on('error', () => done())
          .on('close', () => done())
          .resume(),
      ),
  )
  for (const socket of sockets.slice(0, 2)) socket.write('GET /version HTTP/1.1\r\nHost: x\r\nX-Slow: ')
  await Promise.all(ended)
  await hasty.close()
})

test('three hundred watches that never read cost no queue: they are cut off, who reads misses nothing', async () => {
  const url = new URL(kubed.plainServer ?? '')
  const head = `GET ${MAPS}?watch=true&resourceVersion=${(await api.call('GET', MAPS)).body.metadata.resourceVersion} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${kubed.token}\r\n\r\n`
  const deaf = Array.from({ length: 300 }, () => connect(Number(url.port), url.hostname).on('error', () => undefined))
  await Promise.all(deaf.map((socket) => new Promise((done) => socket.once('connect', done))))
  for (const socket of deaf) socket.pause().write(head)
  const version = (await api.call('GET', MAPS)).body.metadata.resourceVersion
  const reading = api.watch(
    `${MAPS}?watch=true&resourceVersion=${version}&timeoutSeconds=600`,
    (events) => events.length === 60,
  )
  const { collect } = collectorOfV8()
  collect()
  const before = process.memoryUsage().rss
  for (let index = 0; index < 60; index++)
    await api.call(
      'PATCH',
      `${MAPS}/loud?fieldManager=x`,
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'loud' },
        data: { text: String(index).padEnd(200_000, 'x') },
      },
      'application/apply-patch+yaml',
    )
  assert.equal((await reading).length, 60)
  // a queue is not collected, what was written and read is
  collect()
  const grownMiB = Math.round((process.memoryUsage().rss - before) / 1024 / 1024)
  for (const socket of deaf) socket.destroy()
  // 300 queues of 60 events of 200 KB were 3.6 GB.
  assert.ok(grownMiB < 500, `${grownMiB} MiB`)
  await assertAnswers()
})

async function assertAnswers(): Promise<void> {
  assert.equal((await api.call('GET', '/version')).code, 200)
}
