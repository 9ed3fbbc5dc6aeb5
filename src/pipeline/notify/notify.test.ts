import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseAlert, parseProvider } from '../../kinds/notification.ts'
import { makeMessage, matchesAlert, type Message, type ToldEvent } from './message.ts'
import { buildRequest } from './payload.ts'

const root = join(process.env.SLUICE_CONFORMANCE ?? '../shared/conformance', 'flux-live/scenarios')
const skip = existsSync(root) ? false : `no conformance data at ${root}`

type Sent = { method: string; path: string; headers: Record<string, string>; body: unknown }
type Scenario = { steps: { do: { apply?: { kind: string; spec: object }[] }[]; then: { notifications?: Sent[] } }[] }
const load = (name: string): Scenario => JSON.parse(readFileSync(join(root, `${name}.json`), 'utf8')) as Scenario
const sentBy = (scenario: Scenario): Sent[] => scenario.steps.flatMap((step) => step.then.notifications ?? [])

/** The messages of the generic hook are Flux's own events: what other receivers were sent is made from the same ones. */
for (const type of ['slack', 'discord', 'rocket', 'msteams', 'webex', 'matrix', 'opsgenie', 'hmac'])
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
    const made = messages.flatMap((message) => buildRequest(message, provider, type === 'slack' ? {} : secret) ?? [])
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
  test(`an alert ${it}`, () => assert.equal(matchesAlert(alert(spec), { ...event, ...told }), want))

test('metadata: of the object, the alert, its summary, and the controller’s own above all', () => {
  const message = makeMessage(
    alert({ summary: 's', eventMetadata: { env: 'prod', image: 'from alert', revision: 'no' } }),
    event,
  )
  assert.deepEqual(message.metadata, { env: 'prod', image: 'from alert', revision: 'main@sha1:a', summary: 's' })
})

test('a type that is not supported is refused by name', () => {
  const provider = parseProvider({
    apiVersion: 'v1',
    kind: 'Provider',
    metadata: { name: 'p', namespace: 'n' },
    spec: { type: 'nats', address: 'http://x' },
  })
  assert.throws(() => buildRequest(makeMessage(alert({}), event), provider, {}), /"nats" is not supported yet/)
})
