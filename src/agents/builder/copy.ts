import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { codeOf } from '../../lib/error/code-of.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { parseGlob } from '../../lib/dockerfile/glob.ts'
import { digestOf } from '../../lib/oci/digest.ts'
import { LIMITS } from '../../lib/oci/limits.ts'
import { safePath } from '../../lib/tar/entry.ts'
import { readTar } from '../../lib/tar/read.ts'
import type { Context, ContextFile } from './context.ts'
import type { LayerEntry } from './layer.ts'
import type { ImageStore } from './store.ts'
import { listBelow, resolveInTree, type Tree, type TreeNode } from './tree.ts'

/** What an archive that ADD unpacks may hold. */
const MOST_PLAIN_BYTES = 1024 ** 3

/** Something that a COPY brings: a single file or link, or what is in a folder. */
export type Source = {
  /** Name of the file or folder. */
  readonly name: string
  readonly isFolder: boolean
  /** Paths relative to the folder; for a single file one entry with path ``. */
  readonly entries: readonly LayerEntry[]
  /** Says the same for the same content. */
  readonly key: string
  /** A tar archive on disk that ADD unpacks. */
  readonly archive?: string
  /** The files of the context that it is made of. */
  readonly files?: readonly ContextFile[]
}

/** Who owns what is copied, and its mode when it is not the source's. */
export type Ownership = { readonly uid: number; readonly gid: number; readonly mode: number | undefined }

/** Reads what a COPY source means in the build context. @throws SluiceError BUILD_CONTEXT when nothing matches */
export async function fromContext(context: Context, source: string, where: string): Promise<Source[]> {
  const found = await context.match(source)
  if (found.length === 0) throw notFound(source, 'the build context (or left out by .dockerignore)', where)
  return Promise.all(found.map((file) => readSource(context, file)))
}

async function readSource(context: Context, file: ContextFile): Promise<Source> {
  const name = file.path.slice(file.path.lastIndexOf('/') + 1)
  const files = file.type === 'directory' ? await context.below(file) : [file]
  const prefix = file.path === '' ? '' : `${file.path}/`
  const keys: unknown[] = []
  const entries: LayerEntry[] = []
  for (const each of files) {
    const path = file.type === 'directory' ? each.path.slice(prefix.length) : ''
    const digest = each.type === 'file' ? await context.digest(each) : each.linkPath
    keys.push([path, each.type, each.mode, digest])
    const { type, mode, linkPath, sizeBytes, realPath } = each
    const content = type === 'file' ? ({ from: 'file', path: realPath, offset: 0 } as const) : undefined
    entries.push({ path, type, mode: modeOf(type, mode), uid: 0, gid: 0, linkPath, sizeBytes, content })
  }
  const isFolder = file.type === 'directory'
  return { name, isFolder, entries, key: JSON.stringify([name, isFolder, keys]), archive: file.realPath, files }
}

/** Reads what a COPY --from source means in an image. */
export function fromTree(store: ImageStore, tree: Tree, source: string, image: string, where: string): Source[] {
  const paths = expandInTree(tree, source)
  if (paths.length === 0) throw notFound(source, image, where)
  return paths.map((path) => {
    const node = tree.get(path)
    const name = path.slice(path.lastIndexOf('/') + 1)
    const isFolder = node?.type === 'directory'
    const below = isFolder ? listBelow(tree, path) : [path]
    const skip = !isFolder ? path.length : path === '' ? 0 : path.length + 1
    const entries = below.flatMap((each) => {
      const found = tree.get(each)
      return found ? [entryOf(store, each.slice(skip), found)] : []
    })
    return { name, isFolder, entries, key: JSON.stringify([source, path]) }
  })
}

/** A file that stands in the Dockerfile itself. */
export function fromText(name: string, content: string): Source {
  const bytes = Buffer.from(content)
  const entry: LayerEntry = {
    path: '',
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    linkPath: '',
    sizeBytes: bytes.length,
    content: { from: 'bytes', bytes },
  }
  return { name, isFolder: false, entries: [entry], key: JSON.stringify([name, digestOf(bytes)]) }
}

/**
 * Turns sources that are tar archives (plain or gzip) into the folders they hold, as ADD does. Their files stay pieces of the archive.
 *
 * @param plain where an archive without its packing is kept; the caller removes what it got
 */
