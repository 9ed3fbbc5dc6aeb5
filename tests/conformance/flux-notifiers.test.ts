import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { parseProvider } from '../../src/kinds/notification.ts'
import type { HookRequest, NatsPublish, ProviderSecret } from '../../src/pipeline/notify/hook-request.ts'
import type { Message } from '../../src/pipeline/notify/message.ts'
import { commitOf } from '../../src/pipeline/notify/git-host.ts'
import { converse } from '../../src/pipeline/notify/providers.ts'
import { readProviderSecret } from '../../src/pipeline/notify/secret.ts'
import { type FluxRow as Row, fluxSkip as skip, fluxTable } from '../support/flux-tables.ts'

// Tables of the tests of notification-controller's notifiers. Values that are Go code there are read by what they say.
const rows = (name: string): Row[] => fluxTable('notification-notifiers.json', name)

const REVISION = 'main@sha1:69b59063470310ebbd88a9156325322a124e55a3'
const plain: Message = {
  involvedObject: {
    ...{ kind: 'GitRepository', namespace: 'gitops-system', name: 'webapp', uid: '1234' },
    ...{ apiVersion: 'source.toolkit.fluxcd.io/v1', resourceVersion: '1' },
  },
  ...{ severity: 'info', timestamp: '2020-01-01T00:00:00Z', message: 'message', reason: 'reason' },
  metadata: { revision: REVISION },
  ...{ reportingController: 'source-controller', reportingInstance: 'h' },
}
type Talk = {
  readonly type: string
  readonly spec?: Row
  readonly secret?: ProviderSecret
  readonly message?: Message
  readonly answers?: readonly string[]
  readonly commitStatus?: string
}

