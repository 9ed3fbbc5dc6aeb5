import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { LIMITS } from '../../lib/oci/limits.ts'
import { compressionOf } from '../../lib/oci/media-types.ts'
import type { Descriptor } from '../../lib/oci/types.ts'
import { safePath, type TarType } from '../../lib/tar/entry.ts'
import { readTar } from '../../lib/tar/read.ts'
import { Hasher } from '../../lib/oci/digest.ts'
import type { ImageStore } from './store.ts'

/** A file of an image; the bytes of a regular file are a piece of a layer. */
export type TreeNode = {
  readonly type: TarType
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly sizeBytes: number
  readonly linkPath: string
  /** Where the bytes are: the layer's diff id and the offset in it. */
  readonly layer: string
  readonly offset: number
}

/** The files of an image, by path without a leading `/`; the root itself is ``. */
export type Tree = ReadonlyMap<string, TreeNode>

/** A layer that is part of a build: where its bytes are, and the digest of its tar. */
export type Layer = { readonly descriptor: Descriptor; readonly diffId: string }

type Indexed = { readonly path: string } & TreeNode

const ROOT: TreeNode = {
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  sizeBytes: 0,
  linkPath: '',
  layer: '',
  offset: 0,
}

/** Lays layers over each other, whiteouts applied. */
export async function readTree(store: ImageStore, layers: readonly Layer[]): Promise<Tree> {
  const tree = new Map<string, TreeNode>([['', ROOT]])
  for (const layer of layers) addLayer(tree, await indexLayer(store, layer))
  return tree
}

/** What a layer holds, in its order; remembered, since reading 100 MB for it is slow. */
async function indexLayer(store: ImageStore, layer: Layer): Promise<readonly Indexed[]> {
  const key = `index 1 ${layer.diffId}`
  const known = await store.cache.get(key)
  if (known !== undefined) return JSON.parse(known) as Indexed[]
  await unpackTar(store, layer)
  const found: Indexed[] = []
  const name = `layer ${layer.descriptor.digest}`
  const bytes = createReadStream(store.content.pathOf(layer.diffId), { highWaterMark: 1 << 18 })
  const limits = { entries: LIMITS.layerEntries, totalBytes: LIMITS.unpackedBytes }
  for await (const entry of readTar(bytes, { name, limits })) {
    const path = safePath(entry.path)
    if (path === undefined)
      throw new SluiceError('TAR_INVALID', `${name} has an entry that leaves the image: "${entry.path}"`)
    const { type, mode, uid, gid, sizeBytes, offset } = entry
    const linkPath = type === 'link' ? safePath(entry.linkPath) : entry.linkPath
    if (linkPath === undefined)
      throw new SluiceError('TAR_INVALID', `${name} has a link that leaves the image: "${entry.linkPath}"`)
    if (type === 'character' || type === 'block')
      throw new SluiceError('TAR_INVALID', `${name} has a device node: "${path}"`)
    found.push({ path, type, mode, uid, gid, sizeBytes, linkPath, layer: layer.diffId, offset })
  }
  await store.cache.set(key, JSON.stringify(found))
  return found
}

/** Puts the uncompressed tar of a layer into the store, checked against its diff id. */
async function unpackTar(store: ImageStore, layer: Layer): Promise<void> {
  const { content } = store
  if ((await content.sizeOf(layer.diffId)) !== undefined) return
  const compression = compressionOf(layer.descriptor.mediaType)
  if (compression !== 'gzip' && compression !== 'none')
    throw new SluiceError(
      'DOCKERFILE_UNSUPPORTED',
      `a layer of the base image is packed as ${layer.descriptor.mediaType}`,
      { hint: 'push the base image with gzip layers' },
    )
  if (compression === 'none')
    throw new SluiceError('DIGEST_MISMATCH', `layer ${layer.descriptor.digest} is not its diff id ${layer.diffId}`)
  await content.ingest(gunzip(store, layer), layer.diffId, await countBytes(gunzip(store, layer), layer))
}

function gunzip(store: ImageStore, layer: Layer): AsyncIterable<Buffer> {
  const packed = store.content.openRead(layer.descriptor.digest)
  const plain = packed.pipe(createGunzip({ chunkSize: 1 << 18 }))
  packed.on('error', (error) => plain.destroy(error))
  return plain
}

async function countBytes(stream: AsyncIterable<Buffer>, layer: Layer): Promise<number> {
  const hasher = new Hasher()
  try {
    for await (const chunk of stream) {
      hasher.update(chunk)
      if (hasher.sizeBytes > LIMITS.unpackedBytes)
        throw new SluiceError('TAR_INVALID', `layer ${layer.descriptor.digest} unpacks to more than we accept`)
    }
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause
    throw new SluiceError('TAR_INVALID', `layer ${layer.descriptor.digest} cannot be unpacked: ${String(cause)}`)
  }
  if (hasher.digest() === layer.diffId) return hasher.sizeBytes
  throw new SluiceError('DIGEST_MISMATCH', `layer ${layer.descriptor.digest} does not unpack to its diff id`)
}

