import assert from 'node:assert/strict'
import { readProviderSecret } from './secret.ts'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { KubeObject } from '../../lib/kube/object.ts'
import { parseAlert, parseProvider, type Provider } from '../../kinds/notification.ts'
import { makeMessage, marksOf, matchAlert, type Message, type ToldEvent } from './message.ts'
import { partsOf } from './git-host.ts'
import type { HookRequest, Parcel, ProviderSecret } from './hook-request.ts'
import { commitStatusName, converse, isFor } from './providers.ts'

const root = join(process.env.SLUICE_CONFORMANCE ?? '../shared/conformance', 'flux-live/scenarios')
const skip = existsSync(root) ? false : `no conformance data at ${root}`

type Sent = { method: string; path: string; headers: Record<string, string>; body: unknown }
type Scenario = { steps: { do: { apply?: { kind: string; spec: object }[] }[]; then: { notifications?: Sent[] } }[] }
const load = (name: string): Scenario => JSON.parse(readFileSync(join(root, `${name}.json`), 'utf8')) as Scenario
const sentBy = (scenario: Scenario): Sent[] => scenario.steps.flatMap((step) => step.then.notifications ?? [])

/** The messages of the generic hook are Flux's own events: what other receivers were sent is made from the same ones. */
for (const type of ['slack', 'discord', 'rocket', 'msteams', 'webex', 'matrix', 'opsgenie', 'hmac', 'pagerduty'])
  test(`a ${type} message is what Flux sends`, { skip }, () => {
    const name = `nt-${type}`
    const scenario = load(name)
    const applied = scenario.steps[0]!.do.flatMap((step) => step.apply ?? [])
    const spec = { ...applied.find(({ kind }) => kind === 'Provider')!.spec, address: `http://sink/${name}/hook` }
    const provider = parseProvider({
      apiVersion: 'v1',
      kind: 'Provider',
      metadata: { name: 'p', namespace: name },
      spec,
    })
    const alert = applied.find(({ kind }) => kind === 'Alert')!.spec as { summary?: string; eventMetadata?: object }
    const extra = { ...(alert.summary ? { summary: alert.summary } : {}), ...alert.eventMetadata }
    const messages = sentBy(load('nt-generic')).map(({ body }) => {
      const message = JSON.parse(JSON.stringify(body).replaceAll('nt-generic', name)) as Message
      return { ...message, metadata: { ...message.metadata, ...extra } }
    })
    const secret = { token: type === 'hmac' ? 'topsecret' : 'tokvalue' }
    const made = messages.flatMap((message) => requestsFor(message, provider, type === 'slack' ? {} : secret))
    const wanted = sentBy(scenario)
    assert.equal(made.length >= wanted.length, true)
    for (const want of wanted) {
      const found = made.some(
        (request) =>
          shape(request.url, request.body, request.method) ===
          shape(`http://sink${want.path}`, JSON.stringify(want.body), want.method),
      )
      assert.ok(found, `${JSON.stringify(want.body)}\n${made.map((one) => one.body).join('\n')}`)
    }
  })

function requestsFor(
  message: Message,
  provider: Provider,
  secret: ProviderSecret,
  answers: string[] = [],
): HookRequest[] {
  const annotations = { 'kustomize.toolkit.fluxcd.io/commit_status': message.metadata?.['commit_status'] ?? '' }
  if (!isFor(provider, message, marksOf({ ...event, annotations }))) return []
  const alert = { namespace: 'ns', name: 'al', uid: 'alert-uid' }
  const parcel = { message, provider, secret, commitStatus: 'kustomization/app/0c9c2e41', alert, nowMs: 0 }
  const talk = converse({ ...parcel, traps: 'flux' })
  const made: HookRequest[] = []
  for (let said = talk.next(); said.done !== true;) {
    const request = said.value as HookRequest
    const isVersion = request.url.endsWith('/api/v1/version')
    if (!isVersion) made.push(request)
    said = talk.next({ status: 200, text: isVersion ? '{"version":"1.22"}' : (answers.shift() ?? '') })
  }
  return made
}

