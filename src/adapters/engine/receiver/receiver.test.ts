import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { decideReceiver, type ReceiverSeen } from '../../../controllers/receiver.ts'
import { parseReceiver } from '../../../kinds/receiver.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { systemClock } from '../../clock.ts'
import type { KubeClient } from '../../kube/types.ts'
import { listenForHooks } from './listen.ts'

const KIND = { apiVersion: 'notification.toolkit.fluxcd.io/v1', kind: 'Receiver' }
const PATH = '/hook/x'

type World = {
  receiver?: { spec: object; status?: object; name?: string }
  secret?: Record<string, string>
  resources?: {
    name: string
    namespace?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }[]
  crossNamespace?: boolean
  keys?: unknown[]
}

/** Runs requests against a listener over a small world of objects; answers statuses and the objects that were asked. */
async function withWorld<T>(
  { receiver, secret, resources = [], crossNamespace = true, keys = [] }: World,
  run: (call: (init?: RequestInit, path?: string) => Promise<number>, asked: string[]) => Promise<T>,
): Promise<T> {
  const asked: string[] = []
  const objects = resources.map(({ namespace = 'ns', ...metadata }): KubeObject => ({
    ...KIND,
    metadata: { namespace, ...metadata },
  }))
  const data = Object.fromEntries(Object.entries(secret ?? {}).map(([key, value]) => [key, btoa(value)]))
  const client = {
    async get({ kind, name }: { kind: string; name: string }) {
      if (kind !== 'Secret') return objects.find(({ metadata }) => metadata.name === name)
      return secret && name === 'secret' ? { apiVersion: 'v1', kind, metadata: { name }, data } : undefined
    },
    list: async ({ labelSelector = '' }) => ({
      resourceVersion: '1',
      items: objects.filter(({ metadata }) =>
        labelSelector.split(',').every((pair) => metadata.labels?.[pair.split('=')[0]!] === pair.split('=')[1]),
      ),
    }),
    patch: async ({ name }: { name: string }, _type: string, body: unknown) => {
      assert.match(JSON.stringify(body), /requestedAt/)
      asked.push(name)
    },
  } as unknown as KubeClient
  const ready = { conditions: [{ type: 'Ready', status: 'True' }], webhookPath: PATH }
  const object = receiver && {
    ...KIND,
    metadata: { name: receiver.name ?? 'r', namespace: 'ns' },
    spec: { secretRef: { name: 'secret' }, resources: [], ...receiver.spec },
    status: receiver.status ?? ready,
  }
  const listener = await listenForHooks('127.0.0.1:0', {
    ...{ client, clock: systemClock, traps: 'safe', crossNamespace, startedMs: 0, log: () => undefined },
    receivers: () => (object ? [object] : []),
    signingKeys: async () => keys,
  })
  try {
    return await run(async (init = {}, path = PATH) => {
      const answer = await fetch(`http://${listener.address}${path}`, { method: 'POST', ...init })
      assert.equal(path === PATH ? answer.headers.get('content-type') : null, null)
      await answer.text()
      return answer.status
    }, asked)
  } finally {
    await listener.close()
  }
}

const file = join(process.env['SLUICE_CONFORMANCE'] ?? '../shared/conformance', 'flux/notification-server.json')
const skip = existsSync(file) ? false : `no recordings at ${file}`
const STATUS: Record<string, number> = {
  OK: 200,
  BadRequest: 400,
  NotFound: 404,
  RequestEntityTooLarge: 413,
  InternalServerError: 500,
  ServiceUnavailable: 503,
}

