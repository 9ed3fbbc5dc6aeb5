import type { ObjectReader } from './cat-file.ts'
import { runGit } from './git-process.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'

/** A line of a tree object. */
export type TreeEntry = { readonly mode: string; readonly name: string; readonly hash: string }

/** Reads a tree object: `<mode> <name>`, NUL, the hash as bytes; again and again. */
function parseTree(bytes: Buffer, hashBytes = 20): TreeEntry[] {
  const entries: TreeEntry[] = []
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(32, at)
    const end = bytes.indexOf(0, space)
    if (space < 0 || end < 0) break
    const hash = bytes.toString('hex', end + 1, end + 1 + hashBytes)
    entries.push({ mode: bytes.toString('latin1', at, space), name: bytes.toString('utf8', space + 1, end), hash })
    at = end + 1 + hashBytes
  }
  return entries
}

/**
 * The hash of what a commit holds at `path` ('' or '.' for the root): equal hashes mean equal content, whatever else the commit changed.
 *
 * Reads one object a folder on the way; undefined when there is nothing at the path.
 */
export async function pathHash(reader: ObjectReader, commit: string, path: string): Promise<string | undefined> {
  const found = await reader.read(commit)
  let hash = found?.type === 'commit' ? /^tree ([0-9a-f]+)/.exec(found.bytes.toString('latin1'))?.[1] : undefined
  for (const part of path.split('/').filter((name) => name !== '' && name !== '.')) {
    const tree = hash === undefined ? undefined : await reader.read(hash)
    if (tree?.type !== 'tree') return undefined
    hash = parseTree(tree.bytes, commit.length / 2).find(({ name }) => name === part)?.hash
  }
  return hash
}

/**
 * The paths that differ between two commits, both sides of a rename included.
 *
 * @throws SluiceError GIT_REF_MISSING when the repository does not hold both commits
 */
export async function changedPaths(folder: string, before: string, after: string): Promise<readonly string[]> {
  const argv = ['diff-tree', '-r', '-z', '--name-only', '--no-renames', '--end-of-options', before, after]
  const { code, stdout, stderr } = await runGit(folder, argv)
  if (code !== 0) throw new SluiceError('GIT_REF_MISSING', `cannot compare ${before} and ${after}: ${stderr.trim()}`)
  return stdout
    .toString('utf8')
    .split('\0')
    .filter((path) => path !== '')
}
