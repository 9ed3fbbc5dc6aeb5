import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { isFolder, makeFolder } from '../../machine/make-folder.ts'
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
