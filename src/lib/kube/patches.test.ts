import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from './json.ts'
import { jsonPatch, PatchError } from './json-patch.ts'
import { mergePatch } from './merge-patch.ts'

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
