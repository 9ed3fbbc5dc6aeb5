import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definitionType } from '../../kube-schema/builtin.ts'
import type { Json } from '../../kube/json.ts'
import { type Schema, typeOf } from '../../kube-schema/schema.ts'
import { isComparable, typeFaults } from './type-faults.ts'

// What the real kube-apiserver 1.37.2 answered in.
const deployment = definitionType('io.k8s.api.apps.v1.Deployment')

const cases: readonly { it: string; value: Json; want: readonly string[] }[] = [
  { it: 'a whole object of the right types', value: { spec: { replicas: 1 } }, want: [] },
  { it: 'no object at all', value: 'x', want: ['expected map, got &{x}'] },
  {
    it: 'a scalar of another type, on its way',
    value: { spec: { replicas: 'x', paused: 1 } },
    want: ['.spec.replicas: expected numeric (int or float), got string', '.spec.paused: expected boolean, got &{1}'],
  },
  {
    it: 'a field that is not declared, and no more of its map',
    value: { spec: { replica: 1, paused: 1 }, kind: 2 },
    want: [
      '.spec.replica: field not declared in schema',
      '.kind: expected string, got &value.valueUnstructured{Value:2}',
    ],
  },
  {
    it: 'an item by its keys',
    value: { spec: { template: { spec: { containers: [{ name: 'web', tty: 'no' }] } } } },
    want: ['.spec.template.spec.containers[name="web"].tty: expected boolean, got &{no}'],
  },
  {
    it: 'what stands where a text belongs as Go writes it in its sources',
    value: { metadata: { name: { b: [1, 'x'], a: null } } },
    want: [
      '.metadata.name: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"a":interface {}(nil), "b":[]interface {}{1, "x"}}}',
    ],
  },
  {
    it: 'items that are there twice',
    value: { spec: { template: { spec: { containers: [{ name: 'a' }, { name: 'a' }, {}] } } } },
    want: ['.spec.template.spec.containers: duplicate entries for key [name="a"]'],
  },
  {
    it: 'what reads its own JSON only where it is no scalar',
    value: {
      metadata: { creationTimestamp: 5 },
      spec: { strategy: { rollingUpdate: { maxSurge: [1], maxUnavailable: 1.5 } } },
      status: { conditions: [{ type: 'Available', lastUpdateTime: { a: 1 } }] },
    },
    want: [
      '.spec.strategy.rollingUpdate.maxSurge: expected any scalar, got &{[1]}',
      '.status.conditions[type="Available"].lastUpdateTime: expected any scalar, got &{map[a:1]}',
    ],
  },
]
for (const { it, value, want } of cases)
  test(`type faults tell of ${it}`, () => {
    assert.ok(deployment !== undefined)
    assert.deepEqual(typeFaults(deployment, value), want)
  })

const text = { type: 'string' }
const defined: readonly { it: string; schema: Schema; value: Json; want: readonly string[] }[] = [
  { it: 'a text of a format is any scalar', schema: { ...text, format: 'date-time' }, value: 7, want: [] },
  {
    it: 'a text of a format is no list',
    schema: { ...text, format: 'date-time' },
    value: [7],
    want: ['expected any scalar, got &{[7]}'],
  },
  {
    it: 'bytes are a text',
    schema: { ...text, format: 'byte' },
    value: 7,
    want: ['expected string, got &value.valueUnstructured{Value:7}'],
  },
  { it: 'a map of anything is no list', schema: { type: 'object' }, value: [], want: ['expected map, got &{[]}'] },
]
for (const { it, schema, value, want } of defined)
  test(`of a defined kind, ${it}`, () => assert.deepEqual(typeFaults(typeOf(schema), value), want))

test('what is only compared may have an item twice', () => {
  const set = typeOf({ type: 'array', items: text, 'x-kubernetes-list-type': 'set' })
  assert.deepEqual([isComparable(set, ['a', 'a']), isComparable(set, ['a', 1])], [true, false])
})
