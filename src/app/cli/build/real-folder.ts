import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Io } from '../command.ts'

/**
 * The folder that a person named, links on the way to it resolved: only links *inside* a repository are looked at with distrust.
 * A folder that does not exist is answered as it was named; who reads it says so.
 */
export function realFolder(io: Io, path: string): string {
  const folder = resolve(io.cwd, path)
  try {
    return realpathSync(folder)
  } catch {
    return folder
  }
}
