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

const odd: [it: string, target: Json, patch: Json, want: Json][] = [
  ['nothing', { a: 1 }, null, { a: 1 }],
  ['an index from the end', { a: [1, 2] }, [{ op: 'replace', path: '/a/-1', value: 3 }], { a: [1, 3] }],
  ['behind the last by an index from the end', { a: [1] }, [{ op: 'add', path: '/a/-1', value: 3 }], { a: [1, 3] }],
  ['null where there is nothing to copy', { a: 1 }, [{ op: 'copy', from: '/b', path: '/c' }], { a: 1, c: null }],
  ['that a key is not there', { a: 1 }, [{ op: 'test', path: '/b', value: null }], { a: 1 }],
  ['another document', { a: 1 }, [{ op: 'replace', path: '', value: [1] }], [1]],
]
for (const [it, target, patch, want] of odd)
  test(`json patch: ${it}`, () => assert.deepEqual(jsonPatch(target, patch), want))

const broken: { [key: string]: Json }[] = [
  { op: 'remove', path: '/nope' },
  { op: 'test', path: '/a', value: 2 },
  { op: 'test', path: '/a' },
  { op: 'add', path: '/x/y', value: 1 },
  { op: 'bogus', path: '/a' },
  { op: 'add', path: 'a', value: 1 },
  { op: 'add', value: 1 },
  { op: 'add', path: '', value: {} },
  { op: 'remove', path: '' },
  { op: 'replace', path: '', value: 1 },
  { op: 'copy', from: '', path: '/b' },
  { op: 'copy', from: null, path: '/b' },
  { op: 'add', path: '/list/', value: 1 },
  { op: 'add', path: '/list/1e0', value: 1 },
  { op: 'add', path: '/list/3', value: 1 },
  { op: 'replace', path: '/list/-3', value: 1 },
]
for (const operation of broken)
  test(`json patch refuses ${JSON.stringify(operation)}`, () =>
    assert.throws(() => jsonPatch({ a: 1, list: [1, 2] }, [operation]), PatchError))

test('json patch refuses what is no operation', () => assert.throws(() => jsonPatch({}, [[]]), PatchError))

test('json patch stops copies that grow without an end', () => {
  const doubling = Array.from({ length: 60 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }))
  assert.throws(() => jsonPatch({ a: ['x'.repeat(1000)] }, doubling), /exceeding the limit/)
})

test('merge patch leaves nulls of new lists out, unless they take the place of a map', () => {
  const patch = { a: [{ x: null, y: [{ z: null }] }, null] }
  assert.deepEqual(mergePatch({ a: 1 }, patch), { a: [{ y: [{}] }, null] })
  assert.deepEqual(mergePatch({ a: {} }, patch), patch)
})
