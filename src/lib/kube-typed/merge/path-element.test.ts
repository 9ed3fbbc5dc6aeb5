import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyElement, PathElementError, readElement, sortElements, valueElement } from './path-element.ts'
import { parseFields, renderFields, renderPaths } from './path-set.ts'

// What structured-merge-diff 6.4.2 writes of the same.
test('elements are in the order of what they stand for', () => {
  const fields = {
    'v:"b"': {},
    'v:10': {},
    'v:9': {},
    'k:{"port":443,"protocol":"TCP"}': {},
    'k:{"port":80,"protocol":"UDP"}': {},
    'k:{"port":80,"protocol":"TCP"}': {},
    'i:3': {},
    'f:b': {},
    'f:a': {},
  }
  assert.deepEqual(Object.keys(renderFields(parseFields(fields))), [
    'f:a',
    'f:b',
    'k:{"port":80,"protocol":"TCP"}',
    'k:{"port":80,"protocol":"UDP"}',
    'k:{"port":443,"protocol":"TCP"}',
    'v:9',
    'v:10',
    'v:"b"',
    'i:3',
  ])
})

test('elements of an unknown kind are left out, and what is none is refused', () => {
  assert.deepEqual(renderFields(parseFields({ 'x:new': {}, 'f:a': { 'x:new': {} } })), { 'f:a': {} })
  assert.equal(readElement('k:{"b":1,"a":2}'), 'k:{"a":2,"b":1}')
  for (const text of ['fa', 'v:', 'k:[]', 'i:x']) assert.throws(() => readElement(text), PathElementError)
})

test('texts are written as Go writes JSON, and told of as Go quotes them', () => {
  assert.equal(valueElement('a<b'), 'v:"a\\u003cb"')
  assert.equal(keyElement({ name: 'a&b', at: null }), 'k:{"at":null,"name":"a\\u0026b"}')
  assert.deepEqual(renderPaths(parseFields({ 'v:"a\\u003cb"': {}, 'k:{"port":80}': {} })), ['[port=80]', '[="a<b"]'])
})

test('elements are read once to be sorted', (t) => {
  const elements = Array.from({ length: 1000 }, (_, index) => keyElement({ port: (index * 7919) % 1000 }))
  const parse = t.mock.method(JSON, 'parse')
  const inOrder = sortElements(elements)
  assert.equal(parse.mock.callCount(), 1000)
  assert.deepEqual(
    inOrder,
    Array.from({ length: 1000 }, (_, port) => keyElement({ port })),
  )
})
