import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSourceStore } from '../source-store.ts'
import type { EngineContext } from '../context.ts'
import { offerSnapshot } from './offer-snapshot.ts'

const snapshot = { key: 'GitRepository/a/b', revision: 'main@sha1:abc', files: new Map(), digest: '' }

test('a new revision is told before those who use it hear of it; one that the status shows is no news', () => {
  const heard: string[] = []
  const sources = createSourceStore()
  sources.onChange((key) => heard.push(`used ${key}`))
  const report: EngineContext['report'] = (fact) => void heard.push(`${fact.kind} ${JSON.stringify(fact)}`.slice(0, 6))
  const context = { sources, report } as unknown as EngineContext
  const whole = { ...snapshot, read: () => Promise.resolve(Buffer.alloc(0)) }
  offerSnapshot(context, whole, 'main@sha1:older')
  offerSnapshot(context, whole, snapshot.revision)
  assert.deepEqual(heard, ['source', 'used GitRepository/a/b', 'used GitRepository/a/b'])
})