test("receivers answer as in Flux's own table", { skip }, async () => {
  const table = (JSON.parse(readFileSync(file, 'utf8')) as Record<string, TableCase[]>)['Test_handlePayload']!
  let passed = 0
  for (const row of table) {
    const want = STATUS[row.expectedResponseCode.$go.replace('http.Status', '')]
    const world = worldOf(row)
    const payload = row.name === 'large payload' ? { data: 'x'.repeat(4 << 20) } : decodePayload(row.payload)
    const body = payload === undefined ? '' : JSON.stringify(payload)
    const given = Object.entries(row.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])
    const headers: Record<string, string> = { 'content-type': 'text/plain', ...Object.fromEntries(given) }
    if (row.hashOpts) {
      const algorithm = row.hashOpts.calculate.$go.replace('.New', '')
      const header = typeof row.hashOpts.header === 'string' ? row.hashOpts.header : 'X-Hub-Signature-256'
      headers[header] = `${row.hashOpts.prefix ?? ''}${createHmac(algorithm, 'token').update(body).digest('hex')}`
    }
    const { token, keys } = googleToken({})
    if (headers['authorization'] === 'Bearer token') headers['authorization'] = `Bearer ${token}`
    await withWorld({ ...world, keys }, async (call, asked) => {
      assert.equal(await call({ headers, body }), want, row.name)
      assert.equal(asked.length, row.expectedResourcesAnnotated ?? 0, row.name)
    })
    passed++
  }
  assert.equal(passed, table.length)
})

test('a path that nobody has, or none at all', () =>
  withWorld({}, async (call) => {
    assert.equal(await call({}, `/hook/${'0'.repeat(64)}`), 404)
    assert.equal(await call({}, '/'), 404)
  }))

test('a path that is written in another way leads to the one that is meant', () =>
  withWorld({}, async (call) => {
    for (const path of ['/hook', '//hook/x', '/hook//x?a=b'])
      assert.equal(await call({ redirect: 'manual' }, path), 307, path)
  }))

const hmac = (body: string, algorithm = 'sha256', key = 'token') =>
  `${algorithm}=${createHmac(algorithm, key).update(body).digest('hex')}`
