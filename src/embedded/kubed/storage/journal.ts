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
}

/** What is known of the objects of one kind, decoded when it is asked for: some kinds are not looked at for a while. */
export type Heads = { readonly all: () => readonly Head[]; readonly named: (name: string) => readonly Head[] }

/** One change to keep: the text of an object, or none when it is gone. */
export type Change = { readonly head: Head; readonly text: string | undefined }

/** Where objects survive the process. */
export type Journal = {
  /** Every object, once, at the start; and the last version that was ever given. Heads come by kind, a part of them at a time. */
  readonly load: (each: (key: string, heads: Heads) => void) => number
  /** The text of one object as it was last committed. */
  readonly read: (id: number) => string
  /** The texts of many objects, in a third of the time and no order. */
  readonly readMany: (ids: readonly number[], each: (id: number, text: string) => void) => void
  /** Writes all of the changes or none. They outlive this process, and the machine once they are synced. */
  readonly commit: (changes: readonly Change[]) => void
  /** Resolves when everything committed so far is on the disk. */
  readonly sync: () => Promise<void>
  readonly close: () => void
}

const SCHEMA = `
  create table if not exists objects(id integer primary key, key text, namespace text, name text, version integer, body text);
  create table if not exists counter(id integer primary key, version integer);
`
/** Rows of one part at the start: few calls, and no text of hundreds of megabytes. */
const ROWS_AT_ONCE = 100_000

/**
 * A journal in one SQLite file: WAL, a transaction a commit, made durable by a sync of the WAL of our own (docs/adr/0091).
 *
 * SQLite would wait for the disk on this very thread, 1 to 3 ms a commit. Its `synchronous=normal` writes the same frames in the same
 * order and syncs around checkpoints; what `full` adds is the sync of the WAL after a commit, which a thread of the pool does here.
 * Rows are found by number, so that a write touches one leaf of one tree, and a commit that only writes objects is one statement where it can be. At
 * the start only heads are read, all of a kind in one text: the library hands over a row in about 8 µs. The last version is that of a row, or what a
 * commit that deletes leaves behind in `counter`: versions never repeat.
 *
 * @param rowsAtOnce what tests shorten
 */
export function sqliteJournal(file: string, rowsAtOnce = ROWS_AT_ONCE): Journal {
  const db = new Database(file)
  for (const pragma of ['journal_mode=wal', 'synchronous=normal', 'cache_size=-2000']) db.exec(`pragma ${pragma}`)
  upgrade(db)
  db.exec(SCHEMA)
  // There is a WAL from the first write on; it stays the same file until the database is closed.
  db.exec('insert into counter(id, version) values(1, 0) on conflict do update set version = version')
  const wal = openSync(`${file}-wal`, 'r')
  const write = writerOf(db)
  const read = db.prepare('select body from objects where id = ?')
  // There is no index of kinds: to look for one is to read the whole file.
  const readMany = db.prepare('select id, body from objects where id in (select value from json_each(?))')
  return {
    load(each) {
      const counted = db.prepare('select version from counter where id = 1').get() as { version: number } | undefined
      return Math.max(loadHeads(db, rowsAtOnce, each), counted?.version ?? 0)
    },
    read: (id) => (read.get(id) as { body: string }).body,
    readMany(ids, each) {
      const rows = readMany.iterate(JSON.stringify(ids))
      for (const { id, body } of rows as Iterable<{ id: number; body: string }>) each(id, body)
    },
    commit: write,
    sync: () => new Promise((done, failed) => fdatasync(wal, (error) => (error === null ? done() : failed(error)))),
    close() {
      closeSync(wal)
      db.close()
    },
  }
}

type Row = readonly [id: number, key: string, namespace: string, name: string, version: number, body: string]

/** Rows that one statement writes, or the object that one deletes. */
type Step = { readonly rows: Row[] } | { readonly gone: number }

/** A call into the library takes as long as SQLite does with the row that it brings. */
const MOST_ROWS = 16

