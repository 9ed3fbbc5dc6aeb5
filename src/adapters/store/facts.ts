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

/** After a failed commit (a full disk) the same facts are tried again. */
const RETRY_MS = 1_000

/** What waits in memory for a full disk: tens of thousands of facts. Beyond it the newest are lost, as by a `kill -9` (docs/adr/0218). */
const MOST_WAITING_CHARS = 16 << 20

/** How the store is when that changes: why the disk refuses facts, and how many were lost for want of memory since it began to. */
export type StoreHealth = { readonly refusal: SluiceError | undefined; readonly lostFacts: number }

type Told = (health: StoreHealth) => void

/** What tests shorten. */
export type FactStoreLimits = { readonly retryMs?: number; readonly mostWaitingChars?: number }

/**
 * Opens the facts of a state folder (SQLite, WAL, `synchronous=FULL`).
 *
 * @param changed told once when the disk no longer takes facts, which are kept in memory and tried again; once when they no longer
 * fit there; and when the disk takes them again
 */
export function openFactStore(
  path: string,
  changed: Told = () => undefined,
  { retryMs = RETRY_MS, mostWaitingChars = MOST_WAITING_CHARS }: FactStoreLimits = {},
): FactStore {
  mkdirSync(dirname(path), { recursive: true })
  const database = new Database(path)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  database.exec('CREATE TABLE IF NOT EXISTS facts (id INTEGER PRIMARY KEY, fact TEXT NOT NULL) STRICT')
  const insert = database.prepare('INSERT INTO facts (fact) VALUES (?)')
  const queue = openQueue(mostWaitingChars)
  const hearers: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined
  const tell = onChange(changed)
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    const group = queue.list()
    database.exec('BEGIN IMMEDIATE')
    try {
      for (const text of group) insert.run(text)
      database.exec('COMMIT')
    } catch (error) {
      // a full disk has rolled back by itself
      if (database.inTransaction) database.exec('ROLLBACK')
      throw error
    }
    queue.drop(group.length)
  }
  const tellHearers = (): void => {
    for (const hear of hearers.splice(0)) hear()
  }
  const flushOrRetry = (): void => {
    try {
      flush()
      tell(undefined, queue.takeLost())
    } catch (error) {
      timer = setTimeout(flushOrRetry, retryMs)
      timer.unref()
      tell(full(path, error, queue.lost()), queue.lost())
    }
    tellHearers()
  }
  return {
    append(fact) {
      if (!queue.add(JSON.stringify(fact))) return Promise.resolve()
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

/** What waits to be written, up to a bound; what comes when it is full is counted as lost. */
type Queue = {
  /** Answers whether it was taken. */
  readonly add: (text: string) => boolean
  readonly list: () => readonly string[]
  /** Forgets the oldest. */
  readonly drop: (count: number) => void
  readonly lost: () => number
  /** Answers how many were lost, and counts anew. */
  readonly takeLost: () => number
}

function openQueue(mostChars: number): Queue {
  let texts: string[] = []
  let chars = 0
  let lost = 0
  return {
    add(text) {
      if (chars + text.length > mostChars) {
        lost++
        return false
      }
      texts.push(text)
      chars += text.length
      return true
    },
    list: () => texts,
    drop(count) {
      texts = texts.slice(count)
      chars = texts.reduce((sum, text) => sum + text.length, 0)
    },
    lost: () => lost,
    takeLost() {
      const taken = lost
      lost = 0
      return taken
    },
  }
}

/** Passes on the first refusal of many, the first after which facts are lost, and that it is over. */
function onChange(changed: Told): (refusal: SluiceError | undefined, lostFacts: number) => void {
  let last = 'taken'
  return (refusal, lostFacts) => {
    const now = refusal === undefined ? 'taken' : lostFacts === 0 ? 'refused' : 'lost'
    if (now === last) return
    last = now
    changed({ refusal, lostFacts })
  }
}

function readFacts(database: Database.Database): readonly Fact[] {
  const rows: unknown[] = database.prepare('SELECT fact FROM facts ORDER BY id').raw().all()
  return rows.map((row) => JSON.parse(Array.isArray(row) ? String(row[0]) : 'null'))
}

function full(path: string, cause: unknown, lostFacts: number): SluiceError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const lost =
    lostFacts === 0 ? '' : ', and what waits no longer fits into memory: what happens from now on is missing in it'
  return new SluiceError('STORE_FULL', `the record cannot be written: ${reason}${lost}`, {
    retry: 'backoff',
    where: path,
    hint: 'free space on the disk; nothing that is on it is lost',
    cause,
  })
}