/** Fields of chat messages come in random order from Flux; transaction ids are hashes. */
function shape(url: string, body: string, method: string): string {
  const sort = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(sort).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([key, one]) => [key, sort(one)]),
          )
        : value
  return `${method} ${url.replace(/(message\/).*/, '$1')} ${JSON.stringify(sort(JSON.parse(body)))}`
}

const event: ToldEvent = {
  object: {
    kind: 'Kustomization',
    namespace: 'ns',
    name: 'app',
    uid: 'u',
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    resourceVersion: '1',
  },
  severity: 'info',
  reason: 'Progressing',
  message: 'ConfigMap/ns/a created',
  annotations: {
    'event.toolkit.fluxcd.io/image': 'i',
    'event.toolkit.fluxcd.io/revision': 'no',
    'kustomize.toolkit.fluxcd.io/revision': 'main@sha1:a',
    'kustomize.toolkit.fluxcd.io/digest': 'd',
    'other/x': 'y',
  },
  objectLabels: { team: 'x' },
  controller: 'kustomize-controller',
  timestamp: '2026-01-01T00:00:00Z',
  host: 'h',
}
const alert = (spec: object) =>
  parseAlert({
    apiVersion: 'notification.toolkit.fluxcd.io/v1beta3',
    kind: 'Alert',
    metadata: { name: 'al', namespace: 'ns' },
    spec: { eventSources: [{ kind: 'Kustomization', name: '*' }], ...spec },
  })

const matches: readonly [it: string, spec: object, event: Partial<ToldEvent>, want: boolean][] = [
  ['takes all of a kind', {}, {}, true],
  ['takes one by name', { eventSources: [{ kind: 'Kustomization', name: 'app' }] }, {}, true],
  ['leaves another name', { eventSources: [{ kind: 'Kustomization', name: 'other' }] }, {}, false],
  ['leaves another kind', { eventSources: [{ kind: 'GitRepository', name: '*' }] }, {}, false],
  ['leaves another namespace', { eventSources: [{ kind: 'Kustomization', name: '*', namespace: 'x' }] }, {}, false],
  [
    'takes labels that fit',
    { eventSources: [{ kind: 'Kustomization', name: '*', matchLabels: { team: 'x' } }] },
    {},
    true,
  ],
  [
    'leaves labels that do not',
    { eventSources: [{ kind: 'Kustomization', name: '*', matchLabels: { team: 'y' } }] },
    {},
    false,
  ],
  ['leaves info when it wants errors', { eventSeverity: 'error' }, {}, false],
  ['takes errors always', { eventSeverity: 'info' }, { severity: 'error' }, true],
  ['leaves traces', {}, { severity: 'trace' }, false],
  ['leaves what is excluded', { exclusionList: ['.*created'] }, {}, false],
  ['leaves what is not included', { inclusionList: ['deleted'] }, {}, false],
  ['says nothing while suspended', { suspend: true }, {}, false],
]
for (const [it, spec, told, want] of matches)
  test(`an alert ${it}`, () => assert.equal(matchAlert(alert(spec), { ...event, ...told }).isWanted, want))

test('metadata: of the object, the alert, its summary, and the controller’s own above all', () => {
  const message = makeMessage(
    alert({ summary: 's', eventMetadata: { env: 'prod', image: 'from alert', revision: 'no' } }),
    event,
  )
  assert.deepEqual(message.metadata, { env: 'prod', image: 'from alert', revision: 'main@sha1:a', summary: 's' })
})

const providerOf = (spec: object): Provider =>
  parseProvider({ apiVersion: 'v1', kind: 'Provider', metadata: { name: 'p', namespace: 'n', uid: 'p-uid' }, spec })
const revision = 'main@sha1:69b59063470310ebbd88a9156325322a124e55a3'
const commit = '69b59063470310ebbd88a9156325322a124e55a3'
const made = { ...makeMessage(alert({}), event), reason: 'ReconciliationSucceeded', metadata: { revision } } as Message

