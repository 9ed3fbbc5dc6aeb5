import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { fitsPatterns } from '../../../pipeline/ci/glob.ts'

const MOST_FILES = 100_000
/** Nothing else is done while they are read. */
const MOST_BYTES = 1 << 30
const PIECE_BYTES = 1 << 20

/**
 * `hashFiles()` on a workspace: one hash over the hashes of all files that fit; '' when none does. Links are not followed.
 *
 * @throws SluiceError STEP_LIMIT for more than 100,000 files in the workspace, or more than 1 GiB in those that fit
 */
export function hashFiles(workspace: string, patterns: readonly string[]): string {
  const all = createHash('sha256')
  let count = 0
  let left = MOST_BYTES
  for (const path of filesBelow(workspace)) {
    if (!fitsPatterns(patterns, path)) continue
    const { digest, sizeBytes } = hashFile(join(workspace, path), left)
    left -= sizeBytes
    all.update(digest)
    count++
  }
  return count === 0 ? '' : all.digest('hex')
}

function hashFile(path: string, mostBytes: number): { readonly digest: Buffer; readonly sizeBytes: number } {
  const hash = createHash('sha256')
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  let sizeBytes = 0
  try {
    // a file of holes has its size at once
    if (fstatSync(file).size > mostBytes) throw tooMuch('more than 1 GiB')
    const piece = Buffer.allocUnsafe(PIECE_BYTES)
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) {
      sizeBytes += read
      if (sizeBytes > mostBytes) throw tooMuch('more than 1 GiB')
      hash.update(piece.subarray(0, read))
    }
  } finally {
    closeSync(file)
  }
  return { digest: hash.digest(), sizeBytes }
}

function filesBelow(root: string): readonly string[] {
  const found: string[] = []
  const folders = ['']
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop())
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory() && entry.name !== '.git') folders.push(path)
      else if (entry.isFile()) found.push(path)
      if (found.length + folders.length > MOST_FILES) throw tooMuch(`more than ${MOST_FILES} files in the workspace`)
    }
  return found.sort()
}

function tooMuch(what: string): SluiceError {
  return new SluiceError('STEP_LIMIT', `hashFiles() has too much to read: ${what}`, {
    hint: 'hash the files that decide, such as lock files, before others are made',
  })
}
