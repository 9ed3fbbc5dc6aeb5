import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schemaFor } from '../../kube-schema/builtin.ts'
import type { Json, JsonObject } from '../../kube/json.ts'
import { strategicPatch } from './patch.ts'

const pod = schemaFor('v1', 'Pod')
const podOf = (...containers: Json[]): JsonObject => ({ spec: { containers } })

const strategic: { it: string; target: JsonObject; patch: JsonObject; want: Json }[] = [
  {
    it: 'merges items by their key and leaves the others',
    target: podOf({ name: 'a', image: '1' }, { name: 'b', image: '1' }),
    patch: podOf({ name: 'b', image: '2' }),
    want: podOf({ name: 'a', image: '1' }, { name: 'b', image: '2' }),
  },
  {
    it: 'deletes an item by its key',
    target: podOf({ name: 'a' }, { name: 'b' }),
    patch: podOf({ name: 'a', $patch: 'delete' }),
    want: podOf({ name: 'b' }),
  },
  {
    it: 'puts new items first',
    target: podOf({ name: 'a' }),
    patch: podOf({ name: 'b' }),
    want: podOf({ name: 'b' }, { name: 'a' }),
  },
  {
    it: 'orders as it is told',
    target: podOf({ name: 'a' }, { name: 'b' }),
    patch: {
      spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }], containers: [{ name: 'a', image: 'x' }] },
    },
    want: podOf({ name: 'b' }, { name: 'a', image: 'x' }),
  },
  {
    it: 'replaces a list without key',
    target: podOf({ name: 'a', args: ['1'] }),
    patch: podOf({ name: 'a', args: ['2'] }),
    want: podOf({ name: 'a', args: ['2'] }),
  },
  {
    it: 'removes by null',
    target: { metadata: { labels: { a: '1', b: '2' } } },
    patch: { metadata: { labels: { a: null } } },
    want: { metadata: { labels: { b: '2' } } },
  },
  {
    it: 'removes primitives by value',
    target: { metadata: { finalizers: ['a', 'b'] } },
    patch: { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } },
    want: { metadata: { finalizers: ['b'] } },
  },
  {
    it: 'puts what takes the place of a deleted item behind those that stay',
    target: podOf({ name: 'a' }, { name: 'b' }),
    patch: {
      spec: {
        '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }],
        containers: [{ name: 'b', $patch: 'delete' }, { name: 'c' }],
      },
    },
    want: podOf({ name: 'c' }, { name: 'a' }),
  },
  {
    it: 'leaves items of which the order says nothing before those that they came before',
    target: podOf({ name: 'a' }, { name: 'b' }, { name: 'c' }),
    patch: { spec: { '$setElementOrder/containers': [{ name: 'd' }, { name: 'b' }], containers: [{ name: 'd' }] } },
    want: podOf({ name: 'd' }, { name: 'a' }, { name: 'b' }, { name: 'c' }),
  },
  {
    it: 'replaces a list with a key when an item says so',
    target: podOf({ name: 'a' }),
    patch: podOf({ $patch: 'replace' }, { name: 'b' }),
    want: podOf({ name: 'b' }),
  },
  {
    it: 'empties what is to be deleted',
    target: { metadata: { name: 'a' } },
    patch: { metadata: { $patch: 'delete' } },
    want: { metadata: {} },
  },
  {
    it: 'takes what replaces as it is, nulls included',
    target: { metadata: { labels: { a: '1' } } },
    patch: { metadata: { labels: { b: null, $patch: 'replace' } } },
    want: { metadata: { labels: { b: null } } },
  },
  {
    it: 'takes new fields without nulls and without what has a directive',
    target: {},
    patch: { metadata: { labels: { a: null, b: '1' }, ownerReferences: [{ uid: 'a', $patch: 'delete' }] } },
    want: { metadata: { labels: { b: '1' }, ownerReferences: [] } },
  },
  {
    it: 'retains the fields that it names',
    target: { spec: { volumes: [{ name: 'v', emptyDir: {} }] } },
    patch: { spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'configMap'], configMap: { name: 'c' } }] } },
    want: { spec: { volumes: [{ name: 'v', configMap: { name: 'c' } }] } },
  },
  {
    it: 'joins lists of texts, its own first',
    target: { metadata: { finalizers: ['a', 'b'] } },
    patch: { metadata: { finalizers: ['c', 'b'] } },
    want: { metadata: { finalizers: ['c', 'a', 'b'] } },
  },
  {
    it: 'replaces what is of another kind',
    target: podOf({ name: 'a' }),
    patch: { spec: 'none' },
    want: { spec: 'none' },
  },
]
for (const { it, target, patch, want } of strategic)
  test(`strategic patch ${it}`, () => assert.deepEqual(strategicPatch(pod, target, patch), want))

const refused: [it: string, target: JsonObject, patch: JsonObject, code: number, message: string][] = [
  [
    'an item without its key',
    podOf({ name: 'a' }),
    podOf({ image: 'x' }),
    500,
    'map: map[image:x] does not contain declared merge key: name',
  ],
  [
    'a directive that does not exist',
    {},
    { metadata: {}, $patch: 'merge' },
    500,
    'unknown patch type: merge in map: map[$patch:merge metadata:map[]]',
  ],
  [
    'one that lists do not have',
    podOf({ name: 'a' }),
    podOf({ name: 'a', $patch: 'merge' }),
    500,
    'merging lists cannot yet be specified in the patch',
  ],
  [
    'fields that are not retained',
    {},
    { metadata: { name: 'a' }, $retainKeys: ['spec'] },
    400,
    'invalid patch format of retainKeys',
  ],
  ['an order of no field', {}, { $setElementOrder: [] }, 400, 'invalid patch format of setElementOrder list'],
  [
    'an order that is no list',
    {},
    { '$setElementOrder/spec': 'x' },
    500,
    'expected a []interface {}, but received a string',
  ],
  [
    'an order of what is no list',
    {},
    { '$setElementOrder/spec': [] },
    500,
    'expected slice or array type, but got: struct',
  ],
  [
    'an order of a field that is not there',
    {},
    { '$setElementOrder/nope': [] },
    500,
    'unable to find api field in struct Pod for the json field "nope"',
  ],
  [
    'another order than it tells',
    podOf({ name: 'a' }, { name: 'b' }),
    { spec: { '$setElementOrder/containers': [{ name: 'a' }], containers: [{ name: 'b' }] } },
    500,
    "The order in patch list:\n[map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n",
  ],
  [
    'items of two kinds',
    { metadata: { finalizers: ['a'] } },
    { metadata: { finalizers: [['b']] } },
    500,
    'list element types are not identical: [[a] [[b]]]',
  ],
  [
    'lists in a list',
    { metadata: { finalizers: [] } },
    { metadata: { finalizers: [['b']] } },
    422,
    'lists of lists are not supported',
  ],
]
for (const [it, target, patch, code, message] of refused)
  test(`strategic patch refuses ${it}`, () =>
    assert.throws(() => strategicPatch(pod, target, patch), { code, message }))

test('strategic patch changes neither target nor patch', () => {
  const target = podOf({ name: 'a', env: [{ name: 'x', value: '1' }] }, { name: 'b' })
  const patch = podOf({ name: 'b', $patch: 'delete' }, { name: 'a', env: [{ name: 'x', value: null }, { name: 'y' }] })
  const before = structuredClone({ target, patch })
  strategicPatch(pod, target, patch)
  assert.deepEqual({ target, patch }, before)
})
