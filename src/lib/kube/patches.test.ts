import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schemaFor } from '../kube-schema/builtin.ts'
import type { Json } from './json.ts'
import { jsonPatch, PatchError } from './json-patch.ts'
import { mergePatch } from './merge-patch.ts'
import { StrategicError, strategicPatch } from '../kube-typed/strategic-patch.ts'

const pod = schemaFor('v1', 'Pod')
const podOf = (...containers: Json[]): Json => ({ spec: { containers } })

const strategic: { it: string; target: Json; patch: Json; want: Json }[] = [
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
]
for (const { it, target, patch, want } of strategic)
  test(`strategic patch ${it}`, () => assert.deepEqual(strategicPatch(pod, target, patch), want))

test('strategic patch refuses an item without its key', () => {
  assert.throws(() => strategicPatch(pod, podOf(), podOf({ image: 'x' })), StrategicError)
})

test('merge patch removes by null and replaces lists', () => {
  assert.deepEqual(mergePatch({ a: { b: 1, c: 2 }, d: [1] }, { a: { b: null }, d: [2] }), { a: { c: 2 }, d: [2] })
})

test('json patch adds, removes, moves and tests, without touching its target', () => {
  const target: Json = { a: [1, 2], b: { 'x/y': 1 } }
  const patched = jsonPatch(target, [
    { op: 'test', path: '/a/0', value: 1 },
    { op: 'add', path: '/a/-', value: 3 },
    { op: 'remove', path: '/a/0' },
    { op: 'move', from: '/b/x~1y', path: '/c' },
  ])
  assert.deepEqual(patched, { a: [2, 3], b: {}, c: 1 })
  assert.deepEqual(target, { a: [1, 2], b: { 'x/y': 1 } })
})

test('json patch replaces a key that is not there, as the server does', () => {
  assert.deepEqual(jsonPatch({ a: 1 }, [{ op: 'replace', path: '/b', value: 2 }]), { a: 1, b: 2 })
})

for (const broken of [
  { op: 'remove', path: '/nope' },
  { op: 'test', path: '/a', value: 2 },
  { op: 'add', path: '/x/y', value: 1 },
  { op: 'bogus', path: '/a' },
  { op: 'add', path: 'a', value: 1 },
])
  test(`json patch refuses ${broken.op} ${broken.path} where it does not fit`, () =>
    assert.throws(() => jsonPatch({ a: 1 }, [broken]), PatchError))