const statuses: readonly [
  type: string,
  address: string,
  secret: ProviderSecret,
  look: RegExp,
  said: RegExp,
  same: string,
][] = [
  [
    'github',
    'https://github.com/o/r',
    { token: 't' },
    /^GET https:\/\/api\.github\.com\/repos\/o\/r\/commits\/69b.*\/statuses\?per_page=50$/,
    /^POST https:\/\/api\.github\.com\/repos\/o\/r\/statuses\/69b\w+ .*"state":"success".*"context":"kustomization\/app/,
    '[{"context":"kustomization/app/0c9c2e41","state":"success","description":"reconciliation succeeded"}]',
  ],
  [
    'gitlab',
    'git@gitlab.example.com:group/sub/app.git',
    { token: 't' },
    /^GET https:\/\/gitlab\.example\.com\/api\/v4\/projects\/group%2Fsub%2Fapp\/repository\/commits\/69b/,
    /^POST https:\/\/gitlab\.example\.com\/api\/v4\/projects\/group%2Fsub%2Fapp\/statuses\/69b.*"state":"success"/,
    `[{"sha":"${commit}","name":"kustomization/app/0c9c2e41","status":"success","description":"reconciliation succeeded"}]`,
  ],
  [
    'gitea',
    'ssh://git@gitea.example.com/o/r.git',
    { password: 't' },
    /^GET https:\/\/gitea\.example\.com\/api\/v1\/repos\/o\/r\/commits\/69b/,
    /^POST https:\/\/gitea\.example\.com\/api\/v1\/repos\/o\/r\/statuses\/69b/,
    '[{"context":"kustomization/app/0c9c2e41","status":"success","description":"reconciliation succeeded"}]',
  ],
  [
    'bitbucket',
    'https://bitbucket.org/o/r',
    { token: 'u:p' },
    /^GET https:\/\/api\.bitbucket\.org\/2\.0\/repositories\/o\/r\/commit\/69b\w+\/statuses\/build\/[0-9a-f]{40}$/,
    /^POST .*\/statuses\/build .*"state":"SUCCESSFUL"/,
    '{"state":"SUCCESSFUL","description":"reconciliation succeeded"}',
  ],
  [
    'bitbucketserver',
    'https://bb.example.com/ctx/scm/proj/repo.git',
    { username: 'u', password: 'p' },
    /^GET https:\/\/bb\.example\.com\/ctx\/rest\/api\/latest\/projects\/proj\/repos\/repo\/commits\/69b\w+\/builds\?key=/,
    /^POST .*\/builds .*"name":"kustomization\/app \[reconciliation succeeded\]"/,
    '{"state":"SUCCESSFUL","description":"reconciliation succeeded","name":"kustomization/app [reconciliation succeeded]","key":"5e3c6d4a4c5c8ab3d5e2ecd6d4a3f1f6a1b1c1d1"}',
  ],
  [
    'azuredevops',
    'https://dev.azure.com/org/proj/_git/repo',
    { token: 't' },
    /^GET https:\/\/dev\.azure\.com\/org\/proj\/_apis\/git\/repositories\/repo\/commits\/69b/,
    /^POST .*"genre":"fluxcd".*"state":"succeeded"/,
    '{"value":[{"context":{"name":"kustomization/app/0c9c2e41","genre":"fluxcd"},"state":"succeeded","description":"reconciliation succeeded"}]}',
  ],
]
for (const [type, address, secret, look, said, same] of statuses)
  test(`a commit status at ${type}: looks first, says nothing twice, leaves progress alone`, () => {
    const provider = providerOf({ type, address })
    const failure = { ...made, severity: 'error', reason: 'HealthCheckFailed' } as const
    const text = ({ method, url, body }: HookRequest): string => `${method} ${url}${body ? ` ${body}` : ''}`
    const none = type === 'bitbucketserver' ? '{}' : '[]'
    const sent = requestsFor({ ...failure, severity: 'error', reason: made.reason }, provider, secret, [none]).map(text)
    assert.equal(sent.length, 2)
    const all = requestsFor({ ...made, metadata: { revision, commit_status: 'update' } }, provider, secret, [none]).map(
      text,
    )
    assert.match(all[0] ?? '', look)
    assert.match(all[1] ?? '', said)
    if (type !== 'bitbucketserver')
      assert.equal(
        requestsFor({ ...made, metadata: { revision, commit_status: 'update' } }, provider, secret, [same]).length,
        1,
      )
    assert.deepEqual(requestsFor(made, provider, secret), [], 'only updates and failures are for commits')
    const progress = requestsFor({ ...failure, reason: 'Progressing' }, provider, secret, ['[]'])
    assert.equal(progress.length, type === 'gitea' ? 2 : 0)
    assert.throws(() => requestsFor({ ...failure, metadata: {} }, provider, secret), /missing revision metadata/)
  })

