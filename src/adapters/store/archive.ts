import type Database from 'libsql'
import { type Archived, type ArchiveKey, archiveRef, keysOfArchived } from '../../pipeline/record/archive-keys.ts'
import { stopOf } from '../../pipeline/record/passage.ts'
import { environmentName, type HistoryQuery } from '../../pipeline/record/query.ts'

/** What has left the ledger, in the database of the facts. It grows with deliveries, about 4 KiB each, and is read by keys alone. */
export type Archive = {
  /** The last thousand things that went there, the oldest first. */
  readonly find: (keys: readonly ArchiveKey[]) => readonly Archived[]
  /** As many deliveries, and refused commits where no service is asked for, as a history of that length may show; the newest first. */
  readonly newest: (query: HistoryQuery) => readonly Archived[]
  /** Belongs into a transaction of the caller. What is there already is replaced. */
  readonly add: (archived: readonly Archived[]) => void
}

const MOST_FOUND = 1000
/** Comes after every character that a key may have. */
const BEHIND = '\u{10ffff}'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS archive (
    id INTEGER PRIMARY KEY, ref TEXT NOT NULL UNIQUE, at TEXT NOT NULL, service TEXT, namespace TEXT, environment TEXT, thing TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS archive_newest ON archive (at) WHERE service IS NOT NULL;
  CREATE TABLE IF NOT EXISTS archive_keys (key TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (key, id)) STRICT, WITHOUT ROWID;
`

/** Opens the archive of a database. */
export function openArchive(database: Database.Database): Archive {
  database.exec(SCHEMA)
  const put =
    database.prepare(`INSERT INTO archive (ref, at, service, namespace, environment, thing) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (ref) DO UPDATE SET (at, service, namespace, environment, thing) =
      (excluded.at, excluded.service, excluded.namespace, excluded.environment, excluded.thing) RETURNING id`)
  const putKey = database.prepare('INSERT OR IGNORE INTO archive_keys (key, id) VALUES (?, ?)')
  const byKey = database.prepare(`SELECT DISTINCT archive.id, thing FROM archive_keys JOIN archive USING (id)
    WHERE key >= ? AND key < ? ORDER BY archive.id DESC LIMIT ${MOST_FOUND}`)
  const newest =
    database.prepare(`SELECT id, thing FROM archive WHERE service IS NOT NULL AND (?1 IS NULL OR service = ?1)
    AND (?2 IS NULL OR namespace = ?2 OR environment = ?2) ORDER BY at DESC LIMIT ?3`)
  return {
    find(keys) {
      const rows = keys.flatMap(({ key, isPrefix }) => byKey.raw().all(key, isPrefix ? key + BEHIND : `${key}\0`))
      const byId = [...new Map(rows.map(read))].sort(([a], [b]) => a - b)
      return byId.slice(-MOST_FOUND).map(([, thing]) => thing)
    },
    newest({ service, environment, limit }) {
      // a commit that was refused is not shown where a delivery tells of it
      const rows = newest.raw().all(service ?? null, environment ?? null, 2 * limit)
      return rows.map((row) => read(row)[1])
    },
    add(archived) {
      for (const one of archived) {
        const { at, service, namespace, environment } = placeOf(one)
        const [id] = put.raw().get(archiveRef(one), at, service, namespace, environment, JSON.stringify(one)) as [
          number,
        ]
        for (const key of keysOfArchived(one)) putKey.run(key, id)
      }
    },
  }
}

function read(row: unknown): readonly [number, Archived] {
  const [id, thing] = row as [number, string]
  return [id, JSON.parse(thing) as Archived]
}

type Place = { readonly at: string } & Readonly<Record<'service' | 'namespace' | 'environment', string | null>>

/** Where history finds it; what is no part of history has no service. */
function placeOf(one: Archived): Place {
  if (one.kind === 'delivery') {
    const { startedAt: at, service, environment: namespace } = one.is
    return { at, service, namespace, environment: environmentName(one.is) }
  }
  if (one.kind === 'passage' && stopOf(one.is) !== undefined) {
    const environment = environmentName({ environment: '', kustomization: one.is.kustomization })
    return { at: one.is.startedAt, service: '', namespace: '', environment }
  }
  const at = one.kind === 'passage' ? one.is.startedAt : one.is.at
  return { at, service: null, namespace: null, environment: null }
}
