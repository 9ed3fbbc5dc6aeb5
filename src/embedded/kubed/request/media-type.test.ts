import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mediaTypeOf } from './media-type.ts'

// What kube-apiserver 1.37.2 takes as JSON, or refuses with 415.
const JSON_TYPE = 'application/json'
const cases: { it: string; header: string; want: boolean; method?: string }[] = [
  { it: 'with a charset', header: 'application/json; charset=utf-8', want: true },
  { it: 'in capitals', header: 'APPLICATION/JSON', want: true },
  { it: 'with nothing behind its semicolon', header: 'application/json;', want: true },
  { it: 'with a quoted parameter', header: 'application/json;a="b;c"', want: true },
  { it: 'with a parameter without a value', header: 'application/json; bad', want: false },
  { it: 'with a quote that is not closed', header: 'application/json; charset="utf-8', want: false },
  { it: 'without a type', header: ';', want: false },
  { it: 'of a patch in capitals', header: 'application/JSON', want: false, method: 'PATCH' },
  { it: 'of a patch with odd parameters', header: 'application/json; bad', want: true, method: 'PATCH' },
]
for (const { it, header, want, method = 'POST' } of cases)
  test(`a body ${it} is ${want ? '' : 'not '}taken as JSON`, () =>
    assert.equal(mediaTypeOf(header, method) === JSON_TYPE, want))
