import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRefName } from './commit-and-push.ts'

// As go-git judges them, which Flux pushes with.
const cases: readonly [ref: string, isName: boolean][] = [
  ['refs/heads/main', true],
  ['refs/heads/a/-b', true],
  ['refs/notes/-x', true],
  ['refs/heads/-x', false],
  ['refs/tags/-x', false],
  ['refs/heads/@', false],
  ['refs/heads/a@b', true],
  ['refs/heads/a..b', false],
  ['refs/heads/a.lock', false],
  ['HEAD', false],
]
for (const [ref, isName] of cases)
  test(`${ref} is ${isName ? 'a' : 'no'} name of a ref`, () => assert.equal(isRefName(ref), isName))
