import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { runGit } from './git-process.ts'

/** A fetch of one commit brings all its files, again and again: so many packs may hold the same. */
const MOST_PACKS = 32
/** Of some 256 folders of loose objects one is looked at, as `git gc --auto` does: 6,700 in all. */
const MOST_LOOSE = 27

/**
 * Packs what many fetches left in a mirror into one, every object once and none lost: nothing in a mirror has a name, so git's own
 * `gc` would throw everything away. Readers go on meanwhile; nobody may fetch into the folder. Does nothing until it is worth it.
 *
 * @returns whether it packed; it is a matter of room only, so that what fails is tried again after the next fetch
 */
export async function tidyMirror(folder: string, signal: AbortSignal): Promise<boolean> {
  const packs = (await namesIn(join(folder, 'objects', 'pack'))).filter((name) => name.endsWith('.pack'))
  const loose = await namesIn(join(folder, 'objects', '17'))
  if (packs.length < MOST_PACKS && loose.length < MOST_LOOSE) return false
  const argv = ['repack', '-a', '-d', '-k', '-q', '--threads=1', '--window-memory=64m']
  const packed = await runGit(folder, argv, { signal }).catch(() => undefined)
  return packed?.code === 0
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => [])
}
