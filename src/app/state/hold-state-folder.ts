import { accessSync, constants, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'libsql'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { shellWord } from '../terminal/shell-word.ts'
import { identityOf } from './process-identity.ts'
import { holderOf, LOCK, makeStateFolder, readJson, type StateFolder, unwritable } from './state-folder.ts'

/**
 * Takes the state folder for this process, making it (mode 0700) where needed. The kernel lets the lock of a dead process go
 * (docs/adr/0274).
 *
 * @throws SluiceError STATE_IN_USE when another process holds it, STATE_UNWRITABLE when the folder cannot be written
 */
export function holdStateFolder(dir: string): StateFolder {
  makeStateFolder(dir)
  const letGo = takeLock(dir)
  return {
    dir,
    read: (name) => readJson(join(dir, name)),
    write: (name, value) => writeJson(join(dir, name), value, dir),
    remove: (name) => rmSync(join(dir, name), { force: true }),
    release() {
      rmSync(join(dir, LOCK), { force: true })
      letGo()
    },
  }
}

/** Answers what lets it go. */
function takeLock(dir: string): () => void {
  const letGo = lockFile(dir)
  try {
    // one of an older version holds it by that file alone
    if (holderOf(dir) !== undefined) throw inUse(dir)
    writeJson(join(dir, LOCK), identityOf(process.pid), dir)
    return letGo
  } catch (error) {
    letGo()
    throw error
  }
}

/** SQLite's lock is one of the kernel, on every system. Nothing is ever written into the file. */
function lockFile(dir: string): () => void {
  let database: Database.Database | undefined
  try {
    accessSync(dir, constants.W_OK) // says why not in words that people know
    database = new Database(join(dir, 'lock.db'), { timeout: 0 })
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database?.close()
    throw error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY'
      ? inUse(dir)
      : unwritable(dir, error)
  }
  return () => database.close()
}

function inUse(dir: string): SluiceError {
  const holder = holderOf(dir)
  const other = 'or choose another folder with --state'
  if (holder === undefined)
    return new SluiceError('STATE_IN_USE', `another process already runs on the state folder ${dir}`, {
      where: dir,
      hint: `it has only just begun, or runs in another container; stop it there   ${other}`,
    })
  return new SluiceError('STATE_IN_USE', `process ${holder.pid} already runs on the state folder ${dir}`, {
    where: dir,
    hint: `stop it with: sluice down --state ${shellWord(dir)}   ${other}`,
  })
}

function writeJson(path: string, value: unknown, dir: string): void {
  const next = `${path}.next`
  try {
    writeFileSync(next, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600, flush: true })
    renameSync(next, path)
  } catch (error) {
    rmSync(next, { force: true })
    throw unwritable(dir, error)
  }
}
