import Database from 'libsql'

/** One change to keep: a body, or none when the object is gone. */
export type Change = {
  readonly version: number
  readonly key: string
  readonly namespace: string
  readonly name: string
  readonly body: string | undefined
}

/** Where objects survive the process. */
export type Journal = {
  /** Every object, once, at the start; and the last version that was ever given. */
  readonly load: (each: (change: Change) => void) => number
  /** Keeps all of the changes or none; durable when it returns. */
  readonly commit: (changes: readonly Change[]) => void
  readonly close: () => void
}

type Row = { version: number; key: string; namespace: string; name: string; body: string | null }

/**
 * A journal in one SQLite file: WAL, synchronous=FULL, a transaction a commit.
 *
 * A deleted object leaves its last version behind in `counter`, so that versions never repeat.
 */
export function sqliteJournal(file: string): Journal {
  const db = new Database(file)
  db.exec('pragma journal_mode=wal')
  db.exec('pragma synchronous=full')
  db.exec('pragma cache_size=-2000')
  db.exec(
    'create table if not exists objects(key text, namespace text, name text, version integer, body text, primary key(key, namespace, name)) without rowid',
  )
  db.exec('create table if not exists counter(id integer primary key, version integer)')
  const put = db.prepare('insert or replace into objects(key, namespace, name, version, body) values(?, ?, ?, ?, ?)')
  const remove = db.prepare('delete from objects where key = ? and namespace = ? and name = ?')
  const count = db.prepare('insert or replace into counter(id, version) values(1, ?)')
  return {
    load(each) {
      const rows = db.prepare('select key, namespace, name, version, body from objects').iterate() as Iterable<Row>
      for (const { body, ...row } of rows) each({ ...row, body: body ?? undefined })
      const last = db.prepare('select version from counter where id = 1').get() as { version: number } | undefined
      return last?.version ?? 0
    },
    commit(changes) {
      db.exec('begin immediate')
      try {
        for (const { key, namespace, name, version, body } of changes)
          if (body === undefined) remove.run(key, namespace, name)
          else put.run(key, namespace, name, version, body)
        const last = changes.at(-1)
        if (last !== undefined) count.run(last.version)
        db.exec('commit')
      } catch (error) {
        db.exec('rollback')
        throw error
      }
    },
    close: () => void db.close(),
  }
}
