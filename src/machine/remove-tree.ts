import { randomUUID } from 'node:crypto'
import { chmodSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { hasCode } from '../lib/error/code-of.ts'
import { describeError } from '../lib/error/sluice-error.ts'

/** Ways longer than this are cut, in bytes: the system takes 4,096, a name may have 255. */
const LONGEST_WAY = 2_048

const OPTIONS = { recursive: true, force: true, maxRetries: 3 } as const

/**
 * Removes a folder that a program of somebody else wrote into, whatever it left there: folders that nobody may read or write, and ways
 * longer than the system takes.
 */
export async function removeTree(path: string): Promise<void> {
  await rm(path, OPTIONS).catch(() => removeStubborn(path))
}

/** As {@link removeTree}, where nothing else may happen meanwhile. */
export function removeTreeSync(path: string): void {
  try {
    rmSync(path, OPTIONS)
  } catch {
    removeStubborn(path)
  }
}

/** As {@link removeTree}, after work whose result stands whether or not its folder goes: what cannot be removed is told. */
export async function removeTreeOrTell(path: string, log: (line: string) => void): Promise<void> {
  await removeTree(path).catch((error: unknown) =>
    log(`the folder "${path}" cannot be removed: ${describeError(error)}`),
  )
}

function removeStubborn(path: string): void {
  openFolders(Buffer.from(path))
  rmSync(path, OPTIONS)
}

/** Lets us into every folder; one that lies too far down is moved up first. */
function openFolders(root: Buffer): void {
  const todo = [root]
  for (let folder = todo.pop(); folder !== undefined; folder = todo.pop()) {
    unlessGone(() => chmodSync(folder, 0o700))
    for (const entry of foldersIn(folder)) {
      const below = Buffer.concat([folder, SLASH, entry])
      if (below.length - root.length < LONGEST_WAY) todo.push(below)
      else {
        unlessGone(() => chmodSync(below, 0o700))
        const near = Buffer.concat([root, SLASH, Buffer.from(`.far-${randomUUID()}`)])
        unlessGone(() => renameSync(below, near))
        todo.push(near)
      }
    }
  }
}

const SLASH = Buffer.from('/')

/** By their bytes: not every name is text. */
function foldersIn(folder: Buffer): readonly Buffer[] {
  const entries = unlessGone(() => readdirSync(folder, { encoding: 'buffer', withFileTypes: true })) ?? []
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

/** A removal that has failed goes on with what it had begun: any folder may vanish meanwhile. */
function unlessGone<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}
