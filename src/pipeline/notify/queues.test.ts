import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, verify } from 'node:crypto'
import { test } from 'node:test'
import { parseProvider } from '../../kinds/notification.ts'
import type { HookRequest, NatsPublish, ProviderSecret } from './hook-request.ts'
import type { Message } from './message.ts'
import { converse } from './providers.ts'

const message = {
  reason: 'x',
  message: 'ü',
  involvedObject: { kind: 'Kustomization', namespace: 'n', name: 'a' },
} as unknown as Message
const NOW_MS = 1_700_000_000_000

/** What a Provider says, with one answer to all of it. */
function saidBy(type: string, spec: object, secret: ProviderSecret, answer = '{}'): (HookRequest | NatsPublish)[] {
  const provider = parseProvider({
    apiVersion: 'v1',
    kind: 'Provider',
    metadata: { name: 'p', namespace: 'n' },
    spec: { type, ...spec },
  })
  const alert = { namespace: 'n', name: 'a', uid: 'u' }
  const talk = converse({ message, provider, secret, commitStatus: '', alert, nowMs: NOW_MS, traps: 'safe' })
  const said: (HookRequest | NatsPublish)[] = []
  for (let one = talk.next(); one.done !== true; one = talk.next({ status: 200, text: answer })) said.push(one.value)
  return said
}
const request = (type: string, spec: object, secret: ProviderSecret, answer?: string) =>
  saidBy(type, spec, secret, answer) as HookRequest[]

const refusals: readonly [type: string, spec: object, secret: ProviderSecret, want: RegExp][] = [
  ['nats', { channel: 's' }, {}, /^NATS server \(address\) cannot be empty$/],
  ['nats', { address: 'nats' }, {}, /^NATS subject \(channel\) cannot be empty$/],
  ['nats', { address: 'nats', channel: 'a 1\r\nPUB b' }, {}, /is no subject of NATS/],
  ['nats', { address: 'nats', channel: 's', proxy: 'http://p' }, {}, /not spoken through a proxy/],
  ['nats', { address: 'nats', channel: 's' }, { natsCredentials: 'x' }, /credentials of NATS hold no token/],
  ['googlepubsub', { channel: 't' }, {}, /^GCP project ID cannot be empty$/],
  ['googlepubsub', { address: 'p' }, {}, /^GCP Pub\/Sub topic ID cannot be empty$/],
  ['googlepubsub', { address: 'p', channel: 't' }, {}, /workload identity is not supported/],
  ['googlepubsub', { address: 'p', channel: 't' }, { token: '{"type":"external_account"}' }, /another thing/],
  ['googlepubsub', { address: 'p', channel: 't' }, { token: 'x' }, /another thing/],
  ['googlepubsub', { address: 'p', channel: 't' }, { token: '{"type":"service_account","private_key":"x"}' }, /cannot/],
  ['azureeventhub', {}, { token: 't' }, /^invalid authentication options: endpoint URL cannot be empty$/],
  ['azureeventhub', { address: 'hub', channel: 'ns' }, {}, /ManagedIdentityCredential is not supported/],
  [
    'azureeventhub',
    { address: 'Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey=k;EntityPath=e' },
    { token: 't' },
    /^invalid authentication options: jwt token and SAS authentication cannot be set at the same time$/,
  ],
  [
    'azureeventhub',
    { address: 'Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey=k' },
    {},
    /^failed to create a eventhub using SAS: connection string does not contain an EntityPath\. eventHub cannot be an empty string$/,
  ],
  [
    'azureeventhub',
    { address: 'Endpoint=file:///x;SharedAccessKeyName=n;SharedAccessKey=k;EntityPath=e' },
    {},
    /needs an Endpoint/,
  ],
  ['azureeventhub', { address: 'hub', channel: 'no host' }, { token: 't' }, /is no host of an Event Hub/],
]
for (const [type, spec, secret, want] of refusals)
  test(`${type} with ${JSON.stringify({ ...spec, ...secret })} is refused`, () =>
    assert.throws(() => saidBy(type, spec, secret), { message: want }))