const proofs: readonly [it: string, spec: object, headers: Record<string, string>, body: string, want: number][] = [
  ['generic-hmac sha512', { type: 'generic-hmac' }, { 'x-signature': hmac('{}', 'sha512') }, '{}', 200],
  ['generic-hmac sha1', { type: 'generic-hmac' }, { 'x-signature': hmac('{}', 'sha1') }, '{}', 200],
  ['generic-hmac of another key', { type: 'generic-hmac' }, { 'x-signature': hmac('{}', 'sha256', 'no') }, '{}', 400],
  ['generic-hmac of another body', { type: 'generic-hmac' }, { 'x-signature': hmac('{}') }, '{} ', 400],
  ['generic-hmac with md5', { type: 'generic-hmac' }, { 'x-signature': hmac('{}', 'md5') }, '{}', 400],
  ['generic-hmac without a signature', { type: 'generic-hmac' }, {}, '{}', 400],
  ['generic-hmac nonsense', { type: 'generic-hmac' }, { 'x-signature': 'sha256=zz' }, '{}', 400],
  ['gitlab without a token', { type: 'gitlab' }, {}, '{}', 400],
  [
    'gitlab, an event in other case',
    { type: 'gitlab', events: ['Push hook'] },
    { 'x-gitlab-token': 'token', 'x-gitlab-event': 'Push Hook' },
    '',
    200,
  ],
  [
    'github form',
    { type: 'github' },
    { 'content-type': 'application/x-www-form-urlencoded', 'x-hub-signature': hmac('payload=%7B%7D', 'sha1') },
    'payload=%7B%7D',
    200,
  ],
  [
    'github, a wrong signature beside an older one that is right',
    { type: 'github' },
    { 'content-type': 'application/json', 'x-hub-signature-256': hmac('no'), 'x-hub-signature': hmac('{}', 'sha1') },
    '{}',
    400,
  ],
  ['github text', { type: 'github' }, { 'content-type': 'text/plain', 'x-hub-signature-256': hmac('{}') }, '{}', 400],
  [
    'github, another event',
    { type: 'github', events: ['ping'] },
    { 'content-type': 'application/json', 'x-hub-signature-256': hmac('{}'), 'x-github-event': 'push' },
    '{}',
    400,
  ],
  ['quay, wrong shape', { type: 'quay' }, {}, '{"docker_url":1}', 400],
  ['quay, a list', { type: 'quay' }, {}, '[]', 400],
  ['acr, wrong shape', { type: 'acr' }, {}, '{"target":"x"}', 400],
  ['dockerhub, no JSON', { type: 'dockerhub' }, {}, '{', 400],
  ['cdevents, an unknown type', { type: 'cdevents' }, {}, '{"context":{"type":"dev.cdevents.cat.fed.0.1.0"}}', 400],
  [
    'cdevents, a change',
    { type: 'cdevents' },
    {},
    '{"context":{"version":"0.4.1","id":"1","source":"/a","type":"dev.cdevents.change.merged.0.2.0","timestamp":"2024-01-01T00:00:00Z"},"subject":{"id":"x","type":"change","content":{}}}',
    200,
  ],
  [
    'cdevents, a subject of another type',
    { type: 'cdevents' },
    {},
    '{"context":{"version":"0.4.1","id":"1","source":"/a","type":"dev.cdevents.pipelinerun.queued.0.2.0","timestamp":"2024-01-01T00:00:00Z"},"subject":{"id":"x","type":"pipelinerun","content":{}}}',
    400,
  ],
  [
    'cdevents, a subject of two words',
    { type: 'cdevents' },
    {},
    '{"context":{"version":"0.4.1","id":"1","source":"/a","type":"dev.cdevents.pipelinerun.queued.0.2.0","timestamp":"2024-01-01T00:00:00Z"},"subject":{"id":"x","type":"pipelineRun","content":{}}}',
    200,
  ],
  [
    'cdevents, without what must be said',
    { type: 'cdevents' },
    {},
    '{"context":{"version":"0.4.1","id":"1","source":"/a","type":"dev.cdevents.service.deployed.0.2.0","timestamp":"2024-01-01T00:00:00Z"},"subject":{"id":"x","type":"service","content":{"environment":{"id":"e"}}}}',
    400,
  ],
  [
    'cdevents, with what must be said',
    { type: 'cdevents' },
    {},
    '{"context":{"version":"0.4.1","id":"1","source":"/a","type":"dev.cdevents.service.deployed.0.2.0","timestamp":"2024-01-01T00:00:00Z"},"subject":{"id":"x","type":"service","content":{"environment":{"id":"e"},"artifactId":"pkg:oci/x"}}}',
    200,
  ],
  [
    'cdevents, an event of a tool',
    { type: 'cdevents' },
    {},
    '{"context":{"version":"0.4.1","id":"1","source":"/a","type":"dev.cdeventsx.acme-thing.happened.0.1.0","timestamp":"2024-01-01T00:00:00Z"},"subject":{"id":"x","type":"thing","content":{}}}',
    200,
  ],
  [
    'cdevents, a source that is no URI',
    { type: 'cdevents' },
    {},
    '{"context":{"version":"0.4.1","id":"1","source":"%zz","type":"dev.cdevents.change.merged.0.2.0","timestamp":"2024-01-01T00:00:00Z"},"subject":{"id":"x","type":"change","content":{}}}',
    400,
  ],
  [
    'cdevents, a schema that nobody knows',
    { type: 'cdevents' },
    {},
    '{"context":{"version":"0.4.1","id":"1","source":"/a","type":"dev.cdevents.change.merged.0.2.0","timestamp":"2024-01-01T00:00:00Z","schemaUri":"https://x"},"subject":{"id":"x","type":"change","content":{}}}',
    400,
  ],
  [
    'cdevents, links that are no list',
    { type: 'cdevents' },
    {},
    '{"context":{"version":"0.4.1","id":"1","source":"/a","type":"dev.cdevents.change.merged.0.2.0","timestamp":"2024-01-01T00:00:00Z","links":"x"},"subject":{"id":"x","type":"change","content":{}}}',
    400,
  ],
  [
    'cdevents, a content that is a list',
    { type: 'cdevents' },
    {},
    '{"context":{"version":"0.4.1","id":"1","source":"/a","type":"dev.cdevents.change.merged.0.2.0","timestamp":"2024-01-01T00:00:00Z"},"subject":{"id":"x","type":"change","content":[]}}',
    400,
  ],
  ['quay, a field in capitals', { type: 'quay' }, {}, '{"DOCKER_URL":1}', 400],
  ['quay, a tag that is null', { type: 'quay' }, {}, '{"updated_tags":[null]}', 200],
  [
    'nexus, something behind the body',
    { type: 'nexus' },
    { 'x-nexus-webhook-signature': createHmac('sha1', 'token').update('{} {').digest('hex') },
    '{} {',
    400,
  ],
  ['dockerhub, something behind the body', { type: 'dockerhub' }, {}, '{} {', 200],
  [
    'github, a form that cannot be read',
    { type: 'github' },
    { 'content-type': 'application/x-www-form-urlencoded', 'x-hub-signature-256': hmac('payload=%zz') },
    'payload=%zz',
    400,
  ],
  [
    'github, a form with a semicolon',
    { type: 'github' },
    { 'content-type': 'application/x-www-form-urlencoded', 'x-hub-signature-256': hmac('payload=a;b') },
    'payload=a;b',
    400,
  ],
  [
    'github, a type with two charsets',
    { type: 'github' },
    { 'content-type': 'application/json; a=b; a=c', 'x-hub-signature-256': hmac('{}') },
    '{}',
    400,
  ],
  [
    'a filter over what is no JSON',
    { type: 'generic', resources: [{ kind: 'GitRepository', name: 'a' }], resourceFilter: 'req.x == 1' },
    { 'content-type': 'application/json' },
    'no',
    500,
  ],
]
for (const [it, spec, headers, body, want] of proofs)
  test(`a hook: ${it} -> ${want}`, () =>
    withWorld({ receiver: { spec }, secret: { token: 'token' }, resources: [{ name: 'a' }] }, async (call) =>
      assert.equal(await call({ headers: { 'content-type': 'text/plain', ...headers }, body }), want),
    ))

