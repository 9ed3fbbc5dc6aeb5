import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bucketNameFault } from './bucket-name.ts'

const cases: readonly [name: string, want: RegExp | undefined][] = [
  ['bucket', undefined],
  ['UPPER', undefined],
  ['a.b-c_d', undefined],
  ['', /cannot be empty/],
  ['b', /shorter than 3/],
  ['a'.repeat(64), /longer than 63/],
  ['1.2.3.4', /an ip address/],
  ['a..b', /invalid characters/],
  ['a.-b', /invalid characters/],
  ['-ab', /invalid characters/],
  ['a/b', /invalid characters/],
]
for (const [name, want] of cases)
  test(`the name ${JSON.stringify(name.slice(0, 10))} of a bucket`, () =>
    want ? assert.match(bucketNameFault(name) ?? '', want) : assert.equal(bucketNameFault(name), undefined))
