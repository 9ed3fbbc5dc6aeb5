import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { hasCode } from '../lib/error/code-of.ts'

/**
 * Makes a folder and those above it, as `mkdir -p` does, wherever somebody names it.
 *
 * Node's own (`recursive`) never comes back from below a folder in which there can be none: /proc answers ENOENT, as if the folder above
 * were missing, and Node makes that one again and again.
 * @returns whether it was made, or there already
 * @throws the error of the system
 */
export function makeFolder(path: string, mode = 0o777): boolean {
  try {
    return makeOne(path, mode)
  } catch (error) {
    const above = dirname(path)
    if (!hasCode(error, 'ENOENT') || existsSync(above)) throw error
    makeFolder(above, mode)
    return makeOne(path, mode)
  }
}

function makeOne(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode })
    return true
  } catch (error) {
    // What stands there is a folder, or the system does not get so far as to look: a root that is read only.
    if (isFolder(path)) return false
    throw error
  }
}

/** Whether a folder is there, or a link to one. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
