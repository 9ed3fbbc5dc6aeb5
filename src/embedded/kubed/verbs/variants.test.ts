import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Kubed, serveKubed } from '../serve.ts'

// What the real kube-apiserver 1.37.2 answers where one kind differs from the others.
let kubed: Kubed
const stateDir = mkdtempSync(join(tmpdir(), 'kubed-variants-'))
before(async () => {
  kubed = await serveKubed({ stateDir, port: 0, isAlsoPlain: true })
})
after(async () => {
  await kubed.close()
  rmSync(stateDir, { recursive: true, force: true })
})

const CORE = '/api/v1/namespaces/default'
const APPLY = 'application/apply-patch+yaml'

type Seen = { readonly code: number; readonly warning: string | null; readonly text: string }

async function ask(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Seen> {
  const answer = await fetch(`${kubed.plainServer ?? ''}${path}`, {
    method,
    headers: { authorization: `Bearer ${kubed.token}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { code: answer.status, warning: answer.headers.get('warning'), text: await answer.text() }
}

const applied = (name: string, manager: string, kind: string, plural: string, content: object): Promise<Seen> =>
  ask(
    'PATCH',
    `${CORE}/${plural}/${name}?fieldManager=${manager}`,
    { ...content, apiVersion: 'v1', kind, metadata: { ...(content as { metadata?: object }).metadata, name } },
    { 'content-type': APPLY },
  )

test('events are read from the store, whose refusals have other words', async () => {
  for (const name of ['a', 'b'])
    await ask('POST', `${CORE}/events`, { metadata: { name }, involvedObject: { namespace: 'default' } })
  const any = JSON.parse((await ask('GET', `${CORE}/events?resourceVersion=0&limit=1`)).text) as { items: unknown[] }
  assert.equal(any.items.length, 1, 'a page though any version will do')
  assert.equal((await ask('GET', `${CORE}/events/a?resourceVersion=x`)).code, 400)
  assert.equal((await ask('GET', `${CORE}/secrets/a?resourceVersion=x`)).code, 500)
  assert.doesNotMatch((await ask('GET', `${CORE}/events?resourceVersion=99999999`)).text, /retryAfterSeconds/)
})

test('a limit range is named by its prefix before the server names it', async () => {
  const made = await ask('POST', `${CORE}/limitranges`, { metadata: { generateName: 'own-' }, spec: { limits: [] } })
  assert.match(made.text, /"name":"own-[a-z0-9]{5}"/)
})

test('who is refused is warned of what is deprecated, too', async () => {
  const { code, warning } = await ask('GET', `${CORE}/endpoints/x`, undefined, { accept: 'application/xml' })
  assert.deepEqual([code, warning?.includes('v1 Endpoints is deprecated')], [406, true])
})

test('where nobody owns a field any more, nothing is said of owners', async () => {
  await applied('empty', 'bob', 'Secret', 'secrets', { metadata: { labels: { a: 'b' } } })
  const seen = await applied('empty', 'bob', 'Secret', 'secrets', {})
  assert.equal(seen.code, 200)
  assert.doesNotMatch(seen.text, /managedFields/)
})

test('who owns a field is told of before who came too late', async () => {
  const data = (value: string): object => ({ data: { a: value } })
  await applied('late', 'bob', 'ConfigMap', 'configmaps', data('1'))
  const late = { metadata: { resourceVersion: '1' }, ...data('2') }
  assert.match((await applied('late', 'alice', 'ConfigMap', 'configmaps', late)).text, /conflict with .*bob/)
})

for (const [plural, want] of [
  ['deployments', '"spec":{"replicas":0,"selector":null'],
  ['daemonsets', '"deprecated.daemonset.template.generation":"0"'],
] as const)
  test(`the bookmark of ${plural} is what Go makes of nothing`, async () => {
    const query =
      'watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
    const { text } = await ask('GET', `/apis/apps/v1/namespaces/default/${plural}?${query}`)
    assert.ok(text.includes(want), text)
  })
