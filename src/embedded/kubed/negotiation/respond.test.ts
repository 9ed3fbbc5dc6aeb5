import assert from 'node:assert/strict'
import { test } from 'node:test'
import { objFrom } from '../object.ts'
import type { Call } from '../request/call.ts'
import { resourcesOf } from '../resources/definitions.ts'
import { textFor } from '../storage/stored.ts'
import { presentMany, presentOne, type Shown } from './respond.ts'

const kindOf = (field: string) => {
  const spec = { type: 'object', properties: { [field]: { type: 'string' } } }
  const versions = [
    { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec } } } },
  ]
  const names = { kind: 'Seed', plural: 'seeds' }
  const body = { group: 'x.io', names, scope: 'Namespaced', versions }
  const definition = { metadata: { name: 'seeds.x.io', generation: 2 }, spec: body }
  const [resource] = resourcesOf(objFrom(definition, 'apiextensions.k8s.io/v1', 'CustomResourceDefinition'))
  assert.ok(resource)
  return { resource, accept: '', subresource: '', query: new URLSearchParams() } as unknown as Call
}

/** Counts how often the object is looked into. */
function counted(spec: Record<string, string>): { readonly shown: Shown; readonly looks: () => number } {
  const object = objFrom({ metadata: { name: 'a' }, spec }, 'x.io/v1', 'Seed')
  let looks = 0
  const shown = {
    text: textFor(object),
    get object() {
      looks++
      return object
    },
  }
  return { shown, looks: () => looks }
}

test('what fits the definition is looked into once, and shown as it is kept from then on', () => {
  const { shown, looks } = counted({ size: 'L' })
  const call = kindOf('size')
  for (let round = 0; round < 3; round++) {
    assert.equal(presentOne(call, () => 0).show(shown, true), shown.text)
    const { text } = presentMany(call, [shown], {}, 0)
    assert.deepEqual((JSON.parse(text) as { items: unknown[] }).items, [JSON.parse(shown.text ?? '')])
  }
  assert.equal(looks(), 1)
})

test('what does not fit is shown as it would be written now, under each definition', () => {
  const { shown } = counted({ size: 'L' })
  presentOne(kindOf('size'), () => 0).show(shown, true)
  const { spec } = JSON.parse(presentOne(kindOf('color'), () => 0).show(shown, true)) as { spec: unknown }
  assert.deepEqual(spec, {})
})
