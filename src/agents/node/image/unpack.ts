import {
  chmodSync,
  closeSync,
  copyFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { LIMITS } from '../../../lib/oci/limits.ts'
import { type Found, type InLayer, MOST_FOLDERS, openLayer, openLayers, resolveBy } from './layered-path.ts'
import { safePath } from '../../../lib/tar/entry.ts'
import { readTar, type TarEntry } from '../../../lib/tar/read.ts'
import { removeEntry } from '../remove-entry.ts'

/** Where a layer goes: its own folder, over the folders below it (topmost first). */
export type UnpackTarget = {
  readonly folder: string
  readonly below: readonly string[]
  /** Keep the archive's owners (needs root). */
  readonly keepOwners: boolean
  /** Called for `.wh.NAME` (the path) and `.wh..wh..opq` (the folder): what the layer takes away. */
  readonly onWhiteout: (path: string, isOpaque: boolean) => void
}

/** What there is at a path, for as long as nothing changes. */
type Shown = {
  /** In the layer itself. */
  readonly own: (path: string) => InLayer
  /** What the layers below show still, without what entries before have taken away. */
  readonly below: (path: string) => Found | undefined
  /** In the image by now. */
  readonly all: (path: string) => Found | undefined
}

/**
 * Unpacks one layer. Nothing is ever written outside `folder`: parents are resolved inside the image, symlinks are kept but not followed
 * out of it, device nodes and `..` are refused, sizes are bounded.
 *
 * @throws SluiceError IMAGE_UNSAFE, IMAGE_INVALID
 */
export async function unpackLayer(source: AsyncIterable<Buffer>, target: UnpackTarget): Promise<void> {
  const parents = new Map<string, string>()
  const folders = new Map<string, Look>()
  const gone = new Set<string>()
  const takeAway = (path: string, isOpaque: boolean): void => {
    gone.add(isOpaque ? `${path}/` : path)
    parents.clear()
    target.onWhiteout(path, isOpaque)
  }
  const limits = { entries: LIMITS.layerEntries, totalBytes: LIMITS.unpackedBytes }
  const chunks = source[Symbol.asyncIterator]()
  const open = { [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) }
  for await (const entry of readTar(open, { name: 'the layer', limits })) {
    const name = checkedName(entry.path)
    if (name === '') continue
    const base = basename(name)
    const shown = shownBy(target, gone)
    const parent = parentOf(shown, parents, name)
    if (base.startsWith('.wh.')) {
      if (base === '.wh..wh..opq') takeAway(parent, true)
      else if (/^\.wh\.\.{0,2}$|^\.wh\.\.wh\./.test(base)) throw unsafe(entry.path, 'takes away what has no name')
      else takeAway(join(parent, base.slice(4)), false)
      continue
    }
    const path = join(target.folder, parent, base)
    makeParent(target, shown, parent, entry, folders)
    if (changesWays(entry, path)) parents.clear()
    await place(target, gone, entry, path)
    if (entry.type === 'directory') folders.set(join(parent, base), entry)
    else if (entry.type !== 'link') finish(target, path, entry)
  }
  // what follows the archive's end belongs to the layer's digest
  while (!(await chunks.next()).done);
  const find = openLayer(target.folder)
  for (const [path, look] of [...folders].reverse()) {
    const found = find(path)
    // a later entry may have put something else there, or a link in its way that leads out of the image
    if (typeof found === 'object' && found.stats.isDirectory()) finish(target, found.file, look)
  }
}

/** What a file has besides its content. */
type Look = Pick<TarEntry, 'type' | 'mode' | 'uid' | 'gid' | 'mtimeSeconds'>

/**
 * A folder that no entry names looks as in the layers below, since it hides theirs: `/tmp` stays everybody's, `/home/node` that user's.
 * One that is new has the usual mode.
 */
function makeParent(
  target: UnpackTarget,
  shown: Shown,
  parent: string,
  entry: TarEntry,
  folders: Map<string, Look>,
): void {
  const found = shown.own(parent)
  if (found === 'hidden' || (found && !found.stats.isDirectory()))
    throw unsafe(entry.path, 'lies below something that is no folder')
  if (found) return
  makeParent(target, shown, parentPath(parent), entry, folders)
  mkdirSync(join(target.folder, parent), { mode: 0o755 })
  const before = shown.below(parent)?.stats
  const { mode, uid, gid } = before?.isDirectory() ? before : { mode: 0o755, uid: 0, gid: 0 }
  const mtimeSeconds = before ? before.mtimeMs / 1000 : entry.mtimeSeconds
  folders.set(parent, { type: 'directory', mode, uid, gid, mtimeSeconds })
}

/** Whether paths lead elsewhere from now on. */
function changesWays({ type }: TarEntry, path: string): boolean {
  if (type === 'symlink' || type === 'link') return true
  const before = lstatSync(path, { throwIfNoEntry: false })
  return before !== undefined && !(before.isDirectory() ? type === 'directory' : before.isFile() && type === 'file')
}

function checkedName(path: string): string {
  const name = safePath(path)
  if (name === undefined) throw unsafe(path, 'leaves the image by ".." or has a zero byte in its name')
  if (name.split('/').length > MOST_FOLDERS)
    throw unsafe(path.slice(0, 200), `lies in more than ${MOST_FOLDERS} folders`)
  return name
}

function parentPath(path: string): string {
  return dirname(path) === '.' ? '' : dirname(path)
}

function shownBy({ folder, below }: UnpackTarget, gone: ReadonlySet<string>): Shown {
  const own = openLayer(folder)
  let lower: Shown['below'] | undefined
  // for most entries nobody looks below, and there may be a hundred layers
  const shown = (path: string): Found | undefined =>
    isGone(gone, path) ? undefined : (lower ??= openLayers(below))(path)
  return {
    own,
    below: shown,
    all(path) {
      const found = own(path)
      return found === 'hidden' ? undefined : (found ?? shown(path))
    },
  }
}

function isGone(gone: ReadonlySet<string>, path: string): boolean {
  if (gone.size === 0 || path === '') return false
  if (gone.has('/') || gone.has(path)) return true
  for (let end = path.indexOf('/'); end > 0; end = path.indexOf('/', end + 1))
    // what an opaque folder holds is gone; it stays itself
    if (gone.has(path.slice(0, end)) || gone.has(path.slice(0, end + 1))) return true
  return false
}

function parentOf({ all }: Shown, parents: Map<string, string>, name: string): string {
  const wanted = parentPath(name)
  let parent = parents.get(wanted)
  if (parent === undefined) {
    parent = resolveBy(all, wanted).path
    parents.set(wanted, parent)
  }
  return parent
}

async function place(target: UnpackTarget, gone: ReadonlySet<string>, entry: TarEntry, path: string): Promise<void> {
  if (entry.type === 'directory') {
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return
    removeEntry(path)
    mkdirSync(path, { mode: 0o755 })
    return
  }
  removeEntry(path)
  switch (entry.type) {
    case 'file':
      return writeFile(path, entry.body)
    case 'symlink':
      if (entry.linkPath === '') throw unsafe(entry.path, 'is a symlink to nothing')
      return symlinkSync(entry.linkPath, path)
    case 'link':
      return placeHardlink(target, gone, entry, path)
    case 'character':
    case 'block':
    case 'fifo':
      throw unsafe(entry.path, 'is a device node or pipe, which images may not bring')
  }
}

async function writeFile(path: string, body: AsyncIterable<Buffer>): Promise<void> {
  const file = openSync(path, 'wx', 0o600)
  try {
    for await (const piece of body) writeFileSync(file, piece) // all of it: `writeSync` may take a part
  } finally {
    closeSync(file)
  }
}

/** A link to a symlink is one more symlink; to a file of a layer below a copy of it, as an overlay makes one. */
function placeHardlink(target: UnpackTarget, gone: ReadonlySet<string>, entry: TarEntry, path: string): void {
  const { all } = shownBy(target, gone)
  const { path: linked, file, stats } = resolveBy(all, checkedName(entry.linkPath), false)
  if (file === undefined || stats === undefined || stats.isDirectory())
    throw unsafe(entry.path, `is a hard link to "${entry.linkPath}", which is no file of the image`)
  if (file === join(target.folder, linked)) return linkSync(file, path)
  if (stats.isSymbolicLink()) symlinkSync(readlinkSync(file), path)
  else copyFileSync(file, path)
  const { mode, uid, gid, mtimeMs } = stats
  finish(target, path, {
    ...{ type: stats.isSymbolicLink() ? 'symlink' : 'file', mode, uid, gid },
    mtimeSeconds: mtimeMs / 1000,
  })
}

function finish({ keepOwners }: UnpackTarget, path: string, entry: Look): void {
  if (keepOwners) lchownSync(path, Math.min(entry.uid, 65_535), Math.min(entry.gid, 65_535))
  // setuid and setgid bits mean nothing to processes that may gain no privileges
  if (entry.type !== 'symlink') chmodSync(path, entry.mode & (entry.type === 'directory' ? 0o1777 : 0o777))
  lutimesSync(path, entry.mtimeSeconds, entry.mtimeSeconds)
}

function unsafe(name: string, why: string): SluiceError {
  return new SluiceError('IMAGE_UNSAFE', `the image is refused: its entry "${name.slice(0, 200)}" ${why}`, {
    hint: 'build the image again with a tool that makes plain layers',
  })
}