/** Writes changes in their order, all or none: where that is one statement it needs no transaction around it. */
function writerOf(db: Database.Database): (changes: readonly Change[]) => void {
  const begin = db.prepare('begin immediate')
  const end = db.prepare('commit')
  const count = db.prepare('insert or replace into counter(id, version) values(1, ?)')
  const take = stepTakerOf(db)
  return (changes) => {
    const steps = stepsOf(changes)
    const [first] = steps
    if (steps.length === 1 && first !== undefined && 'rows' in first) return take(first)
    begin.run()
    try {
      steps.forEach(take)
      if (steps.some((step) => 'gone' in step)) count.run(changes.at(-1)?.head.version ?? 0)
      end.run()
    } catch (error) {
      // a full disk has rolled back by itself
      if (db.inTransaction) db.exec('rollback')
      throw error
    }
  }
}

function stepTakerOf(db: Database.Database): (step: Step) => void {
  const remove = db.prepare('delete from objects where id = ?')
  const inserts = new Map<number, Database.Statement>()
  const insertOf = (count: number): Database.Statement => {
    const known = inserts.get(count)
    if (known !== undefined) return known
    const rows = Array.from({ length: count }, () => '(?, ?, ?, ?, ?, ?)').join()
    const insert = db.prepare(`insert or replace into objects values ${rows}`)
    inserts.set(count, insert)
    return insert
  }
  return (step) => void ('gone' in step ? remove.run(step.gone) : insertOf(step.rows.length).run(step.rows.flat()))
}

function stepsOf(changes: readonly Change[]): Step[] {
  const steps: Step[] = []
  for (const { head, text } of changes) {
    const last = steps.at(-1)
    if (text === undefined) steps.push({ gone: head.id })
    else if (last !== undefined && 'rows' in last && last.rows.length < MOST_ROWS) last.rows.push(rowOf(head, text))
    else steps.push({ rows: [rowOf(head, text)] })
  }
  return steps
}

const rowOf = ({ id, key, namespace, name, version }: Head, text: string): Row => [
  id,
  key,
  namespace,
  name,
  version,
  text,
]

/** Folders of earlier versions have a table by key, namespace and name, or one with two columns more. */
function upgrade(db: Database.Database): void {
  const columns = db.prepare("select name from pragma_table_info('objects')").all() as { name: string }[]
  const has = (column: string): boolean => columns.some(({ name }) => name === column)
  if (has('uid'))
    db.exec('begin immediate; alter table objects drop column uid; alter table objects drop column owners; commit')
  if (columns.length === 0 || has('id')) return
  db.exec(`
    begin immediate;
    alter table objects rename to former;
    ${SCHEMA}
    insert into objects select null, key, namespace, name, version, body from former order by version;
    drop table former;
    commit`)
}

type HeadRow = [id: number, namespace: string, name: string, version: number]

/** Hands over the heads of all objects; answers the last version of any. */
function loadHeads(db: Database.Database, rowsAtOnce: number, each: (key: string, heads: Heads) => void): number {
  const some = db.prepare(
    `select key, max(id) as last, max(version) as version, json_group_array(json_array(id, namespace, name, version)) as heads
     from (select id, key, namespace, name, version from objects where id > ? order by id limit ${rowsAtOnce}) group by key`,
  )
  let version = 0
  for (let from = 0, last = -1; from > last;) {
    last = from
    for (const row of some.all(from) as { key: string; last: number; version: number; heads: string }[]) {
      each(row.key, headsIn(row.key, row.heads))
      from = Math.max(from, row.last)
      version = Math.max(version, row.version)
    }
  }
  return version
}

function headsIn(key: string, text: string): Heads {
  const headOf = ([id, namespace, name, version]: HeadRow): Head => ({ id, version, key, namespace, name })
  return {
    all: () => (JSON.parse(text) as HeadRow[]).map(headOf),
    named: (name) => rowsWith(text, name).map(headOf),
  }
}

/** The rows of a name, found in the text of all without decoding the others. Names of namespaces are written as they are. */
function rowsWith(text: string, name: string): HeadRow[] {
  const rows: HeadRow[] = []
  const wanted = `,${JSON.stringify(name)},`
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    const [, id, namespace] = /^\[(\d+),"([^"]*)"$/.exec(text.slice(text.lastIndexOf('[', at), at)) ?? []
    if (id === undefined || namespace === undefined) continue
    const behind = at + wanted.length
    rows.push([Number(id), namespace, name, Number(text.slice(behind, text.indexOf(']', behind)))])
  }
  return rows
}
