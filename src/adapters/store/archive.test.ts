import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Archived } from '../../pipeline/record/archive-keys.ts'
import type { Passage } from '../../pipeline/record/delivery.ts'
import { newDelivery } from '../../pipeline/record/ledger.ts'
import { openFactStore } from './facts.ts'

const at = '2026-01-01T00:00:00Z'
const delivery = newDelivery({
  id: '1',
  service: 'web',
  environment: 'shop',
  kind: 'image',
  commit: 'a',
  startedAt: at,
})
const passage: Passage = { kustomization: 'flux-system/shop', commit: 'b', startedAt: at, borders: {} }
const failed = { build: { state: 'failed', at, detail: 'no such file' } } as const

const cases: { it: string; before: Archived; after: Archived; environment: string; found: number }[] = [
  {
    it: 'a delivery is found by the environment that it turned out to be in',
    before: { kind: 'delivery', is: delivery },
    after: { kind: 'delivery', is: { ...delivery, kustomization: 'flux-system/production' } },
    ...{ environment: 'production', found: 1 },
  },
  {
    it: 'a commit that was refused and then taken is no part of history',
    before: { kind: 'passage', is: { ...passage, borders: failed } },
    after: { kind: 'passage', is: passage },
    ...{ environment: 'shop', found: 0 },
  },
]
for (const { it, before, after, environment, found } of cases)
  test(`archived anew, ${it}`, () => {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-archive-'))
    const store = openFactStore(join(dir, 'record.db'))
    for (const one of [before, after]) assert.ok(store.checkpoint('{}', [one]))
    const history = store.newest({ environment, limit: 9 })
    store.close()
    rmSync(dir, { recursive: true })
    assert.deepEqual(
      history,
      Array.from({ length: found }, () => JSON.parse(JSON.stringify(after))),
    )
  })