/** All that is said to a receiver; answers are given in turn. */
function said({
  type,
  spec,
  secret = {},
  message = plain,
  answers = [],
  commitStatus = 'c',
}: Talk): (HookRequest & NatsPublish)[] {
  const metadata = { name: 'p', namespace: 'n', uid: 'test-provider-uid-123' }
  const provider = parseProvider({ apiVersion: 'v1', kind: 'Provider', metadata, spec: { type, ...spec } })
  const alert = { namespace: 'n', name: 'a', uid: 'u' }
  const talk = converse({ message, provider, secret, commitStatus, alert, nowMs: 0, traps: 'safe' })
  const made: (HookRequest & NatsPublish)[] = []
  const left = [...answers]
  for (let one = talk.next(); one.done !== true; one = talk.next({ status: 200, text: left.shift() ?? '{}' }))
    made.push(one.value as HookRequest & NatsPublish)
  return made
}
/** `errors.New("…")` of Go. */
const goError = (code: { $go: string } | null | undefined): string | undefined => /"(.*)"/.exec(code?.$go ?? '')?.[1]
const messageOf = (run: () => unknown): string | undefined => {
  try {
    run()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

test('the conformance data of notifiers is there', { skip }, () => assert.ok(rows('nats/TestNewNATS').length > 0))

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const GO_VALUES: Record<string, string> = {
  ...{ appID: '1', installationID: '2' },
  'kp.PrivateKey': privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
}
function secretOf(data: Row | unknown[] | undefined): ProviderSecret {
  const pairs = Object.entries(Array.isArray(data) ? {} : (data ?? {})).map(
    ([key, { $go: code }]: [string, Row[string]]) => {
      const name = code.replace(/^\[\]byte\((.*)\)$/, '$1')
      return [key, Buffer.from(GO_VALUES[name] ?? name.replace(/^"|"$/g, ''))] as const
    },
  )
  return readProviderSecret(Object.fromEntries(pairs))
}

const GITHUB = {
  'github/TestNewGithubProvider': 'github',
  'github_dispatch/TestNewGithubDispatchProvider': 'githubdispatch',
  'github_pull_request_comment/TestNewGitHubPullRequestCommentProvider': 'githubpullrequestcomment',
}
for (const [table, type] of Object.entries(GITHUB))
  for (const { name, secretData, wantErr } of rows(table))
    test(`${table}: ${name}`, () => {
      const message = { ...plain, metadata: { ...plain.metadata, change_request: '1' } }
      const answers = ['{"token":"t"}', '{"slug":"s"}', '[]']
      const talk = {
        type,
        spec: { address: 'https://github.com/foo/bar' },
        secret: secretOf(secretData),
        message,
        answers,
      }
      assert.equal(
        messageOf(() => said(talk)),
        goError(wantErr),
      )
    })

for (const { name, subject, server, username = '', password = '', secretData, expectedErr, ...want } of rows(
  'nats/TestNewNATS',
))
  test(`nats/TestNewNATS: ${name}`, () => {
    // The credentials of this table are no file: which login is tried shows by what is wrong with it.
    const secret = { ...secretOf(secretData), ...(username ? { username, password } : {}) }
    const run = () => said({ type: 'nats', spec: { address: server, channel: subject }, secret })
    if (want['expectedCreds']) return assert.match(messageOf(run) ?? '', /credentials of NATS/)
    assert.equal(messageOf(run), goError(expectedErr))
    if (expectedErr) return
    const [order] = run()
    assert.equal(order?.subject, want['expectedSubject'])
    assert.equal(order?.login.kind, want['expectedNkey'] ? 'nkey' : want['expectedUsername'] ? 'user' : 'none')
  })

for (const { name, endpointURL, token, eventHubNamespace, serviceAccountName, err } of rows(
  'azure_eventhub/TestNewAzureEventHub',
))
  test(`azure_eventhub/TestNewAzureEventHub: ${name}`, () => {
    const spec = { address: endpointURL, channel: eventHubNamespace, serviceAccountName }
    // As in Go, what is wanted is part of what is said.
    const fault = messageOf(() => said({ type: 'azureeventhub', spec, secret: { token } }))
    const want = goError(err)
    assert.ok(want === undefined ? fault === undefined : fault?.includes(want), fault)
  })

for (const { name, projectID, topicID, expectedErr } of rows('google_pubsub/TestNewGooglePubSub'))
  test(`google_pubsub/TestNewGooglePubSub: ${name}`, () =>
    assert.equal(
      messageOf(() => said({ type: 'googlepubsub', spec: { address: projectID, channel: topicID } })),
      goError(expectedErr),
    ))

for (const { name, dsn, environment, err } of rows('sentry/TestNewSentry'))
  test(`sentry/TestNewSentry: ${name}`, () =>
    assert.equal(
      messageOf(() => said({ type: 'sentry', spec: { address: dsn, channel: environment } })),
      goError(err),
    ))

for (const { name, hmacKey, err } of rows('forwarder/TestForwarder_New'))
  test(`forwarder/TestForwarder_New: ${name}`, () => {
    const token = Array.isArray(hmacKey) ? '' : /"(.*)"/.exec(hmacKey?.$go ?? '')?.[1]
    const type = hmacKey === null ? 'generic' : 'generic-hmac'
    const run = () =>
      said({ type, spec: { address: 'http://example.org' }, secret: token === undefined ? {} : { token } })
    assert.equal(messageOf(run) !== undefined, err)
  })

for (const { name, hmacKey, xSigHeader } of rows('forwarder/TestForwarder_Post'))
  test(`forwarder/TestForwarder_Post: ${name}`, () => {
    const token = /"(.*)"/.exec(hmacKey?.$go ?? '')?.[1]
    const headers = xSigHeader ? { headers: { 'X-Signature': xSigHeader } } : {}
    const [request] = said({
      ...{ type: hmacKey ? 'generic-hmac' : 'generic', spec: { address: 'http://example.org' } },
      secret: { ...headers, ...(token ? { token } : {}) },
    })
    assert.equal(request?.headers['gotk-component'], 'source-controller')
    const signature = request?.headers['x-signature']
    if (hmacKey) assert.match(signature ?? '', /^sha256=[0-9a-f]{64}$/)
    else assert.equal(signature, xSigHeader)
  })

const isConnector = (body: string | undefined): boolean => /"@type":"MessageCard"/.test(body ?? '')
for (const { name, url, wantSchema } of rows('teams/TestNewMSTeams'))
  test(`teams/TestNewMSTeams: ${name}`, () => {
    const [request] = said({ type: 'msteams', spec: { address: url } })
    assert.equal(isConnector(request?.body), wantSchema.$id.includes('Deprecated'))
  })
for (const { name, schema } of rows('teams/TestMSTeams_Post'))
  test(`teams/TestMSTeams_Post: ${name}`, () => {
    const isOld = schema.$id.includes('Deprecated')
    const [request] = said({
      type: 'msteams',
      spec: { address: isOld ? 'https://x.webhook.office.com' : 'http://127.0.0.1' },
    })
    assert.equal(isConnector(request?.body), isOld)
  })

for (const { name, revision, expect, wantErr } of rows('util/TestUtil_ParseRevision'))
  test(`util/TestUtil_ParseRevision: ${name}`, () => {
    const run = () => commitOf({ ...plain, metadata: { revision } })
    if (wantErr) assert.equal(messageOf(run), wantErr)
    else assert.equal(run(), expect)
  })

for (const { name, event, expectedAlias } of rows('opsgenie/TestOpsgenie_PostAlias'))
  test(`opsgenie/TestOpsgenie_PostAlias: ${name}`, () => {
    const reason = /e\.Reason = "(\w+)"/.exec(event.$go ?? '')?.[1] ?? 'reason'
    const namespace = /Namespace = "(\w+)"/.exec(event.$go ?? '')?.[1] ?? 'gitops-system'
    const message = { ...plain, reason, involvedObject: { ...plain.involvedObject, namespace } }
    const [request] = said({ type: 'opsgenie', spec: { address: 'http://o' }, secret: { token: 't' }, message })
    const key = /\[\]byte\("([^"]*)"\)/.exec(expectedAlias.$go)?.[1] ?? ''
    assert.equal((JSON.parse(request?.body ?? '') as Row)['alias'], createHash('sha256').update(key).digest('hex'))
  })
for (const { name, event } of rows('opsgenie/TestOpsgenie_Post'))
  test(`opsgenie/TestOpsgenie_Post: ${name}`, () => {
    const { metadata: _none, ...bare } = plain
    const message: Message = event.$go ? bare : plain
    const [request] = said({ type: 'opsgenie', spec: { address: 'http://o' }, secret: { token: 't' }, message })
    assert.equal(request?.headers['authorization'], 'GenieKey t')
    assert.equal((JSON.parse(request?.body ?? '') as Row)['message'], 'GitRepository/webapp')
  })

for (const { name, eventSeverity, expectedContent } of rows('zulip/TestZulip_Post'))
  test(`zulip/TestZulip_Post: ${name}`, () => {
    const message: Message = {
      ...plain,
      severity: eventSeverity.$go.includes('Error') ? 'error' : 'info',
      message: 'Test event message',
      involvedObject: { ...plain.involvedObject, kind: 'Kustomization', namespace: 'default', name: 'test-ks' },
      metadata: { key1: 'value1', key2: 'value2' },
    }
    const secret = { username: 'u', password: 'p' }
    const [request] = said({
      type: 'zulip',
      spec: { address: 'http://z', channel: 'my-channel/my-topic' },
      secret,
      message,
    })
    assert.equal(new URLSearchParams(request?.body).get('content'), expectedContent)
  })

for (const { name, e, want } of rows('pagerduty/TestToPagerDutyV2Event'))
  test(`pagerduty/TestToPagerDutyV2Event: ${name}`, () => {
    const { InvolvedObject, Severity, Reason, Metadata } = e
    const involvedObject = { ...plain.involvedObject, name: InvolvedObject.Name, uid: InvolvedObject.UID }
    const reason = /(\w+)Reason/.exec(Reason.$go)?.[1] ?? ''
    const message: Message = { ...plain, involvedObject, severity: Severity, reason, metadata: Metadata }
    const [request] = said({
      type: 'pagerduty',
      spec: { address: 'https://events.pagerduty.com', channel: 'key' },
      message,
    })
    const body = JSON.parse(request?.body ?? '') as Row
    assert.deepEqual(
      [body['routing_key'], body['event_action'], body['dedup_key']],
      ['key', want.Action, want.DedupKey],
    )
    const { Summary, Source, Component, Group, Timestamp, Details } = want.Payload ?? {}
    if (!want.Payload) return assert.equal(body['payload'], undefined)
    const { summary, source, component, group, timestamp, custom_details: details, severity } = body['payload']
    assert.deepEqual(
      [summary, source, component, group, timestamp, severity],
      [Summary, Source, Component, Group, Timestamp, want.Payload.Severity],
    )
    assert.deepEqual(details, Details)
  })

/** A message is of two severities: what was told as `trace` is `info` in it. */
const SEVERITIES: Readonly<Record<string, Message['severity']>> = {
  'eventv1.EventSeverityInfo': 'info',
  'eventv1.EventSeverityTrace': 'info',
}
for (const { name, severity, want } of rows('pagerduty/TestToPagerDutySeverity'))
  test(`pagerduty/TestToPagerDutySeverity: ${name}`, () => {
    const message: Message = { ...plain, severity: SEVERITIES[severity.$go] ?? 'error' }
    const spec = { address: 'https://events.pagerduty.com', channel: 'key' }
    const told = said({ type: 'pagerduty', spec, message }).flatMap(({ body }) => [
      ...body.matchAll(/"severity":"(\w+)"/g),
    ])
    assert.ok(told.every(([, one]) => one === want))
    assert.equal(told.length > 0, want === 'error', 'what is resolved has no severity of its own')
  })

/** What a host lists already, and what would be said: nothing, when it says the same. */
const DUPLICATES: Record<
  string,
  {
    type: string
    address: string
    shape: (state: string, context: string, words: string) => object
    list: (all: object[]) => unknown
  }
> = {
  'github/TestDuplicateGithubStatus': {
    ...{ type: 'github', address: 'https://github.com/foo/bar' },
    shape: (state, context, description) => ({ state, context, description }),
    list: (all) => all,
  },
  'azure_devops/TestDuplicateAzureDevOpsStatus': {
    ...{ type: 'azuredevops', address: 'https://example.com/foo/bar/_git/baz' },
    shape: (state, name, description) => ({
      state: state === 'failed' ? 'error' : state,
      context: { name, genre: 'fluxcd' },
      description,
    }),
    list: (value) => ({ value }),
  },
}
for (const [table, { type, address, shape, list }] of Object.entries(DUPLICATES))
  rows(table).forEach((row, at) =>
    test(`${table}: row ${at}`, () => {
      const [listed, wanted, isSaid] = row as unknown as [{ $go: string }[], { $go: string }, boolean]
      const parts = ({ $go }: { $go: string }) =>
        /(\w+)"?, "(\w+)", "(\w+)"/
          .exec($go)
          ?.slice(1)
          .map((one) => one.toLowerCase()) ?? []
      const [state = '', context = '', words = ''] = parts(wanted)
      const severity = /fail/.test(state) ? 'error' : 'info'
      const there = list(listed.map(parts).map(([a = '', b = '', c = '']) => shape(a, b, c)))
      const talk = {
        type,
        spec: { address },
        secret: { token: 't' },
        commitStatus: context,
        answers: [JSON.stringify(there)],
      }
      assert.equal(said({ ...talk, message: { ...plain, reason: words, severity } }).length === 1, isSaid)
    }),
  )

for (const { name, event } of rows('gitea/TestGitea_Post'))
  test(`gitea/TestGitea_Post: ${name}`, () => {
    const metadata = {
      revision: event.Metadata['eventv1.MetaRevisionKey'],
      originRevision: event.Metadata['eventv1.MetaOriginRevisionKey'],
    }
    const known = Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined))
    const message = { ...plain, metadata: known as Record<string, string> }
    const [, posted] = said({
      type: 'gitea',
      spec: { address: 'http://g/foo/bar' },
      secret: { token: 't' },
      message,
      answers: ['[]'],
    })
    assert.ok(posted?.url.endsWith((metadata.originRevision ?? metadata.revision).split(':')[1]), posted?.url)
  })