test('an empty token proves nothing', async () => {
  for (const type of ['generic-hmac', 'github', 'bitbucket', 'gitlab', 'harbor', 'nexus'])
    await withWorld({ receiver: { spec: { type } }, secret: { token: '' } }, async (call) => {
      const signature = createHmac('sha1', '').update('{}').digest('hex')
      const headers = {
        'content-type': 'application/json',
        'x-gitlab-token': '',
        'x-signature': hmac('{}', 'sha256', ''),
        'x-hub-signature-256': hmac('{}', 'sha256', ''),
        'x-nexus-webhook-signature': signature,
      }
      assert.equal(await call({ headers, body: '{}' }), 400, type)
    })
})

// CVE-2026-40109: any valid token of Google was taken, whoever had it.
test('a token of Google counts only for the account and audience of the Secret', async () => {
  const secret = { token: 't', email: 'push@example.iam.gserviceaccount.com', audience: 'https://example.com' }
  const good = { email: secret.email, email_verified: true, aud: secret.audience }
  const cases: [it: string, claims: object, want: number][] = [
    ['the right one', good, 200],
    ['another account', { ...good, email: 'mallory@example.com' }, 400],
    ['an unverified account', { ...good, email_verified: false }, 400],
    ['another audience', { ...good, aud: 'https://other' }, 400],
    ['another issuer', { ...good, iss: 'https://accounts.example.com' }, 400],
    ['an expired one', { ...good, exp: 1 }, 400],
    ['one of tomorrow', { ...good, nbf: Date.now() / 1000 + 86_400 }, 400],
  ]
  const data = btoa(JSON.stringify({ action: 'INSERT', digest: 'd', tag: 't' }))
  const body = JSON.stringify({ message: { data } })
  for (const [it, claims, want] of cases) {
    const { token, keys } = googleToken(claims)
    await withWorld({ receiver: { spec: { type: 'gcr' } }, secret, keys }, async (call) => {
      assert.equal(await call({ headers: { authorization: `Bearer ${token}` }, body }), want, it)
    })
  }
  const { token, keys } = googleToken(good)
  const [head = '', payload = ''] = token.split('.')
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
  const other = googleToken(good)
  const forged = [none, `${head}.${payload}.`, other.token.replace(/\.[^.]*$/, '.AAAA'), 'x', '', `${head}.${payload}`]
  await withWorld({ receiver: { spec: { type: 'gcr' } }, secret, keys }, async (call) => {
    for (const text of [...forged, other.token])
      assert.equal(await call({ headers: { authorization: `Bearer ${text}` }, body }), 400)
    assert.equal(await call({ body }), 400)
  })
})