export async function unpackArchives(
  sources: readonly Source[],
  where: string,
  plain: () => string,
): Promise<Source[]> {
  const unpacked: Source[] = []
  for (const source of sources) {
    const entries = source.isFolder || !source.archive ? undefined : await readArchive(source.archive, where, plain)
    unpacked.push(entries ? { ...source, isFolder: true, entries, key: `tar ${source.key}` } : source)
  }
  return unpacked
}

/**
 * Plans the files of a COPY layer.
 *
 * @param target absolute path as written; a trailing `/` makes it a folder
 */
export function planCopy(
  tree: Tree,
  sources: readonly Source[],
  target: string,
  owner: Ownership | undefined,
  where: string,
): LayerEntry[] {
  const place = resolveInTree(tree, target)
  const isFolder = target.endsWith('/') || tree.get(place)?.type === 'directory'
  if (sources.length > 1 && !target.endsWith('/') && !isFolder)
    throw new SluiceError('DOCKERFILE_SYNTAX', 'with more than one source the destination must be a folder', {
      where,
      hint: 'end the destination with /',
    })
  const entries: LayerEntry[] = []
  for (const source of sources) {
    const base = source.isFolder || !isFolder ? place : joinPath(place, source.name)
    if (source.isFolder) entries.push(...folderEntry(tree, base, owner))
    for (const entry of source.entries) {
      const path = joinPath(base, entry.path)
      entries.push({
        ...entry,
        ...ownership(entry, owner),
        path: entry.path === '' ? path : resolveInTree(tree, path, true),
      })
    }
  }
  const kept = entries.filter((entry) => !isSameFolder(tree, entry))
  for (const entry of kept) checkPlace(tree, entry, where)
  checkAncestors(kept, where)
  return [...missingParents(tree, kept, owner), ...kept]
}

function ownership(entry: LayerEntry, owner: Ownership | undefined): Pick<LayerEntry, 'uid' | 'gid' | 'mode'> {
  const mode = owner?.mode !== undefined && entry.type !== 'symlink' ? owner.mode : entry.mode
  return { uid: owner?.uid ?? entry.uid, gid: owner?.gid ?? entry.gid, mode }
}

function folderEntry(tree: Tree, path: string, owner: Ownership | undefined): LayerEntry[] {
  if (path === '' || tree.get(path)?.type === 'directory') return []
  return [makeFolder(path, owner)]
}

/** A folder entry that an earlier step may need to make a path exist. */
export function makeFolder(path: string, owner: Ownership | undefined): LayerEntry {
  const { uid = 0, gid = 0 } = owner ?? {}
  return { path, type: 'directory', mode: 0o755, uid, gid, linkPath: '', sizeBytes: 0, content: undefined }
}

/** Folders above the entries that are neither in the image nor among the entries. */
export function missingParents(tree: Tree, entries: readonly LayerEntry[], owner: Ownership | undefined): LayerEntry[] {
  const known = new Set(entries.map(({ path }) => path))
  const missing: LayerEntry[] = []
  for (const { path } of entries)
    for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
      const parent = path.slice(0, slash)
      if (known.has(parent) || tree.has(parent)) continue
      known.add(parent)
      missing.push(makeFolder(parent, owner))
    }
  return missing
}

function isSameFolder(tree: Tree, { path, type, mode, uid, gid }: LayerEntry): boolean {
  const node = tree.get(path)
  if (path === '') return true
  return (
    type === 'directory' && node?.type === 'directory' && node.mode === mode && node.uid === uid && node.gid === gid
  )
}

function checkPlace(tree: Tree, entry: LayerEntry, where: string): void {
  const node = tree.get(entry.path)
  if (node?.type === 'directory' && entry.type !== 'directory')
    throw new SluiceError('BUILD_CONTEXT', `cannot copy a file over the folder /${entry.path}`, { where })
  if (node && node.type !== 'directory' && entry.type === 'directory')
    throw new SluiceError('BUILD_CONTEXT', `cannot copy a folder over the file /${entry.path}`, { where })
}

/** No entry may lie below another one that is a file or link: unpacked, it would land somewhere else. */
function checkAncestors(entries: readonly LayerEntry[], where: string): void {
  const solid = new Set(entries.filter(({ type }) => type !== 'directory').map(({ path }) => path))
  for (const { path } of entries)
    for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1))
      if (solid.has(path.slice(0, slash)))
        throw new SluiceError('TAR_INVALID', `"${path}" would be written through "${path.slice(0, slash)}"`, { where })
}

