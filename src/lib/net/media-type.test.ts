import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mediaTypeOf } from './media-type.ts'

// As Go 1.26's mime.ParseMediaType.
const rows: readonly [text: string, want: string | undefined][] = [
  ['application/json', 'application/json'],
  ['Application/JSON ; charset=utf-8', 'application/json'],
  ['application/json;', 'application/json'],
  ['application/json; a="b,\\"c"', 'application/json'],
  ['application/json; a=b; a=b', 'application/json'],
  ['json', 'json'],
  ['application/json; a=b; a=c', undefined],
  ['application/json; charset', undefined],
  ['text/plain; application/json', undefined],
  ['a/b/c', undefined],
  ['', undefined],
  [';', undefined],
]
for (const [text, want] of rows)
  test(`the media type of ${JSON.stringify(text)}`, () => assert.equal(mediaTypeOf(text), want))