test('a token of a listed issuer whose claims pass; the filter sees them', async () => {
  const { token, keys } = googleToken({ iss: 'https://issuer', aud: 'notification-controller', repo: 'org/repo' })
  const spec = (expression: string, resourceFilter = "claims.repo == 'org/repo'") => ({
    spec: {
      type: 'generic-oidc',
      secretRef: undefined,
      resources: [{ kind: 'GitRepository', name: 'a' }],
      resourceFilter,
      oidcProviders: [{ issuerURL: 'https://issuer', validations: [{ expression, message: 'wrong repo' }] }],
    },
  })
  const headers = { authorization: `Bearer ${token}` }
  const resources = [{ name: 'a' }]
  await withWorld({ receiver: spec("claims.repo == 'org/repo'"), keys, resources }, async (call, asked) => {
    assert.equal(await call({ headers }), 200)
    assert.deepEqual(asked, ['a'])
    assert.equal(await call({}), 400)
  })
  await withWorld({ receiver: spec("claims.repo == 'x'"), keys, resources }, async (call) =>
    assert.equal(await call({ headers }), 400),
  )
})

test('whatever is sent, the listener lives', async () => {
  const types = [
    'generic-hmac',
    'github',
    'gitlab',
    'bitbucket',
    'harbor',
    'nexus',
    'gcr',
    'cdevents',
    'quay',
    'dockerhub',
    'acr',
  ]
  const bodies = [
    '',
    '{',
    'null',
    '[]',
    '"x"',
    '0',
    '{"context":[]}',
    '{"message":{"data":7}}',
    '{"target":{"tag":{}}}',
    '\u0000\u00ff',
    '['.repeat(20_000),
  ]
  for (const type of types)
    await withWorld(
      { receiver: { spec: { type } }, secret: { token: 'token', email: 'e', audience: 'a' } },
      async (call) => {
        for (const body of bodies)
          for (const headers of [
            {} as Record<string, string>,
            { 'content-type': 'application/json', authorization: 'Bearer a.b.c', 'x-signature': '=' },
          ]) {
            const status = await call({ body, headers })
            assert.ok(
              status === 400 || (status === 200 && /quay|dockerhub|acr/.test(type)),
              `${type} ${body} ${status}`,
            )
          }
        assert.equal(await call({}, '/hook/other'), 404)
      },
    )
})

const calm: ReceiverSeen = {
  receiver: parseReceiver({
    ...KIND,
    metadata: { name: 'r', namespace: 'ns', generation: 1, finalizers: ['finalizers.fluxcd.io'] },
    spec: { type: 'generic', secretRef: { name: 's' }, resources: [] },
    status: { observedGeneration: -1 },
  }),
  ...{ nowMs: 0, random: 0.5, dueInMs: 0, path: { path: PATH }, failures: 0, knownMs: 60_000, traps: 'safe' },
}
const with_ = (fields: object): Partial<ReceiverSeen> => ({ receiver: { ...calm.receiver, ...fields } })
const decisions: readonly [it: string, seen: Partial<ReceiverSeen>, want: RegExp][] = [
  ['gets its finalizer first', with_({ finalizers: [] }), /^\{"kind":"act","changes":\["add finalizer"\]\}$/],
  ['loses it when it is deleted', with_({ isDeleting: true }), /"changes":\["remove finalizer"\]/],
  ['is left alone while suspended', with_({ isSuspended: true }), /^\{"kind":"done","status":\{\}\}$/],
  ['is left alone until it is due', { dueInMs: 5 }, /^\{"kind":"done","status":\{\},"againAfterMs":5\}$/],
  ['shows its path', {}, /"webhookPath":"\/hook\/x".*"message":"Receiver initialized for path: \/hook\/x"/],
  ['says when it comes again', {}, /"message":"Reconciliation finished, next run in 10m0s"/],
  ['loses its path with its token', { path: { missing: 'no token' } }, /"reason":"TokenNotFound","status":"False"/],
  [
    'that is new waits for a Secret that may have been applied with it',
    { path: { missing: 'no token' }, knownMs: 250 },
    /^\{"kind":"wait","afterMs":500,"status":\{\}\}$/,
  ],
  [
    'is stalled by a filter that is no CEL',
    with_({ resourceFilter: 'not (cel' }),
    /"type":"Stalled".*InvalidCELExpression|InvalidCELExpression/,
  ],
  [
    'wants validations of an issuer',
    with_({
      type: 'generic-oidc',
      secretName: undefined,
      oidcProviders: [{ issuerUrl: 'https://i', audience: 'a', variables: [], validations: [] }],
    }),
    /at least one validation is required/,
  ],
]
for (const [it, seen, want] of decisions)
  test(`a Receiver ${it}`, () => assert.match(JSON.stringify(decideReceiver({ ...calm, ...seen })), want))