function expandInTree(tree: Tree, source: string): string[] {
  const path = resolveInTree(tree, source)
  if (!/[*?[]/.test(source)) return tree.has(path) ? [path] : []
  const matches = parseGlob(
    source
      .split('/')
      .filter((part) => part !== '' && part !== '.')
      .join('/'),
  )
  return [...tree.keys()].filter((each) => matches.test(each)).sort()
}

function entryOf(store: ImageStore, path: string, node: TreeNode): LayerEntry {
  const { type, mode, uid, gid, linkPath, sizeBytes, layer, offset } = node
  const content =
    type === 'file' ? ({ from: 'file', path: store.content.pathOf(layer || EMPTY), offset } as const) : undefined
  return { path, type, mode, uid, gid, linkPath, sizeBytes, content }
}

const EMPTY = digestOf('')

async function readArchive(path: string, where: string, plain: () => string): Promise<LayerEntry[] | undefined> {
  const head = createReadStream(path, { end: 511 })
  const chunks: Buffer[] = []
  for await (const chunk of head as AsyncIterable<Buffer>) chunks.push(chunk)
  const start = Buffer.concat(chunks)
  const isGzip = start[0] === 0x1f && start[1] === 0x8b
  if (/^(BZh|\xfd7zXZ|\x28\xb5\x2f\xfd)/.test(start.toString('latin1', 0, 6)))
    throw new SluiceError('DOCKERFILE_UNSUPPORTED', 'ADD unpacks tar and tar.gz only', {
      where,
      hint: 'pack the archive as .tar.gz, or COPY it and unpack it in RUN',
    })
  if (!isGzip && start.toString('latin1', 257, 262) !== 'ustar') return undefined
  if (!isGzip) return collect(path, path)
  const unpacked = plain()
  await gunzip(path, unpacked)
  try {
    return await collect(unpacked, path)
  } catch (error) {
    // A gzip file that holds no archive is copied as it is.
    if (error instanceof SluiceError && /checksum/.test(error.message)) return undefined
    throw error
  }
}

/** Writes what a gzip file holds into another file. @throws SluiceError TAR_INVALID */
async function gunzip(path: string, target: string): Promise<void> {
  let sizeBytes = 0
  const bounded = async function* (bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of bytes) {
      sizeBytes += chunk.length
      if (sizeBytes > MOST_PLAIN_BYTES) throw cannotUnpack(path, `it has more than ${MOST_PLAIN_BYTES} bytes`)
      yield chunk
    }
  }
  const file = createReadStream(path, { highWaterMark: 1 << 18 })
  try {
    await pipeline(file, createGunzip({ chunkSize: 1 << 18 }), bounded, createWriteStream(target, { flags: 'wx' }))
  } catch (error) {
    const code = codeOf(error)
    throw code.startsWith('Z_') ? cannotUnpack(path, code) : error
  }
}

function cannotUnpack(path: string, why: string): SluiceError {
  return new SluiceError('TAR_INVALID', `${path} cannot be unpacked: ${why}`)
}

async function collect(file: string, name: string): Promise<LayerEntry[]> {
  const entries: LayerEntry[] = []
  const bytes = createReadStream(file, { highWaterMark: 1 << 18 })
  const limits = { entries: LIMITS.layerEntries, totalBytes: MOST_PLAIN_BYTES }
  for await (const entry of readTar(bytes, { name, limits })) {
    const path = safePath(entry.path)
    if (path === undefined)
      throw new SluiceError('TAR_INVALID', `${name} has an entry that leaves its folder: "${entry.path}"`)
    if (entry.type !== 'file' && entry.type !== 'directory' && entry.type !== 'symlink')
      throw new SluiceError('TAR_INVALID', `${name} holds a ${entry.type} at "${path}", which ADD does not unpack`)
    if (path === '') continue
    const { type, mode, uid, gid, sizeBytes, offset, linkPath } = entry
    const content = type === 'file' ? ({ from: 'file', path: file, offset } as const) : undefined
    entries.push({ path, type, mode, uid, gid, linkPath, sizeBytes, content })
  }
  return entries
}

function modeOf(type: ContextFile['type'], mode: number): number {
  return type === 'symlink' ? 0o777 : mode
}

function joinPath(folder: string, path: string): string {
  return folder === '' || path === '' ? folder + path : `${folder}/${path}`
}

function notFound(source: string, place: string, where: string): SluiceError {
  return new SluiceError('BUILD_CONTEXT', `COPY failed: "${source}" is not in ${place}`, { where })
}
