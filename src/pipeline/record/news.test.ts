import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FactBody } from './fact.ts'
import { foldFact } from './fold.ts'
import { emptyLedger } from './ledger.ts'
import { isNews } from './news.ts'

test('a commit that an automation makes twice of the same head is told once', () => {
  const ledger = emptyLedger()
  const image = { image: 'registry/web', tag: '1.2.0' }
  const policy: FactBody = { kind: 'policy', policy: 'default/web', ...image, considered: 1 }
  const written = (commit: string): FactBody => ({
    ...{ kind: 'write-back', automation: 'default/all', branch: 'main', commit, images: [image] },
  })
  foldFact(ledger, { at: '2026-01-01T00:00:00Z', ...policy })
  assert.equal(isNews(ledger, written('a1')), true)
  foldFact(ledger, { at: '2026-01-01T00:00:01Z', ...written('a1') })
  assert.equal(isNews(ledger, written('a1')), false)
  assert.equal(isNews(ledger, written('b2')), true)
})
