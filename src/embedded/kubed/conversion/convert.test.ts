import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../lib/kube/json.ts'
import { objFrom } from '../object.ts'
import { builtinResources } from '../resources/builtin.ts'
import { resourcesOf } from '../resources/definitions.ts'
import { apiVersionOf } from '../resources/resource.ts'
import { toVersion } from './convert.ts'

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
