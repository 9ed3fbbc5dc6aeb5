import { accessSync, constants, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'libsql'
import { hasCode } from '../../lib/error/code-of.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { shellWord } from '../terminal/shell-word.ts'
import { markFormat, openStateFolder } from './format.ts'
import { identityOf } from './process-identity.ts'
import { holderOf, LOCK, readJson, type StateFolder, unwritable } from './state-folder.ts'

/**
 * Takes the state folder, or a part of it, for this process, making it (mode 0700) where needed. The kernel lets the lock of a dead
 * process go (docs/adr/0274).
 *
 * @throws SluiceError STATE_NEWER or STATE_UNREADABLE before anything is touched, STATE_IN_USE when another process holds it,
 * STATE_UNWRITABLE when the folder cannot be written
 */
export function holdStateFolder(root: string, part = ''): StateFolder {
  const dir = openStateFolder(root, part)
  const letGo = takeLock(dir, root)
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
function takeLock(dir: string, root: string): () => void {
  const letGo = lockFile(dir)
  try {
    // one of an older version holds it by that file alone
    if (holderOf(dir) !== undefined) throw inUse(dir)
    markFormat(root)
    writeJson(join(dir, LOCK), identityOf(process.pid), dir)
    return letGo
  } catch (error) {
    letGo()
    throw error
  }
}

/** Of two that begin at once, each may stand in the other's way for a moment: with no patience both were refused. */
const PATIENCE_MS = 200

/** SQLite's lock is one of the kernel, on every system. Nothing is ever written into the file. */
function lockFile(dir: string): () => void {
  const path = join(dir, 'lock.db')
  let database: Database.Database | undefined
  try {
    accessSync(dir, constants.W_OK) // says why not in words that people know
    database = new Database(path, { timeout: PATIENCE_MS })
    accessSync(path, constants.W_OK) // of a file that may only be read SQLite takes a lock that others get, too
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database?.close()
    throw hasCode(error, 'SQLITE_BUSY') ? inUse(dir) : unwritable(dir, error, adviceOn(path, error))
  }
  return () => database.close()
}

/** A start by another user (`sudo sluice up`) leaves files that are that user's. */
function adviceOn(path: string, error: unknown): string | undefined {
  if (!hasCode(error, 'EACCES', 'SQLITE_CANTOPEN')) return undefined
  try {
    const { uid } = statSync(path)
    if (uid === process.getuid?.()) return undefined
    return `lock.db is of user ${uid}, who ran sluice here: once that has ended, sudo chown -R $(id -u) ${shellWord(dirname(path))}`
  } catch {
    return undefined // there is none, or nobody may look
  }
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
