import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'libsql'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Archived } from '../../pipeline/record/archive-keys.ts'
import type { Fact } from '../../pipeline/record/fact.ts'
import { type Archive, openArchive } from './archive.ts'

/** What a start begins with: a ledger as it was written at the last checkpoint, and what came after it. */
export type Kept = {
  readonly snapshot: string | undefined
  readonly facts: readonly Fact[]
  /** The last facts before the checkpoint, for people to read. */
  readonly before: readonly Fact[]
}

/** Facts on disk, in the order they came; of what is past the archive. */
export type FactStore = {
  /** Kept at the next group commit, at most `GROUP_MS` later; resolves then, or when the disk refuses it and it is tried again. */
  readonly append: (fact: Fact) => Promise<void>
  readonly kept: () => Kept
  /** Lets a ledger stand for all facts so far, and takes what has left it into the archive: all of it, or nothing where the disk refuses it (`false`). */
  readonly checkpoint: (snapshot: string, archived: readonly Archived[]) => boolean
  readonly find: Archive['find']
  readonly newest: Archive['newest']
  /** Commits what waits, and closes the file whether that went well or not; what comes later the next start derives. @throws SluiceError STORE_FULL */
  readonly close: () => void
}

/** How long facts are gathered before one transaction commits them. */
const GROUP_MS = 5

/** After a failed commit (a full disk) the same facts are tried again. */
const RETRY_MS = 1_000

/** What waits in memory for a full disk: tens of thousands of facts. Beyond it the newest are lost, as by a `kill -9` (docs/adr/0218). */
const MOST_WAITING_CHARS = 16 << 20

/** Facts that stay behind a checkpoint. */
const KEPT_BEFORE = 500

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS facts (id INTEGER PRIMARY KEY, fact TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), upto INTEGER NOT NULL, ledger TEXT NOT NULL) STRICT;
`

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
  database.exec(SCHEMA)
  const archive = openArchive(database)
  const { append, flush, refuse } = openWriter(database, path, onChange(changed), { retryMs, mostWaitingChars })
  let isClosed = false
  return {
    append: (fact) => (isClosed ? Promise.resolve() : append(fact)),
    kept: () => readKept(database),
    checkpoint(snapshot, archived) {
      try {
        flush()
        inTransaction(database, () => {
          archive.add(archived)
          putSnapshot(database, snapshot)
        })
        return true
      } catch (error) {
        refuse(error)
        return false
      }
    },
    find: archive.find,
    newest: archive.newest,
    close() {
      isClosed = true
      try {
        flush()
      } catch (error) {
        throw full(path, error, 0)
      } finally {
        database.close()
      }
    },
  }
}

/** Writes facts in groups. */
type Writer = {
  readonly append: FactStore['append']
  /** Writes what waits now, and tells whoever waits for it. @throws what the disk refused it with */
  readonly flush: () => void
  /** Tells of a refusal, and tries again what waits. */
  readonly refuse: (error: unknown) => void
}

function openWriter(
  database: Database.Database,
  path: string,
  tell: ReturnType<typeof onChange>,
  { retryMs, mostWaitingChars }: Required<FactStoreLimits>,
): Writer {
  const insert = database.prepare('INSERT INTO facts (fact) VALUES (?)')
  const queue = openQueue(mostWaitingChars)
  const hearers: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    const group = queue.list()
    inTransaction(database, () => {
      for (const text of group) insert.run(text)
    })
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
    flush() {
      try {
        flush()
      } finally {
        tellHearers()
      }
    },
    refuse(error) {
      tell(full(path, error, queue.lost()), queue.lost())
      if (queue.list().length > 0) timer ??= setTimeout(flushOrRetry, retryMs).unref()
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

function inTransaction(database: Database.Database, work: () => void): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    work()
    database.exec('COMMIT')
  } catch (error) {
    // a full disk has rolled back by itself
    if (database.inTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** The facts that the ledger stands for go, but for the last of them. */
function putSnapshot(database: Database.Database, ledger: string): void {
  const [upto] = database.prepare('SELECT coalesce(max(id), 0) FROM facts').raw().get() as [number]
  database.prepare('INSERT OR REPLACE INTO snapshot (id, upto, ledger) VALUES (1, ?, ?)').run(upto, ledger)
  database.prepare('DELETE FROM facts WHERE id <= ?').run(upto - KEPT_BEFORE)
}

function readKept(database: Database.Database): Kept {
  const row: unknown = database.prepare('SELECT upto, ledger FROM snapshot').raw().get()
  const [upto, snapshot] = (row ?? [0, undefined]) as [number, string | undefined]
  const read = (where: string): readonly Fact[] => {
    const rows: unknown[] = database.prepare(`SELECT fact FROM facts WHERE id ${where} ? ORDER BY id`).raw().all(upto)
    return rows.map((one) => JSON.parse(Array.isArray(one) ? String(one[0]) : 'null'))
  }
  return { snapshot, facts: read('>'), before: read('<=') }
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