for (const { name, token, username, password, headers, event, uriHash, testFailReason, commitStatus } of rows(
  'bitbucketserver/TestBitBucketServerPostValidateRequest',
))
  test(`bitbucketserver: ${name}`, () => {
    const marks = [...event.$go.matchAll(/Meta(\w+)Key: "([^"]*)"/g)].map(([, key, value]) => [
      key === 'Revision' ? 'revision' : 'originRevision',
      value,
    ])
    const severity = event.$go.includes('"error"') ? 'error' : 'info'
    const message: Message = { ...plain, severity, metadata: Object.fromEntries(marks) }
    const secret = token ? { token } : { username, password }
    const address = 'https://example.com:7990/scm/projectfoo/repobar.git'
    const run = (answer: string) =>
      said({ type: 'bitbucketserver', spec: { address }, secret, message, commitStatus, answers: [answer] })
    if (testFailReason === 'badjson') return assert.match(messageOf(() => run('')) ?? '', /not JSON/)
    const [asked, posted] = run('{}')
    const key = createHash('sha1').update(commitStatus).digest('hex')
    assert.ok(asked?.url.endsWith(`/commits/${uriHash}/builds?key=${key}`), asked?.url)
    const login = token ? `Bearer ${token}` : `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    assert.equal(posted?.headers['authorization'], login)
    assert.equal(posted?.headers['x-atlassian-token'], headers['x-atlassian-token'])
    const body = JSON.parse(posted?.body ?? '') as Row
    assert.equal(body['state'], severity === 'error' ? 'FAILED' : 'SUCCESSFUL')
    if (/duplicate/.test(name)) assert.equal(run(posted?.body ?? '').length, 1)
  })

for (const { name } of rows('otel/TestOTEL_Post'))
  test(`otel/TestOTEL_Post: ${name}`, () => {
    const message = { ...plain, metadata: { cluster: 'my-cluster', region: 'us-east-2', env: 'prod' } }
    const [request] = said({ type: 'otel', spec: { address: 'http://o:4318' }, message })
    assert.equal(request?.url, 'http://o:4318/v1/traces')
    for (const value of Object.values(message.metadata)) assert.ok(request?.body.includes(value))
  })

for (const { event, sha1 } of rows('matrix/TestSha1Sum'))
  test('matrix/TestSha1Sum: a message has its own hash as its id', () => {
    const { Message: message, Reason: reason } = event
    const involvedObject = { ...plain.involvedObject, toJSON: () => ({}) }
    const bare = { involvedObject, severity: 'info', timestamp: '2021-08-24T16:18:00Z', message, reason }
    const talk = { type: 'matrix', spec: { address: 'http://m', channel: '!r:m' }, secret: { token: 't' } }
    const [request] = said({ ...talk, message: { ...bare, reportingController: '' } as unknown as Message })
    assert.equal(request?.url.split('/').at(-1), sha1)
  })
