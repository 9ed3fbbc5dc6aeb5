import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refspecFault } from './refspec.ts'

const SEPARATORS = 'malformed refspec, separators are wrong'
const WILDCARDS = 'malformed refspec, mismatched number of wildcards'
const cases: [refspec: string | undefined, fault: string | undefined][] = [
  [undefined, undefined],
  ['refs/heads/main:refs/heads/auto', undefined],
  ['+refs/heads/*:refs/heads/*', undefined],
  ['refs/heads/main', SEPARATORS],
  ['a:b:c', SEPARATORS],
  ['refs/heads/*:refs/heads/auto', WILDCARDS],
  ['refs/*/*:refs/*/*', WILDCARDS],
]
for (const [refspec, fault] of cases)
  test(`refspec ${refspec ?? 'none'}: ${fault ?? 'well'}`, () => assert.equal(refspecFault(refspec), fault))
