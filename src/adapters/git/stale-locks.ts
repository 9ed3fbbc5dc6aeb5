import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Removes the lock files that git processes leave in a bare repository when they are killed; git itself would refuse to go on for ever.
 *
 * Only for a repository that nobody else uses, before anything is started on it.
 */
export function removeStaleLocks(folder: string): void {
  for (const name of namesIn(folder)) if (name.endsWith('.lock')) rmSync(join(folder, name), { force: true })
  for (const name of namesIn(join(folder, 'refs'), true))
    if (name.endsWith('.lock')) rmSync(join(folder, 'refs', name), { force: true })
}

function namesIn(folder: string, recursive = false): readonly string[] {
  try {
    return readdirSync(folder, { recursive }).map(String)
  } catch {
    return []
  }
}
