import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, kubedOfFile } from '../../../../tests/support/kubed.ts'

// What the real kube-apiserver 1.37.2 does with objects of a defined kind besides asking their schema.
const { ask } = kubedOfFile()

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

/** Defines a kind of its own for a test. */
async function kindOf(plural: string): Promise<{ path: string; post: (content: object) => Promise<Answer> }> {
  const numbered = { type: 'object', properties: { n: { type: 'integer' } } }
  const any = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: numbered, status: numbered, any } } }
  const versions = [{ name: 'v1', served: true, storage: true, schema, subresources: { status: {} } }]
  const spec = { group: 'x.io', names: { plural, kind: plural }, scope: 'Namespaced', versions }
  const defined = await ask('POST', DEFINITIONS, { metadata: { name: `${plural}.x.io` }, spec })
  assert.equal(defined.code, 201, defined.text)
  const path = `/apis/x.io/v1/namespaces/default/${plural}`
  return { path, post: (content) => ask('POST', path, { apiVersion: 'x.io/v1', kind: plural, ...content }) }
}

test('a custom resource is given a name that begins as it says', async () => {
  const { post } = await kindOf('named')
  const made = await post({ metadata: { generateName: 'one-' } })
  assert.equal(made.code, 201, made.text)
  assert.match(made.body.metadata.name, /^one-[a-z0-9]{5}$/)
  const refused = await post({ metadata: { generateName: '_' } })
  assert.match(refused.body.message, /metadata\.generateName: Invalid value: "_"/)
})

test('who adds a finalizer without a domain to a custom resource is told so, once', async () => {
  const { path, post } = await kindOf('held')
  const made = await post({ metadata: { name: 'one', finalizers: ['late', 'x.io', 'x.io/a', 'orphan'] } })
  assert.match(made.warning, /metadata\.finalizers: \\"late\\": prefer a domain-qualified finalizer name to avoid/)
  assert.match(made.warning, /metadata\.finalizers: \\"x\.io\\": prefer .* name including a path \(\/\) to avoid/)
  assert.doesNotMatch(made.warning, /x\.io\/a|orphan/)
  assert.equal((await ask('PATCH', `${path}/one`, { metadata: { labels: { a: 'b' } } })).warning, '')
})

test('a write of what cannot be compared leaves the owners of a custom resource alone', async () => {
  const { path, post } = await kindOf('owned')
  const odd = await post({ metadata: { name: 'odd' }, spec: { n: 1 }, status: { n: 'one' } })
  assert.deepEqual([odd.code, odd.body.status, odd.body.metadata.managedFields], [201, undefined, undefined])

  const had = await post({ metadata: { name: 'even' }, spec: { n: 1 } })
  const put = { ...had.body, spec: { n: 2 }, status: { n: 'one' } }
  const replaced = await ask('PUT', `${path}/even`, put, { 'user-agent': 'another/1' })
  assert.equal(replaced.body.spec.n, 2)
  assert.deepEqual(replaced.body.metadata.managedFields, had.body.metadata.managedFields)
})

test('an object that does not fit its definition any more keeps its owners', async () => {
  const { path, post } = await kindOf('narrowed')
  const had = await post({ metadata: { name: 'one' }, spec: { n: 1 } })
  const part = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/n'
  const narrowed = await ask(
    'PATCH',
    `${DEFINITIONS}/narrowed.x.io`,
    JSON.stringify([{ op: 'replace', path: part, value: { type: 'string' } }]),
    {
      'content-type': 'application/json-patch+json',
    },
  )
  assert.equal(narrowed.code, 200, narrowed.text)
  const written = await ask('PATCH', `${path}/one/status`, { status: { n: 5 } })
  assert.deepEqual([written.code, written.body.status], [200, { n: 5 }])
  assert.deepEqual(written.body.metadata.managedFields, had.body.metadata.managedFields)
})

test('where anything may stand in a map, nothing but a map is applied', async () => {
  const { path } = await kindOf('loose')
  const applied = { apiVersion: 'x.io/v1', kind: 'loose', metadata: { name: 'one' }, any: ['a'] }
  const refused = await ask('PATCH', `${path}/one?fieldManager=m`, applied, {
    'content-type': 'application/apply-patch+yaml',
  })
  assert.equal(refused.code, 500)
  assert.match(
    refused.body.message,
    /^failed to create typed patch object \(.*\): \.any: expected map, got &\{\[a\]\}$/,
  )
})
