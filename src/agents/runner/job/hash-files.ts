import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fitsPatterns } from '../../../pipeline/ci/glob.ts'

const MOST_FILES = 100_000

/** `hashFiles()` on a workspace: one hash over the hashes of all files that fit; '' when none does. Links are not followed. */
export function hashFiles(workspace: string, patterns: readonly string[]): string {
  const all = createHash('sha256')
  let count = 0
  for (const path of filesBelow(workspace)) {
    if (!fitsPatterns(patterns, path)) continue
    all.update(
      createHash('sha256')
        .update(readFileSync(join(workspace, path)))
        .digest(),
    )
    count++
  }
  return count === 0 ? '' : all.digest('hex')
}

function filesBelow(root: string): readonly string[] {
  const found: string[] = []
  const folders = ['']
  for (let folder = folders.pop(); folder !== undefined && found.length < MOST_FILES; folder = folders.pop())
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory() && entry.name !== '.git') folders.push(path)
      else if (entry.isFile()) found.push(path)
    }
  return found.sort()
}
