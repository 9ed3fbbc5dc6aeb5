import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasCode } from '../../lib/error/code-of.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { makeFolder } from '../../machine/make-folder.ts'
import { isRunning, type ProcessIdentity } from './process-identity.ts'

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

/** Says which process holds the folder. */
export const LOCK = 'lock.json'

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
 * Refuses a folder that is none, and one into which only another user may look: of either one would read that there is nothing in it.
 *
 * @throws SluiceError NOT_RUNNING, STATE_UNREADABLE
 */
export function needStateFolder(dir: string): void {
  try {
    return void readdirSync(dir)
  } catch (error) {
    if (hasCode(error, 'EACCES')) throw unreadable(dir, error)
  }
  throw new SluiceError('NOT_RUNNING', `there is no state folder ${dir}`, {
    where: dir,
    hint: 'start it with: sluice up   or name its folder with --state',
  })
}

/**
 * The process that holds a state folder; `undefined` when none does.
 *
 * @throws SluiceError STATE_UNREADABLE
 */
export function holderOf(dir: string): ProcessIdentity | undefined {
  const lock = readAllowed(join(dir, LOCK))
  if (!isIdentity(lock)) return undefined
  return isRunning(lock) ? lock : undefined
}

/** Reads a JSON file; `undefined` when it is missing or broken. */
export function readJson(path: string): unknown {
  try {
    return readAllowed(path)
  } catch {
    return undefined
  }
}

/**
 * As {@link readJson}, of a file by which one tells whether something runs: one that only another user may read is there.
 *
 * @throws SluiceError STATE_UNREADABLE
 */
export function readAllowed(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (hasCode(error, 'EACCES')) throw unreadable(path, error)
    return undefined
  }
}

/** What a file of the state folder that cannot be read is told as. */
export function unreadable(path: string, cause: unknown): SluiceError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new SluiceError('STATE_UNREADABLE', `the state folder cannot be read: ${reason}`, {
    where: path,
    hint: hasCode(cause, 'EACCES')
      ? 'it is of another user: run the command as that user (sudo -u USER), or name a folder of your own with --state'
      : 'nothing was touched; restore the file from a backup',
    cause,
  })
}

/** What a state folder that cannot be written is told as. */
export function unwritable(dir: string, cause: unknown, advice = 'free space or change its owner'): SluiceError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new SluiceError('STATE_UNWRITABLE', `the state folder ${dir} cannot be written: ${reason}`, {
    where: dir,
    hint: `${advice}, or choose another folder with --state`,
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