test('an event for NATS, with the login that Flux would use', () => {
  const all = {
    natsCredentials: '---BEGIN---\nj\n---END---\n---BEGIN---\nS\n---END---\n',
    nkey: 'SU',
    username: 'u',
    password: 'p',
  }
  const login = (secret: ProviderSecret, spec: object = {}) => {
    const [order] = saidBy('nats', { address: 'nats://h', channel: 'flux.events', ...spec }, secret) as NatsPublish[]
    assert.deepEqual([order?.subject, order?.payload], ['flux.events', JSON.stringify(message)])
    return order?.login.kind
  }
  assert.equal(login(all), 'jwt')
  assert.equal(login({ ...all, natsCredentials: undefined } as unknown as ProviderSecret), 'nkey')
  assert.equal(login({ username: 'u', password: 'p' }), 'user')
  assert.equal(login({ password: 'p' }, { username: 'u' }), 'user')
  assert.equal(login({ password: 'p' }), 'none')
})

test('an event for Google Pub/Sub: a statement that the key signs buys the token that publishes', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = {
    ...{ type: 'service_account', client_email: 'a@p.iam.gserviceaccount.com', private_key_id: 'k1' },
    private_key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
  }
  const secret = { token: JSON.stringify(key), headers: { env: 'prod' } }
  const [asking, publishing] = request(
    'googlepubsub',
    { address: 'proj', channel: 'top/ic' },
    secret,
    '{"access_token":"at"}',
  )
  assert.equal(asking?.url, 'https://oauth2.googleapis.com/token')
  const form = new URLSearchParams(asking?.body)
  assert.equal(form.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer')
  const [head = '', body = '', signature = ''] = (form.get('assertion') ?? '').split('.')
  assert.ok(verify('sha256', Buffer.from(`${head}.${body}`), publicKey, Buffer.from(signature, 'base64url')))
  assert.deepEqual(JSON.parse(Buffer.from(head, 'base64url').toString()), { alg: 'RS256', typ: 'JWT', kid: 'k1' })
  assert.deepEqual(JSON.parse(Buffer.from(body, 'base64url').toString()), {
    ...{ iss: key.client_email, scope: 'https://www.googleapis.com/auth/pubsub', aud: asking?.url },
    ...{ iat: NOW_MS / 1000, exp: NOW_MS / 1000 + 3600 },
  })
  assert.equal(publishing?.url, 'https://pubsub.googleapis.com/v1/projects/proj/topics/top%2Fic:publish')
  assert.equal(publishing?.headers['authorization'], 'Bearer at')
  const [sent] = (JSON.parse(publishing?.body ?? '') as { messages: { data: string; attributes: object }[] }).messages
  assert.deepEqual(sent?.attributes, { env: 'prod' })
  assert.deepEqual(JSON.parse(Buffer.from(sent?.data ?? '', 'base64').toString()), message)
})

test('an event for an Event Hub, with the key of a connection string', () => {
  const address =
    'Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=a2V5PQ==;EntityPath=hub'
  const [sent] = request('azureeventhub', { address }, {})
  assert.equal(sent?.url, 'https://ns.servicebus.windows.net/hub/messages')
  assert.deepEqual(JSON.parse(sent?.body ?? ''), message)
  const proof = new URLSearchParams(/^SharedAccessSignature (.*)$/.exec(sent?.headers['authorization'] ?? '')?.[1])
  const about = encodeURIComponent('https://ns.servicebus.windows.net/hub')
  const signature = createHmac('sha256', 'a2V5PQ==')
    .update(`${about}\n${proof.get('se')}`)
    .digest('base64')
  assert.deepEqual(
    [proof.get('sr'), proof.get('sig'), proof.get('skn'), Number(proof.get('se'))],
    ['https://ns.servicebus.windows.net/hub', signature, 'send', NOW_MS / 1000 + 3600],
  )
})

for (const [channel, host] of [
  ['ns', 'ns.servicebus.windows.net'],
  ['ns.servicebus.chinacloudapi.cn', 'ns.servicebus.chinacloudapi.cn'],
])
  test(`an event for an Event Hub of ${channel}, with a token`, () => {
    const [sent] = request('azureeventhub', { address: 'hub', channel }, { token: 'jwt' })
    assert.equal(sent?.url, `https://${host}/hub/messages`)
    assert.equal(sent?.headers['authorization'], 'Bearer jwt')
  })
