import { lstatSync, rmSync, unlinkSync } from 'node:fs'

/** Removes what has this name, if anything has: a link and not what it points to. The `rmSync` of Node 24 leaves a link that points nowhere. */
export function removeEntry(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory()) rmSync(path, { recursive: true, force: true })
  else if (found) unlinkSync(path)
}
