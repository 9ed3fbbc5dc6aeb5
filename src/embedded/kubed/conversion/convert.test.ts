import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../lib/kube/json.ts'
import { objFrom } from '../object.ts'
import { builtinResources } from '../resources/builtin.ts'
import { resourcesOf } from '../resources/definitions.ts'
import { apiVersionOf } from '../resources/resource.ts'
import { asKept, toStored, toVersion } from './convert.ts'

const kindOf = (generation: number, properties: JsonObject) => {
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } } }
  const spec = { group: 'x.io', names: { kind: 'Seed', plural: 'seeds' }, scope: 'Namespaced' }
  const versions = [{ name: 'v1', served: true, storage: true, schema }]
  const body = { metadata: { name: 'seeds.x.io', generation }, spec: { ...spec, versions } }
  const [resource] = resourcesOf(objFrom(body, 'apiextensions.k8s.io/v1', 'CustomResourceDefinition'))
  assert.ok(resource)
  return resource
}
const seed = objFrom({ metadata: { name: 'a' }, spec: { old: 1, kept: 'x' } }, 'x.io/v1', 'Seed')

// What the real server 1.37 shows of an object that was written before.
test('an object is shown without what its definition has lost since it was written', () => {
  const { spec } = toVersion(kindOf(2, { kept: { type: 'string' }, more: { type: 'string', default: 'y' } }), seed)
  assert.deepEqual(spec, { kept: 'x', more: 'y' })
  assert.deepEqual(seed.spec, { old: 1, kept: 'x' })
})

test('an object of a definition that never changed is shown as it is kept', () => {
  assert.equal(toVersion(kindOf(1, { kept: { type: 'string' } }), seed), seed)
})

for (const [from, to] of [
  ['autoscaling/v1', 'autoscaling/v2'],
  ['autoscaling/v2', 'autoscaling/v1'],
] as const)
  test(`an autoscaler that is kept in ${from} stays as it is when it is shown in ${to}`, () => {
    const resource = builtinResources().find(
      (each) => each.kind === 'HorizontalPodAutoscaler' && apiVersionOf(each) === to,
    )
    assert.ok(resource)
    // An empty text is what one version leaves out.
    const spec = { maxReplicas: 3, scaleTargetRef: { apiVersion: '', kind: 'Deployment', name: 'web' } }
    const kept = objFrom({ metadata: { name: 'web' }, spec }, from, resource.kind)
    const had = structuredClone(kept)
    toVersion(resource, kept)
    assert.deepEqual(kept, had)
  })

/** A kind that is kept as v1 and has other fields as v2. */
function twoVersions() {
  const version = (name: string, properties: JsonObject) => ({
    name,
    served: true,
    storage: name === 'v1',
    schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } } },
  })
  const count = { type: 'integer', default: 3 }
  const versions = [
    version('v1', { a: { type: 'string' }, count }),
    version('v2', { b: { type: 'string', default: 'bee' }, count: { type: 'integer' } }),
  ]
  const spec = { group: 'x.io', names: { kind: 'Seed', plural: 'seeds' }, scope: 'Namespaced', versions }
  const body = { metadata: { name: 'seeds.x.io', generation: 1 }, spec }
  const [first, second] = resourcesOf(objFrom(body, 'apiextensions.k8s.io/v1', 'CustomResourceDefinition'))
  assert.ok(first !== undefined && second !== undefined)
  return { v1: first, v2: second }
}

// What the real server 1.37 answered to writes and reads through both versions.
test('another version shows what is kept, with the defaults of the version in which it is kept alone', () => {
  const { v2 } = twoVersions()
  const kept = objFrom({ metadata: { name: 'a' }, spec: { a: 'x' } }, 'x.io/v1', 'Seed')
  const shown = toVersion(v2, kept)
  assert.deepEqual([shown.apiVersion, shown.spec], ['x.io/v2', { count: 3 }])
  assert.equal(toVersion(v2, shown), shown, 'what was converted gets no defaults when it is shown')
  assert.deepEqual(kept.spec, { a: 'x' })
})

test('a write through another version keeps what the kept version has', () => {
  const { v2 } = twoVersions()
  const written = objFrom({ metadata: { name: 'a' }, spec: { b: 'y', count: 6 } }, 'x.io/v2', 'Seed')
  assert.deepEqual(toStored(v2, written).spec, { count: 6 })
  assert.deepEqual(asKept(v2, written).spec, { count: 6 })
  assert.deepEqual(written.spec, { b: 'y', count: 6 })
})

test('an object of a version that its definition no longer has keeps what the version in which it is kept has', () => {
  const { v1, v2 } = twoVersions()
  const spec = { a: 'x', count: 4, odd: true }
  const gone = objFrom({ metadata: { name: 'a', labels: { l: '1' } }, spec }, 'x.io/v0', 'Seed')
  const shown = toVersion(v1, gone)
  assert.deepEqual([shown.apiVersion, shown.metadata.labels, shown.spec], ['x.io/v1', { l: '1' }, { a: 'x', count: 4 }])
  assert.deepEqual(toVersion(v2, gone).spec, { count: 4 })
})
