import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endOfObject } from './json-text.ts'

const objects = [
  {},
  { a: 1 },
  { a: { b: [{}] } },
  { 'a}"{': '\\\\' },
  { a: '"', b: '\\"}', c: ['}', { d: '{' }] },
  { é: '\u2028}' },
]

for (const object of objects)
  test(`the end of ${JSON.stringify(object)} is found`, () => {
    const text = JSON.stringify(object)
    assert.equal(endOfObject(`{"x":${text},"y":{}}`, 5), 5 + text.length)
  })
