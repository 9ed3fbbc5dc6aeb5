import type { Stats } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { LayerEntry } from '../layer.ts'
import type { Tree } from '../tree.ts'

/** Names that a folder shows through the overlay, for folders that the step touched. */
export type MergedNames = ReadonlyMap<string, readonly string[]>

/** Made by the sandbox itself, not by the step. */
const MOUNTED = ['dev', 'proc', 'sys']

/**
 * Reads what a RUN step changed from the upper folder of its overlay: new and changed files, and whiteouts for what is gone.
 *
 * A folder that the step deleted and made again hides what was below it; the names that show through say so.
 */
export async function readUpper(upper: string, tree: Tree, merged: MergedNames): Promise<LayerEntry[]> {
  const isRoot = process.getuid?.() === 0
  const entries: LayerEntry[] = []
  const before = namesByFolder(tree)
  const visit = async (folder: string): Promise<void> => {
    const names = (await readdir(join(upper, folder))).sort()
    for (const name of names) {
      const path = folder === '' ? name : `${folder}/${name}`
      if (folder === '' && MOUNTED.includes(name)) continue
      const stats = await lstat(join(upper, path))
      if (stats.isCharacterDevice() && stats.rdev === 0) {
        if (tree.has(path)) entries.push(whiteout(folder, name))
        continue
      }
      entries.push(await entryOf(join(upper, path), path, stats, isRoot))
      if (stats.isDirectory()) await visit(path)
    }
    for (const name of hiddenNames(before.get(folder), folder, names, merged.get(folder)))
      entries.push(whiteout(folder, name))
  }
  await visit('')
  return entries.filter((entry) => !isUnchanged(tree, entry))
}

/** The names in each folder of a tree: looked for folder by folder, they would cost folders times files. */
function namesByFolder(tree: Tree): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const path of tree.keys()) {
    if (path === '') continue
    const slash = path.lastIndexOf('/')
    const folder = path.slice(0, Math.max(slash, 0))
    const names = found.get(folder)
    if (names) names.push(path.slice(slash + 1))
    else found.set(folder, [path.slice(slash + 1)])
  }
  return found
}

function hiddenNames(
  before: readonly string[] | undefined,
  folder: string,
  upper: readonly string[],
  shown: readonly string[] | undefined,
): readonly string[] {
  if (shown === undefined || before === undefined) return []
  const visible = new Set([...shown, ...upper])
  return before.filter((name) => !visible.has(name) && !(folder === '' && MOUNTED.includes(name)))
}

async function entryOf(full: string, path: string, stats: Stats, isRoot: boolean): Promise<LayerEntry> {
  const type = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'symlink'
        : stats.isFIFO()
          ? 'fifo'
          : undefined
  if (type === undefined)
    throw new SluiceError('BUILD_RUN', `the step left a socket or device at /${path}, which no layer can hold`)
  return {
    path,
    type,
    mode: type === 'symlink' ? 0o777 : stats.mode & 0o7777,
    uid: isRoot ? stats.uid : 0,
    gid: isRoot ? stats.gid : 0,
    linkPath: type === 'symlink' ? await readlink(full) : '',
    sizeBytes: type === 'file' ? stats.size : 0,
    content: type === 'file' ? { from: 'file', path: full, offset: 0 } : undefined,
  }
}

function whiteout(folder: string, name: string): LayerEntry {
  const path = `${folder === '' ? '' : `${folder}/`}.wh.${name}`
  const content = { from: 'bytes', bytes: Buffer.alloc(0) } as const
  return { path, type: 'file', mode: 0o644, uid: 0, gid: 0, linkPath: '', sizeBytes: 0, content }
}

/** A folder that is in the upper one only because something below it changed. */
function isUnchanged(tree: Tree, entry: LayerEntry): boolean {
  const node = tree.get(entry.path)
  return (
    entry.type === 'directory' &&
    node?.type === 'directory' &&
    (node.mode & 0o7777) === entry.mode &&
    node.uid === entry.uid &&
    node.gid === entry.gid
  )
}
