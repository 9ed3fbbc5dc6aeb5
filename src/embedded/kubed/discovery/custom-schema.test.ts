import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../lib/kube/json.ts'
import { objFrom } from '../object.ts'
import { resourcesOf } from '../resources/definitions.ts'
import { customSchemaV3 } from './custom-schema.ts'

const EITHER = [{ type: 'integer' }, { type: 'string' }]

/** A kind with a port, which is a number or a name, far below. */
function kindWithPort() {
  const port = { 'x-kubernetes-int-or-string': true }
  let spec: JsonObject = { type: 'object', properties: { port } }
  for (let depth = 0; depth < 20; depth += 1)
    spec = depth % 2 === 0 ? { type: 'array', items: spec } : { type: 'object', additionalProperties: spec }
  const openAPIV3Schema = { type: 'object', properties: { spec } }
  const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }]
  const body = {
    metadata: { name: 'seeds.x.io' },
    spec: { group: 'x.io', names: { kind: 'Seed', plural: 'seeds' }, versions },
  }
  const [resource] = resourcesOf(objFrom(body, 'apiextensions.k8s.io/v1', 'CustomResourceDefinition'))
  assert.ok(resource)
  return resource
}

test('a published schema says in words that a field is a number or a text; the definition stays as it is', () => {
  const resource = kindWithPort()
  const had = structuredClone(resource.custom?.schema)
  assert.ok(JSON.stringify(customSchemaV3(resource, {})).includes(`"anyOf":${JSON.stringify(EITHER)}`))
  assert.deepEqual(resource.custom?.schema, had)
})

test('a schema is copied once when it is published, however deep it is', (t) => {
  const resource = kindWithPort()
  const copy = t.mock.method(globalThis, 'structuredClone')
  customSchemaV3(resource, {})
  const wholes = copy.mock.calls.filter(({ arguments: [value] }) => !Array.isArray(value))
  assert.equal(wholes.length, 1)
})
