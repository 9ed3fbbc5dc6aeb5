import { closeSync, fdatasync, openSync } from 'node:fs'
import Database from 'libsql'

/** What is known of a stored object without its text. */
export type Head = {
  /** Where the journal keeps it: the version with which it came. */
  readonly id: number
  readonly version: number
  readonly key: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly owners: readonly string[]
}

/** One change to keep: the text of an object, or none when it is gone. */
export type Change = { readonly head: Head; readonly text: string | undefined }

/** Where objects survive the process. */
export type Journal = {
  /** Every object, once, at the start; and the last version that was ever given. */
  readonly load: (each: (head: Head) => void) => number
  /** The text of one object as it was last committed. */
  readonly read: (id: number) => string
  /** The texts of all objects of a kind. */
  readonly readAll: (key: string, each: (id: number, text: string) => void) => void
  /** Writes all of the changes or none. They outlive this process, and the machine once they are synced. */
  readonly commit: (changes: readonly Change[]) => void
  /** Resolves when everything committed so far is on the disk. */
  readonly sync: () => Promise<void>
  readonly close: () => void
}

const SCHEMA = `
  create table if not exists objects(id integer primary key, key text, namespace text, name text, version integer, uid text, owners text, body text);
  create table if not exists counter(id integer primary key, version integer);
`
/** Rows of one answer at the start: few calls, and no text of hundreds of megabytes. */
const ROWS_AT_ONCE = 10_000

/**
 * A journal in one SQLite file: WAL, a transaction a commit, made durable by a sync of the WAL of our own (docs/adr/0091).
 *
 * SQLite would wait for the disk on this very thread, 1 to 3 ms a commit. Its `synchronous=normal` writes the same frames in the same
 * order and syncs around checkpoints; what `full` adds is the sync of the WAL after a commit, which a thread of the pool does here.
 * Rows are found by number, so that a write touches one leaf of one tree. At the start only heads are read, thousands to a row of
 * JSON: the library hands over a row in about 8 µs. A deleted object leaves its last version behind in `counter`: versions never repeat.
 */
export function sqliteJournal(file: string): Journal {
  const db = new Database(file)
  for (const pragma of ['journal_mode=wal', 'synchronous=normal', 'cache_size=-2000']) db.exec(`pragma ${pragma}`)
  upgrade(db)
  db.exec(SCHEMA)
  // There is a WAL from the first write on; it stays the same file until the database is closed.
  db.exec('insert into counter(id, version) values(1, 0) on conflict do update set version = version')
  const wal = openSync(`${file}-wal`, 'r')
  const begin = db.prepare('begin immediate')
  const end = db.prepare('commit')
  const put = db.prepare('insert or replace into objects values(?, ?, ?, ?, ?, ?, ?, ?)')
  const remove = db.prepare('delete from objects where id = ?')
  const count = db.prepare('insert or replace into counter(id, version) values(1, ?)')
  const read = db.prepare('select body from objects where id = ?')
  return {
    load(each) {
      for (const head of headsIn(db)) each(head)
      const last = db.prepare('select version from counter where id = 1').get() as { version: number } | undefined
      return last?.version ?? 0
    },
    read: (id) => (read.get(id) as { body: string }).body,
    readAll(key, each) {
      const rows = db.prepare('select id, body from objects where key = ?').iterate(key)
      for (const { id, body } of rows as Iterable<{ id: number; body: string }>) each(id, body)
    },
    commit(changes) {
      begin.run()
      try {
        for (const { head, text } of changes)
          if (text === undefined) remove.run(head.id)
          else put.run(head.id, head.key, head.namespace, head.name, head.version, head.uid, head.owners.join(), text)
        const last = changes.at(-1)
        if (last !== undefined) count.run(last.head.version)
        end.run()
      } catch (error) {
        // a full disk has rolled back by itself
        if (db.inTransaction) db.exec('rollback')
        throw error
      }
    },
    sync: () => new Promise((done, failed) => fdatasync(wal, (error) => (error === null ? done() : failed(error)))),
    close() {
      closeSync(wal)
      db.close()
    },
  }
}

/** Folders of earlier versions have the same table by key, namespace and name. */
function upgrade(db: Database.Database): void {
  const columns = db.prepare("select name from pragma_table_info('objects')").all() as { name: string }[]
  if (columns.length === 0 || columns.some(({ name }) => name === 'id')) return
  db.exec(`
    begin immediate;
    alter table objects rename to former;
    ${SCHEMA}
    insert into objects select null, key, namespace, name, version, json_extract(body, '$.metadata.uid'),
      coalesce((select group_concat(json_extract(value, '$.uid')) from json_each(body, '$.metadata.ownerReferences')), ''), body
      from former order by version;
    drop table former;
    commit`)
}

type HeadRow = [id: number, key: string, namespace: string, name: string, version: number, uid: string, owners: string]

function* headsIn(db: Database.Database): Generator<Head> {
  const some = db.prepare(
    `select json_group_array(json_array(id, key, namespace, name, version, uid, owners)) as heads
     from (select * from objects where id > ? order by id limit ${ROWS_AT_ONCE})`,
  )
  for (let from = 0, count = ROWS_AT_ONCE; count === ROWS_AT_ONCE;) {
    const rows = JSON.parse((some.get(from) as { heads: string }).heads) as HeadRow[]
    for (const [id, key, namespace, name, version, uid, owners] of rows)
      yield { id, key, namespace, name, version, uid, owners: owners === '' ? NONE : owners.split(',') }
    count = rows.length
    from = rows.at(-1)?.[0] ?? from
  }
}

const NONE: readonly string[] = []