const versions: readonly [answer: string, fault: string][] = [
  ['[]', 'json: cannot unmarshal array into Go value of type struct { Version string "json:\\"version\\"" }'],
  ['"1"', 'json: cannot unmarshal string into Go value of type struct { Version string "json:\\"version\\"" }'],
  ['<html>', "invalid character '<' looking for beginning of value"],
  ['', 'unexpected end of JSON input'],
]
for (const [text, fault] of versions)
  test(`a Gitea that answers ${text || 'nothing'} for its version is none, with Flux's traps`, () => {
    const provider = providerOf({ type: 'gitea', address: 'https://git.host/o/r' })
    const message = { ...made, metadata: { revision, commit_status: 'update' } }
    const parcel = { message, provider, secret: { token: 't' }, commitStatus: 'c', nowMs: 0 } as const
    const talk = converse({ ...parcel, alert: { namespace: 'ns', name: 'al', uid: 'u' }, traps: 'flux' })
    talk.next()
    assert.throws(() => talk.next({ status: 200, text }), { message: `failed creating Gitea client: ${fault}` })
  })

test('a commit status wants a name', () => {
  const provider = providerOf({ type: 'github', address: 'https://git.host/o/r' })
  const parcel = { message: made, provider, secret: { token: 't' }, commitStatus: '', nowMs: 0, traps: 'safe' } as const
  const talk = converse({ ...parcel, alert: { namespace: 'ns', name: 'al', uid: 'u' } })
  assert.throws(() => talk.next(), { code: 'NOTIFY_PROVIDER', message: /commit status cannot be empty/ })
})

test('a Bitbucket that lists where it should show one status is not understood, as in Flux', () => {
  const provider = providerOf({ type: 'bitbucketserver', address: 'https://bb/scm/p/r.git' })
  const message = { ...made, metadata: { revision, commit_status: 'update' } }
  assert.throws(() => requestsFor(message, provider, { token: 't' }, ['[]']), {
    message:
      'could not get existing commit status: could not unmarshal json response body for duplicate commit status: json: cannot unmarshal array into Go value of type notifier.bbServerBuildStatus',
  })
})

test("lists of a Gitea are asked for as its own client asks, with Flux's traps", () => {
  const provider = providerOf({ type: 'gitea', address: 'https://git.host/o/r' })
  const [list] = requestsFor({ ...made, metadata: { revision, commit_status: 'update' } }, provider, { token: 't' }, [
    '[]',
  ])
  assert.equal(list?.headers['content-type'], 'application/json')
})

for (const [type, fault] of [
  ['githubpullrequestcomment', 'github.User'],
  ['giteapullrequestcomment', 'gitea.User'],
  ['gitlabmergerequestcomment', 'gitlab.User'],
] as const)
  test(`a ${type} needs to know whose comments are its own`, () => {
    const provider = providerOf({ type, address: 'https://git.host/o/r' })
    const message = { ...made, metadata: { revision, change_request: '7' } }
    const parcel = { message, provider, secret: { token: 't' }, commitStatus: '', nowMs: 0, traps: 'safe' } as const
    const talk = converse({ ...parcel, alert: { namespace: 'ns', name: 'al', uid: 'u' } })
    talk.next()
    assert.throws(() => talk.next({ status: 200, text: '[]' }), {
      message: `failed to get authenticated user info: json: cannot unmarshal array into Go value of type ${fault}`,
    })
  })

