import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'libsql'
import { LONGEST_BACKOFF_MS } from '../../engine/backoff.ts'

/** A notification that waits to be sent. */
export type Letter<Payload> = {
  readonly id: number
  readonly payload: Payload
  /** Sends that failed so far. */
  readonly attempts: number
}

/**
 * Notifications on disk: what is put in is sent, or given up with a word, whatever happens to the process. Its times outlive the process, so they are
 * those of a clock that may be set: none puts a letter off for longer than the longest backoff, or tells a repetition from the future.
 */
export type Outbox<Payload> = {
  /** Keeps a payload; false when the same key was put in within five minutes. */
  readonly put: (key: string, payload: Payload, nowMs: number) => boolean
  /** Those that are due, those that failed least first, of them the oldest. */
  readonly due: (nowMs: number, limit: number) => readonly Letter<Payload>[]
  /** When the next one is due; undefined when none waits. */
  readonly nextMs: () => number | undefined
  readonly done: (id: number) => void
  readonly retryAt: (id: number, atMs: number) => void
  readonly close: () => void
}

const REPEAT_MS = 5 * 60_000

const SCHEMA = `CREATE TABLE IF NOT EXISTS outbox (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL, at INTEGER NOT NULL, payload TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, next INTEGER) STRICT;
CREATE INDEX IF NOT EXISTS outbox_next ON outbox (next) WHERE next IS NOT NULL;
CREATE INDEX IF NOT EXISTS outbox_key ON outbox (key, at)`

/** Opens the outbox file (SQLite, WAL, `synchronous=FULL`). `parse` reads a payload back; letters that it refuses, of an older version, are given up. */
export function openOutbox<Payload>(path: string, parse: (value: unknown) => Payload | undefined): Outbox<Payload> {
  mkdirSync(dirname(path), { recursive: true })
  const database = new Database(path)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  database.exec(SCHEMA)
  const seen = database.prepare('SELECT 1 FROM outbox WHERE key = ? AND at > ? AND at < ? LIMIT 1').raw()
  const forget = database.prepare('DELETE FROM outbox WHERE next IS NULL AND (at <= ? OR at >= ?)')
  const insert = database.prepare('INSERT INTO outbox (key, at, payload, next) VALUES (?, ?, ?, ?)')
  const select = database
    .prepare('SELECT id, payload, attempts FROM outbox WHERE next <= ? OR next > ? ORDER BY attempts, id LIMIT ?')
    .raw()
  const soonest = database.prepare('SELECT MIN(next) FROM outbox WHERE next IS NOT NULL').raw()
  const finish = database.prepare(`UPDATE outbox SET next = NULL, payload = '' WHERE id = ?`)
  const delay = database.prepare('UPDATE outbox SET attempts = attempts + 1, next = ? WHERE id = ?')
  // one that stayed would be the next one due for ever, and no other would be waited for
  for (const row of select.all(Number.MAX_SAFE_INTEGER, 0, -1))
    if (readLetter(row, parse) === undefined) finish.run(idOf(row))
  return {
    put(key, payload, nowMs) {
      const [fromMs, toMs] = [nowMs - REPEAT_MS, nowMs + REPEAT_MS]
      if (seen.get(key, fromMs, toMs) !== undefined) return false
      database.transaction(() => {
        forget.run(fromMs, toMs)
        insert.run(key, nowMs, JSON.stringify(payload), nowMs)
      })()
      return true
    },
    due: (nowMs, limit) =>
      select.all(nowMs, nowMs + LONGEST_BACKOFF_MS, limit).flatMap((row) => readLetter(row, parse) ?? []),
    nextMs() {
      const row: unknown = soonest.get()
      const value: unknown = Array.isArray(row) ? row[0] : undefined
      return typeof value === 'number' ? value : undefined
    },
    done: (id) => void finish.run(id),
    retryAt: (id, atMs) => void delay.run(atMs, id),
    close: () => void database.close(),
  }
}

function idOf(row: unknown): number {
  return Number(Array.isArray(row) ? row[0] : undefined)
}

function readLetter<Payload>(
  row: unknown,
  parse: (value: unknown) => Payload | undefined,
): Letter<Payload> | undefined {
  const [, text, attempts]: unknown[] = Array.isArray(row) ? row : []
  const payload = parse(JSON.parse(String(text)))
  return payload === undefined ? undefined : { id: idOf(row), payload, attempts: Number(attempts) }
}
