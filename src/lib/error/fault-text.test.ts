import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultText } from './fault-text.ts'

const refused = (address: string) => new Error(`connect ECONNREFUSED ${address}`)
const rows: readonly [it: string, error: unknown, want: string][] = [
  ['its message', refused('127.0.0.1:9'), 'connect ECONNREFUSED 127.0.0.1:9'],
  [
    'of both addresses of a name',
    new AggregateError([refused('::1:9'), refused('127.0.0.1:9')], ''),
    'connect ECONNREFUSED ::1:9; connect ECONNREFUSED 127.0.0.1:9',
  ],
  ['its code', Object.assign(new Error(''), { code: 'EPIPE' }), 'EPIPE'],
  ['its name', new TypeError(''), 'TypeError'],
  ['a text', 'no', 'no'],
]
for (const [it, error, want] of rows) test(`an error says ${it}`, () => assert.equal(faultText(error), want))