for (const [type, fault] of [
  [
    'generic',
    'failed to execute request: POST ftp://x/y giving up after 1 attempt(s): Post "ftp://x/y": unsupported protocol scheme "ftp"',
  ],
  ['sentry', '[Sentry] DsnParseError: invalid scheme'],
] as const)
  test(`a ${type} receiver is not spoken to by FTP`, () =>
    assert.throws(() => requestsFor(made, providerOf({ type, address: 'ftp://x/y' }), {}), { message: fault }))

for (const [type, address, fault] of [
  [
    'slack',
    'htps://hooks.slack.com/services/T0/B0/SECRET',
    'failed to execute request: POST htps://hooks.slack.com/… giving up after 1 attempt(s): Post "htps://hooks.slack.com/…": unsupported protocol scheme "htps"',
  ],
  ['slack', 'hooks.slack.com/services/SECRET', `invalid Slack hook URL …: 'parse "…": invalid URI for request'`],
  [
    'generic',
    'https://host name/SECRET',
    'invalid hook URL https://…: parse "https://…": invalid character " " in host name',
  ],
  ['discord', 'https:hooks/SECRET', `invalid Discord hook URL …: 'parse "…": it is not an http(s) URL'`],
  ['lark', 'ssh://me:SECRET@host/x', /^failed to execute request: POST ssh:\/\/… giving/],
  ['grafana', 'https://[SECRET', 'invalid Grafana URL https://…'],
  ['generic', '', 'invalid hook URL : parse "": empty url'],
] as const)
  test(`what may be secret in ${address} is not told`, () => {
    const alert = { namespace: 'ns', name: 'al', uid: 'u' }
    const parcel = { message: made, secret: { address }, commitStatus: '', nowMs: 0, traps: 'safe', alert } as const
    assert.throws(() => converse({ ...parcel, provider: providerOf({ type, address: 'http://x' }) }).next(), {
      message: fault,
    })
  })

for (const [address, fault] of [
  ['https://sentry.io/1', 'empty username'],
  ['https://key@sentry.io', 'empty project id'],
  ['https://key@sentry.io/path/', 'empty project id'],
] as const)
  test(`${address} is no address of a Sentry`, () => {
    const provider = providerOf({ type: 'sentry', address })
    assert.throws(() => requestsFor(made, provider, {}), { message: `[Sentry] DsnParseError: ${fault}` })
  })

test('the name of a commit status must be known to be a text', () => {
  const of = { message: made, providerObject: {} as KubeObject, alertObject: {} as KubeObject }
  const named = (commitStatusExpr: string) => () =>
    commitStatusName({
      ...of,
      provider: { ...providerOf({ type: 'github', address: 'https://h/o/r' }), commitStatusExpr },
    })
  assert.equal(named("'x/' + event.involvedObject.name")(), 'x/app')
  assert.throws(named('event.nope.x'), {
    message:
      'failed to create commit status: failed to evaluate the spec.commitStatusExpr CEL expression for the event: failed to compile expression: CEL expression output type mismatch: expected string, got dyn',
  })
})

test('a comment on a change request is changed when it is there already, and only when it is ours', () => {
  const provider = providerOf({ type: 'githubpullrequestcomment', address: 'https://github.com/o/r' })
  const message = { ...made, metadata: { revision, change_request: '7' } }
  const marker = '<!-- flux-pr-comment-key:p-uid/Kustomization/ns/app -->'
  const talk = (comments: object[]) => {
    const alert = { namespace: 'ns', name: 'al', uid: 'u' }
    const parcel = {
      message,
      provider,
      secret: { token: 't' },
      commitStatus: '',
      alert,
      nowMs: 0,
      traps: 'safe',
    } as const
    const said = converse(parcel)
    said.next()
    said.next({ status: 200, text: '{"login":"bot"}' })
    const last = said.next({ status: 200, text: JSON.stringify(comments) }).value as HookRequest
    return `${last.method} ${last.url}`
  }
  const other = { id: 1, user: { login: 'mallory' }, body: marker }
  assert.equal(talk([other]), 'POST https://api.github.com/repos/o/r/issues/7/comments')
  const own = { id: 2, user: { login: 'bot' }, body: `${marker} x` }
  assert.equal(talk([other, own]), 'PATCH https://api.github.com/repos/o/r/issues/comments/2')
})

