import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Fact } from '../../pipeline/record/fact.ts'
import { openFactStore } from './facts.ts'

const fact = (commit: string): Fact => ({
  at: '2026-01-01T00:00:00Z',
  kind: 'source',
  source: 'a/b',
  revision: 'r',
  commit,
})

test('facts come back in their order after a restart', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-facts-'))
  const path = join(dir, 'sub', 'record.db')
  const first = openFactStore(path)
  for (const commit of ['1', '2', '3']) first.append(fact(commit))
  first.close()
  const second = openFactStore(path)
  assert.deepEqual(second.readAll(), [fact('1'), fact('2'), fact('3')])
  second.close()
  rmSync(dir, { recursive: true })
})

test('a group that was committed survives kill -9', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-facts-'))
  const path = join(dir, 'record.db')
  const script = `
    const Database = require('libsql')
    const d = new Database(${JSON.stringify(path)})
    d.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    d.exec('CREATE TABLE IF NOT EXISTS facts (id INTEGER PRIMARY KEY, fact TEXT NOT NULL) STRICT')
    d.prepare('INSERT INTO facts (fact) VALUES (?)').run('${JSON.stringify(fact('9'))}')
    process.kill(process.pid, 'SIGKILL')`
  spawnSync(process.execPath, ['-e', script])
  const store = openFactStore(path)
  assert.deepEqual(store.readAll(), [fact('9')])
  store.close()
  rmSync(dir, { recursive: true })
})