function googleToken(claims: object): { token: string; keys: unknown[] } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const base = {
    iss: 'https://accounts.google.com',
    aud: 'https://example.com',
    exp: Math.floor(Date.now() / 1000) + 600,
    email: 'test@example.iam.gserviceaccount.com',
    email_verified: true,
  }
  const text = `${part({ alg: 'ES256', kid: 'k' })}.${part({ ...base, ...claims })}`
  const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return {
    token: `${text}.${signature.toString('base64url')}`,
    keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k' }],
  }
}

type Go = { $go: string }
type TableCase = {
  name: string
  headers?: Record<string, string>
  payload?: unknown
  receiver?: { Spec: Record<string, any>; Status: { Conditions: Record<string, Go>[] } }
  secret?: Record<string, any>
  resources?: Record<string, any>[]
  hashOpts?: { calculate: Go; header: string | Go; prefix?: string }
  noCrossNamespaceRefs?: boolean
  expectedResponseCode: Go
  expectedResourcesAnnotated?: number
}

/** The table holds Go values; what is not a literal there is read by its name. */
function worldOf({ receiver, secret, resources, noCrossNamespaceRefs }: TableCase): World {
  if (!receiver) return {}
  const { Type, Events, Resources, ResourceFilter, Suspend } = receiver.Spec
  const type = Type ? Type.$go.replace(/^apiv1\.(.*)Receiver$/, '$1').toLowerCase() : ''
  const isReady = receiver.Status.Conditions.some(
    (one) => /Ready/.test(one['Type']!.$go) && /True/.test(one['Status']!.$go),
  )
  const spec = {
    type: type === 'generichmac' ? 'generic-hmac' : type,
    ...(Suspend ? { suspend: true } : {}),
    events: Events ?? [],
    resourceFilter: ResourceFilter ?? '',
    resources: (Resources ?? []).map(({ CrossNamespaceObjectReference: ref }: any) => ({
      ...(ref.APIVersion ? { apiVersion: KIND.apiVersion } : {}),
      kind: 'Receiver',
      name: ref.Name ?? '',
      ...(ref.Namespace ? { namespace: ref.Namespace } : {}),
      ...(ref.MatchLabels ? { matchLabels: ref.MatchLabels } : {}),
    })),
  }
  const keys = Object.keys(secret?.['Data'] ?? {})
  const values = { token: 'token', email: 'test@example.iam.gserviceaccount.com', audience: 'https://example.com' }
  return {
    receiver: {
      spec,
      status: { conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }], webhookPath: PATH },
    },
    ...(secret ? { secret: keys.length > 0 ? pick(values, keys) : { token: 'token' } } : {}),
    resources: (resources ?? []).map((one) =>
      one['$id']
        ? { name: 'test-resource' }
        : {
            name: one['ObjectMeta'].Name,
            labels: one['ObjectMeta'].Labels,
            annotations: one['ObjectMeta'].Annotations,
          },
    ),
    crossNamespace: !noCrossNamespaceRefs,
  }
}

function pick(values: Record<string, string>, keys: string[]): Record<string, string> {
  return Object.fromEntries(keys.map((key) => [key, values[key] ?? '']))
}

function decodePayload(payload: any): unknown {
  const data = payload?.message?.data?.$go
  if (!data) return payload
  const fields = [...(data as string).matchAll(/"(action|digest|tag)": "([^"]*)"/g)].map(([, key, value]) => [
    key,
    value,
  ])
  return { message: { data: btoa(JSON.stringify(Object.fromEntries(fields))) } }
}
