import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'libsql'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Fact } from '../../pipeline/record/fact.ts'

/** Facts on disk, append-only, in the order they came. */
export type FactStore = {
  /** Kept at the next group commit, at most `GROUP_MS` later; resolves then, or when the disk refuses it and it is tried again. */
  readonly append: (fact: Fact) => Promise<void>
  readonly readAll: () => readonly Fact[]
  /** Commits what waits, and closes the file whether that went well or not. @throws what the disk refused it with */
  readonly close: () => void
}

/** How long facts are gathered before one transaction commits them. */
const GROUP_MS = 5

/** After a failed commit (a full disk) the same facts are tried again; none is dropped. */
const RETRY_MS = 1_000

/**
 * Opens the facts of a state folder (SQLite, WAL, `synchronous=FULL`).
 *
 * @param changed told STORE_FULL once when the disk no longer takes them, they are kept in memory and tried again; told `undefined` when it does
 * @param retryMs how long after a refusal they are tried again
 */
export function openFactStore(path: string, changed: Told = () => undefined, retryMs = RETRY_MS): FactStore {
  mkdirSync(dirname(path), { recursive: true })
  const database = new Database(path)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  database.exec('CREATE TABLE IF NOT EXISTS facts (id INTEGER PRIMARY KEY, fact TEXT NOT NULL) STRICT')
  const insert = database.prepare('INSERT INTO facts (fact) VALUES (?)')
  let waiting: string[] = []
  const hearers: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined
  const tell = onChange(changed)
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    const group = waiting
    database.exec('BEGIN IMMEDIATE')
    try {
      for (const text of group) insert.run(text)
      database.exec('COMMIT')
    } catch (error) {
      // a full disk has rolled back by itself
      if (database.inTransaction) database.exec('ROLLBACK')
      throw error
    }
    waiting = waiting.slice(group.length)
  }
  const tellHearers = (): void => {
    for (const hear of hearers.splice(0)) hear()
  }
  const flushOrRetry = (): void => {
    try {
      flush()
      tell(undefined)
    } catch (error) {
      timer = setTimeout(flushOrRetry, retryMs)
      timer.unref()
      tell(full(path, error))
    }
    tellHearers()
  }
  return {
    append(fact) {
      waiting.push(JSON.stringify(fact))
      timer ??= setTimeout(flushOrRetry, GROUP_MS)
      return new Promise((kept) => hearers.push(kept))
    },
    readAll: () => readFacts(database),
    close() {
      try {
        flush()
      } finally {
        tellHearers()
        database.close()
      }
    },
  }
}

type Told = (refusal: SluiceError | undefined) => void

/** Passes on the first refusal of many, and that it is over. */
function onChange(changed: Told): Told {
  let isRefused = false
  return (refusal) => {
    if (isRefused === (refusal !== undefined)) return
    isRefused = refusal !== undefined
    changed(refusal)
  }
}

function readFacts(database: Database.Database): readonly Fact[] {
  const rows: unknown[] = database.prepare('SELECT fact FROM facts ORDER BY id').raw().all()
  return rows.map((row) => JSON.parse(Array.isArray(row) ? String(row[0]) : 'null'))
}

function full(path: string, cause: unknown): SluiceError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new SluiceError('STORE_FULL', `the record cannot be written: ${reason}`, {
    retry: 'backoff',
    where: path,
    hint: 'free space on the disk; nothing that is on it is lost',
    cause,
  })
}