const shapes: readonly [type: string, spec: object, secret: ProviderSecret, want: RegExp][] = [
  ['googlechat', {}, {}, /"cards":\[\{"header":\{"title":"kustomization\/app\.ns","subtitle":"kustomize-controller"/],
  ['lark', {}, {}, /"msg_type":"interactive".*💫 kustomization\/app\.ns/],
  [
    'telegram',
    { channel: '-100:3' },
    { token: 'tok' },
    /bottok\/sendMessage .*"chat_id":"-100","message_thread_id":"3"/,
  ],
  ['zulip', { channel: 'c/t', username: 'u' }, { password: 'p' }, /\/api\/v1\/messages content=%23%23\+Flux\+Status/],
  ['zoom', {}, { token: 't' }, /\?format=full .*"sub_head":\{"text":"info"\}/],
  ['datadog', {}, { token: 't' }, /\/api\/v1\/events .*"tags":\["flux_reporting_controller:kustomize-controller"/],
  [
    'sentry',
    { address: 'https://key@sentry.example.com/1' },
    {},
    /example\.com\/api\/1\/envelope\/ .*"type":"transaction"/s,
  ],
  ['incident.io', {}, { token: 't' }, /"title":"kustomization\/app\.ns: ReconciliationSucceeded","status":"resolved"/],
  ['otel', {}, {}, /\/hook .*"name":"Kustomization: ns\/app"/],
  ['msteams', { address: 'https://x.webhook.office.com/y' }, {}, /"@type":"MessageCard"/],
  [
    'githubdispatch',
    { address: 'https://ghe.example.com/o/r' },
    { token: 't' },
    /example\.com\/api\/v3\/repos\/o\/r\/dispatches/,
  ],
]
for (const [type, spec, secret, want] of shapes)
  test(`a message for ${type}`, () => {
    const [request] = requestsFor(made, providerOf({ type, address: 'https://host.example.com/hook', ...spec }), secret)
    assert.match(`${request?.url} ${request?.body}`, want)
  })

const ids: readonly [type: string, message: string][] = [
  ['github', "invalid repository id: 'a/b'"],
  ['azuredevops', 'invalid repository id "a/b"'],
]
for (const [type, message] of ids)
  test(`an address of another form is refused at ${type} in Flux's words`, () => {
    const provider = providerOf({ type, address: 'https://h/a/b' })
    assert.throws(() => partsOf({ provider } as Parcel, { host: 'https://h', path: 'a/b' }, 3), { message })
  })

// As notification-controller 1.9 reads them; its YAML takes a number or a truth for a text.
const headerTexts: readonly [text: string, want: object | string][] = [
  ['X-A: 1\nX-B: true\nX-C:\n', { 'X-A': '1', 'X-B': 'true', 'X-C': '' }],
  ['nope', 'cannot unmarshal string into Go value of type map[string]string'],
  ['[a]', 'cannot unmarshal array into Go value of type map[string]string'],
  ['X-A: {b: c}', 'cannot unmarshal object into Go value of type string'],
]
for (const [text, want] of headerTexts)
  test(`headers of a Secret: ${JSON.stringify(text)}`, () => {
    const read = () => readProviderSecret({ headers: Buffer.from(text) }).headers
    if (typeof want !== 'string') assert.deepEqual(read(), want)
    else
      assert.throws(read, {
        code: 'NOTIFY_PROVIDER',
        message: `failed to read headers from secret: error unmarshaling JSON: while decoding JSON: json: ${want}`,
      })
  })
