import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fact } from '../../pipeline/record/fact.ts'
import { renderFact } from './fact-line.ts'

const at = '2026-01-01T10:20:30.000Z'
const image: Fact = {
  ...{ at, kind: 'image', image: 'registry.sluice.local/web', tag: '1.0.0', digest: `sha256:${'a'.repeat(64)}` },
  ...{ commit: 'abcdef0123', runId: 'r1' },
}

test('a fact is one line', () => {
  assert.equal(
    renderFact(image),
    '10:20:30  image       registry.sluice.local/web:1.0.0 pushed, aaaaaaaaaaaa from abcdef0',
  )
})

test('what is only about to be done is not told as done', () => {
  assert.equal(renderFact({ ...image, intended: true }), undefined)
})

test('a commit message cannot move the cursor of a terminal', () => {
  const push: Fact = {
    ...{ at, kind: 'push', repository: 'vps', ref: 'refs/heads/main', commit: 'abcdef0123', author: 'Ada' },
    ...{ message: 'fix \u001b[2J\nsecond line', before: '', committedAt: at },
  }
  assert.match(renderFact(push) ?? '', / by Ada: fix \?\[2J$/)
  assert.match(renderFact({ ...push, pusher: 'bot\n' }) ?? '', / by Ada, pushed by bot\?*: fix/)
})