/** Lays one layer over the tree; its whiteouts mean what lies below, whatever their place in the layer, where its own links lead. */
function addLayer(tree: Map<string, TreeNode>, entries: readonly Indexed[]): void {
  const gone = new Set<string>()
  const emptied = new Set<string>()
  const own = new Map<string, TreeNode>()
  const seen = { get: (path: string) => own.get(path) ?? tree.get(path) }
  for (const entry of entries) {
    const { folder: named, base } = splitPath(entry.path)
    const folder = resolveInTree(seen, named)
    const path = joinPath(folder, base)
    if (base === '.wh..wh..opq') emptied.add(folder)
    else if (base.startsWith('.wh.')) gone.add(joinPath(folder, base.slice(4)))
    else {
      own.set(path, entry)
      if (entry.type !== 'directory' && tree.get(path)?.type === 'directory') gone.add(path)
    }
  }
  if (gone.size + emptied.size > 0)
    for (const path of [...tree.keys()]) if (path !== '' && isHidden(path, gone, emptied)) tree.delete(path)
  const { added, replaced } = addEntries(tree, entries)
  if (replaced.size === 0) return
  for (const [path, turn] of added) if (isReplaced(path, turn, replaced)) tree.delete(path)
}

/** What a layer adds and in which turn it did last, and which of its folders gave way to something else. */
type Added = { readonly added: ReadonlyMap<string, number>; readonly replaced: ReadonlyMap<string, number> }

function addEntries(tree: Map<string, TreeNode>, entries: readonly Indexed[]): Added {
  const added = new Map<string, number>()
  const replaced = new Map<string, number>()
  for (const [turn, entry] of entries.entries()) {
    const { folder, base } = splitPath(entry.path)
    if (base.startsWith('.wh.') || (base === '' && entry.type !== 'directory')) continue
    const path = joinPath(resolveInTree(tree, folder), base)
    if (entry.type !== 'directory' && tree.get(path)?.type === 'directory') replaced.set(path, turn)
    addEntry(tree, { ...entry, path })
    for (const each of [...parentsOf(path), path]) added.set(each, turn)
  }
  return { added, replaced }
}

/** Whether a later entry of the layer took the place of a folder above it. */
function isReplaced(path: string, turn: number, replaced: ReadonlyMap<string, number>): boolean {
  return parentsOf(path).some((parent) => (replaced.get(parent) ?? -1) > turn)
}

function parentsOf(path: string): readonly string[] {
  const parents: string[] = []
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1))
    parents.push(path.slice(0, slash))
  return parents
}

function joinPath(folder: string, base: string): string {
  return folder === '' ? base : `${folder}/${base}`
}

function splitPath(path: string): { readonly folder: string; readonly base: string } {
  const slash = path.lastIndexOf('/')
  return { folder: slash < 0 ? '' : path.slice(0, slash), base: path.slice(slash + 1) }
}

function isHidden(path: string, gone: ReadonlySet<string>, emptied: ReadonlySet<string>): boolean {
  if (gone.has(path) || emptied.has('')) return true
  return parentsOf(path).some((above) => gone.has(above) || emptied.has(above))
}

function addEntry(tree: Map<string, TreeNode>, { path, ...node }: Indexed): void {
  addParents(tree, path)
  if (node.type !== 'link') return void tree.set(path, node)
  const target = tree.get(resolveInTree(tree, node.linkPath, true))
  if (target === undefined || target.type === 'directory')
    throw new SluiceError(
      'TAR_INVALID',
      `"${path}" is a hard link to "${node.linkPath}", which is no file of the image`,
    )
  tree.set(path, target)
}

function addParents(tree: Map<string, TreeNode>, path: string): void {
  for (const parent of parentsOf(path)) if (tree.get(parent)?.type !== 'directory') tree.set(parent, ROOT)
}

/**
 * Follows symlinks as a process inside the image would; the last part too, unless `keepLast`.
 *
 * @param path absolute or relative to `/`; parts that are not there stay as they are
 * @returns the path without a leading `/`
 */
export function resolveInTree(tree: Pick<Tree, 'get'>, path: string, keepLast = false): string {
  let todo = path.split('/').filter((part) => part !== '' && part !== '.')
  let done: string[] = []
  for (let hops = 0; todo.length > 0;) {
    const [part = '', ...rest] = todo
    todo = rest
    if (part === '..') {
      done.pop()
      continue
    }
    const here = [...done, part]
    const node = tree.get(here.join('/'))
    if (node?.type !== 'symlink' || (keepLast && rest.length === 0)) {
      done = here
      continue
    }
    if (++hops > 40) throw new SluiceError('BUILD_CONTEXT', `too many levels of symbolic links in the image: /${path}`)
    const target = node.linkPath.split('/').filter((each) => each !== '' && each !== '.')
    if (node.linkPath.startsWith('/')) done = []
    todo = [...target, ...rest]
  }
  return done.join('/')
}

/** The paths of everything below a folder of the tree, sorted. */
export function listBelow(tree: Tree, folder: string): string[] {
  const prefix = folder === '' ? '' : `${folder}/`
  return [...tree.keys()].filter((path) => path !== '' && path.startsWith(prefix)).sort()
}
