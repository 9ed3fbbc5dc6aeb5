import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { isFolder, makeFolder } from '../../machine/make-folder.ts'
import { identityOf, isRunning, type ProcessIdentity } from './process-identity.ts'
import { shellWord } from '../terminal/shell-word.ts'

/** A state folder that this process holds; nobody else may use it until `release`. */
export type StateFolder = {
  readonly dir: string
  /** Reads a small JSON file of the folder; `undefined` when it is missing or broken. */
  readonly read: (name: string) => unknown
  /** Writes a small JSON file whole or not at all, readable by the owner only. */
  readonly write: (name: string, value: unknown) => void
  readonly remove: (name: string) => void
  readonly release: () => void
}

const LOCK = 'lock.json'

/**
 * Takes the state folder for this process, making it (mode 0700) where needed. A lock left by a dead process is taken over.
 *
 * @throws SluiceError STATE_IN_USE when another process holds it, STATE_UNWRITABLE when the folder cannot be written
 */
export function holdStateFolder(dir: string): StateFolder {
  makeStateFolder(dir)
  try {
    takeLock(dir)
  } catch (error) {
    throw error instanceof SluiceError ? error : unwritable(dir, error)
  }
  return {
    dir,
    read: (name) => readJson(join(dir, name)),
    write: (name, value) => writeJson(join(dir, name), value, dir),
    remove: (name) => rmSync(join(dir, name), { force: true }),
    release: () => rmSync(join(dir, LOCK), { force: true }),
  }
}

/**
 * Makes a state folder (mode 0700) where there is none yet.
 *
 * @throws SluiceError STATE_UNWRITABLE
 */
export function makeStateFolder(dir: string): void {
  try {
    // The folder may stand in the very repository that is delivered.
    if (makeFolder(dir, 0o700)) writeFileSync(join(dir, '.gitignore'), '*\n')
  } catch (error) {
    throw unwritable(dir, error)
  }
}

/**
 * Refuses a folder that is none: somebody who misspelt its name would read that there is nothing in it.
 *
 * @throws SluiceError NOT_RUNNING
 */
export function needStateFolder(dir: string): void {
  if (isFolder(dir)) return
  throw new SluiceError('NOT_RUNNING', `there is no state folder ${dir}`, {
    where: dir,
    hint: 'start it with: sluice up   or name its folder with --state',
  })
}

/** The process that holds a state folder; `undefined` when none does. */
export function holderOf(dir: string): ProcessIdentity | undefined {
  const lock = readJson(join(dir, LOCK))
  if (!isIdentity(lock)) return undefined
  return isRunning(lock) ? lock : undefined
}

/** Reads a JSON file; `undefined` when it is missing or broken. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

function takeLock(dir: string): void {
  const path = join(dir, LOCK)
  const own = `${path}.${process.pid}`
  writeFileSync(own, JSON.stringify(identityOf(process.pid)), { mode: 0o600 })
  try {
    if (existsSync(path) && holderOf(dir) === undefined) rmSync(path, { force: true })
    linkSync(own, path)
  } catch (error) {
    const holder = holderOf(dir)
    if (holder === undefined) throw error
    throw new SluiceError('STATE_IN_USE', `process ${holder.pid} already runs on the state folder ${dir}`, {
      where: dir,
      hint: `stop it with: sluice down --state ${shellWord(dir)}   or choose another folder with --state`,
    })
  } finally {
    rmSync(own, { force: true })
  }
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

/** What a state folder that cannot be written is told as. */
export function unwritable(dir: string, cause: unknown): SluiceError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new SluiceError('STATE_UNWRITABLE', `the state folder ${dir} cannot be written: ${reason}`, {
    where: dir,
    hint: 'free space or change its owner, or choose another folder with --state',
    cause,
  })
}

function isIdentity(value: unknown): value is ProcessIdentity {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'startedTicks' in value
  )
}
