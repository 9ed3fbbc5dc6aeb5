import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Obj } from '../object.ts'
import { sqliteJournal } from '../storage/journal.ts'
import { openStore, type Store } from '../storage/store.ts'
import { ageEvents } from './event-ages.ts'

const MINUTE_MS = 60_000
const event = (name: string, count = 1): Obj => ({
  ...{ apiVersion: 'v1', kind: 'Event', count },
  metadata: { name, namespace: 'a', uid: name },
})
const names = (store: Store): string[] => store.list('/events').map(({ metadata }) => metadata.name)

test('Events end an hour after they were last written, those of an earlier process an hour after the start', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'kubed-events-'))
  t.after(() => rmSync(folder, { recursive: true }))
  let nowMs = 0
  const open = (): Store => {
    const failed = (error: unknown): void => assert.fail(String(error))
    return openStore(sqliteJournal(join(folder, 'objects.db')), { nowMs: () => nowMs, failed })
  }
  const former = open()
  former.put('/events', event('earlier'))
  await former.close()

  const store = open()
  t.after(() => store.close())
  const ages = ageEvents(store, () => nowMs)
  const at = async (minutes: number): Promise<string[]> => {
    nowMs = minutes * MINUTE_MS
    ages.endOld()
    await store.settled()
    return names(store)
  }
  for (const name of ['once', 'repeated']) store.put('/events', event(name))
  await store.settled()
  assert.deepEqual(await at(30), ['earlier', 'once', 'repeated'])
  store.put('/events', event('repeated', 2))
  store.put('/events', event('late'))
  await store.settled()
  assert.deepEqual(await at(59), ['earlier', 'late', 'once', 'repeated'])
  assert.deepEqual(await at(60), ['late', 'repeated'])
  assert.deepEqual(await at(89), ['late', 'repeated'])
  assert.deepEqual(await at(90), [])
})
