import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kubedOfFile } from '../../../../tests/support/kubed.ts'
import type { JsonObject } from '../../../lib/kube/json.ts'

// Storage migration, as the API server has it: a write that changes nothing moves an object into the version in which its kind is kept now.
const kubed = kubedOfFile()

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const MERGE = 'application/merge-patch+json'
const APPLY = 'application/apply-patch+yaml'

type Answer = JsonObject & { readonly metadata: JsonObject }

async function ask(method: string, path: string, body?: object, type = 'application/json'): Promise<Answer> {
  const answer = await kubed.ask(method, path, body, { 'content-type': type })
  assert.ok(answer.code < 300, `${method} ${path}: ${answer.text}`)
  return answer.body
}

/** The versions of a kind, of which one is that in which it is kept. */
const versions = (kept: string, names: readonly string[]): object[] =>
  names.map((name) => {
    const spec = { type: 'object', properties: { a: { type: 'string' } } }
    const schema = { openAPIV3Schema: { type: 'object', properties: { spec } } }
    return { name, served: true, storage: name === kept, schema }
  })

/** Makes a kind that is kept as v1, an object of it, and lets the kind be kept as v2 from now on. */
async function movedKind(plural: string): Promise<{ definition: string; path: (version: string) => string }> {
  const names = { plural, kind: plural }
  const name = `${plural}.x.io`
  const both = ['v1', 'v2']
  const spec = { group: 'x.io', names, scope: 'Namespaced', versions: versions('v1', both) }
  await ask('POST', DEFINITIONS, { metadata: { name }, spec })
  const path = (version: string): string => `/apis/x.io/${version}/namespaces/default/${plural}`
  await ask('PATCH', `${path('v1')}/one?fieldManager=m`, applied(plural), APPLY)
  await ask('PATCH', `${DEFINITIONS}/${name}`, { spec: { versions: versions('v2', both) } }, MERGE)
  return { definition: `${DEFINITIONS}/${name}`, path }
}

const applied = (kind: string): object => ({
  ...{ apiVersion: 'x.io/v1', kind, metadata: { name: 'one' }, spec: { a: 'x' } },
})

const writes: { it: string; plural: string; write: (one: string, had: Answer) => Promise<Answer> }[] = [
  { it: 'a PUT', plural: 'puts', write: (one, had) => ask('PUT', one, had) },
  { it: 'a PATCH', plural: 'patches', write: (one) => ask('PATCH', one, { spec: { a: 'x' } }, MERGE) },
  {
    it: 'an apply',
    plural: 'applies',
    write: (one) => ask('PATCH', `${one}?fieldManager=m`, applied('applies'), APPLY),
  },
]
for (const { it, plural, write } of writes)
  test(`${it} that changes nothing moves an object into the version in which its kind is kept, once`, async () => {
    const { definition, path } = await movedKind(plural)
    const one = `${path('v1')}/one`
    const had = await ask('GET', one)
    const moved = await write(one, had)
    assert.notEqual(moved.metadata.resourceVersion, had.metadata.resourceVersion)
    assert.deepEqual([moved.spec, moved.metadata.generation], [had.spec, had.metadata.generation])
    const again = await write(one, moved)
    assert.equal(again.metadata.resourceVersion, moved.metadata.resourceVersion)
    await ask('PATCH', `${definition}/status`, { status: { storedVersions: ['v2'] } }, MERGE)
    await ask('PATCH', definition, { spec: { versions: versions('v2', ['v2']) } }, MERGE)
    assert.deepEqual((await ask('GET', `${path('v2')}/one`)).spec, { a: 'x' })
  })

test('an object that nothing moved keeps its fields when its version goes', async () => {
  const { definition, path } = await movedKind('stays')
  await ask('PATCH', `${definition}/status`, { status: { storedVersions: ['v2'] } }, MERGE)
  await ask('PATCH', definition, { spec: { versions: versions('v2', ['v2']) } }, MERGE)
  const one = `${path('v2')}/one`
  assert.deepEqual((await ask('GET', one)).spec, { a: 'x' })
  await ask('PATCH', one, { metadata: { labels: { l: '1' } } }, MERGE)
  assert.deepEqual((await ask('GET', one)).spec, { a: 'x' })
})
