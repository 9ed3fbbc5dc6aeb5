import { existsSync, mkdirSync } from 'node:fs'
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { digestOf, parseDigest } from '../../lib/oci/digest.ts'
import { createCatalog, type Catalog, type Change } from './catalog.ts'
import { type Journal, keepDamaged, openJournal, readJournal, rewriteJournal } from './journal.ts'
import { type Reliance, trackReliance } from './reliance.ts'

const CACHE_BYTES = 32 * 1024 * 1024

/** The registry's disk: content in files named by digest, names in a journal, manifests cached in memory. */
export type Store = Reliance & {
  readonly catalog: Catalog
  /** Makes changes durable, then visible, all at once. */
  readonly commit: (changes: readonly Change[]) => Promise<void>
  readonly pathOf: (digest: string) => string
  readonly sizeOf: (digest: string) => Promise<number | undefined>
  readonly readManifest: (digest: string) => Buffer | Promise<Buffer | undefined>
  /** Keeps bytes whose digest was checked and is held by the caller. */
  readonly keepBytes: (bytes: Buffer, digest: string) => Promise<void>
  /** Moves a synced upload to its name; its digest is held. */
  readonly keepFile: (path: string, digest: string) => Promise<void>
  /**
   * Takes blobs out of a repository and deletes their files where no other uses them. For whoever asks they are gone as soon as this is
   * called. It does not need the journal: a start drops names without a file, so space is freed on a full disk, too.
   */
  readonly dropBlobs: (repository: string, digests: readonly string[]) => Promise<void>
  /** Deletes content that no repository uses any more. */
  readonly sweep: (digest: string) => Promise<void>
  /** Everything that lies on the disk as content, whether a repository uses it or not. */
  readonly files: () => Promise<string[]>
  readonly uploadPath: (id: string) => string
  /** The files that are no content yet: by the id of their upload, or by a name of their own while they are written. */
  readonly unfinished: () => Promise<string[]>
  readonly close: () => Promise<void>
}

/**
 * Opens the folder of a registry, makes it when it is not there, and removes what a crash left half done.
 *
 * @param warn told in words when names were lost because the journal is damaged, and where its copy is
 */
export function openStore(root: string, warn: (message: string) => void = () => undefined): Store {
  for (const folder of ['blobs/sha256', 'blobs/sha512', 'uploads']) mkdirSync(join(root, folder), { recursive: true })
  const journalPath = join(root, 'names.jsonl')
  const catalog = loadCatalog(root, journalPath, warn)
  const journal = openJournal(journalPath)
  const cache = createCache()
  /** Files on their way out: the same content may come again meanwhile. */
  const leaving = new Map<string, Promise<void>>()
  const folders = createFolderSync()
  const pathOf = (digest: string): string => contentPath(root, digest)
  const reliance = trackReliance(pathOf)
  const moveTo = async (path: string, digest: string): Promise<void> => {
    await leaving.get(digest)
    await moveInto(path, pathOf(digest), folders)
  }
  return {
    catalog,
    pathOf,
    files: () => contentIn(root),
    uploadPath: (id) => join(root, 'uploads', id),
    unfinished: () => readdir(join(root, 'uploads')),
    async commit(changes) {
      await journal.append(changes)
      for (const change of changes) catalog.apply(change)
    },
    sizeOf: async (digest) => (await stat(pathOf(digest)).catch(() => undefined))?.size,
    readManifest(digest) {
      return cache.get(digest) ?? loadManifest(pathOf(digest), digest, cache)
    },
    async keepBytes(bytes, digest) {
      if (catalog.isUsed(digest) && (await stat(pathOf(digest)).catch(() => undefined))?.size === bytes.length) return
      const path = join(root, 'uploads', randomBytes(12).toString('hex'))
      try {
        const file = await open(path, 'wx')
        try {
          await file.writeFile(bytes)
          await file.datasync()
        } finally {
          await file.close()
        }
        await moveTo(path, digest)
      } catch (error) {
        await rm(path, { force: true })
        throw error
      }
      cache.set(digest, bytes)
    },
    keepFile: moveTo,
    ...reliance,
    ...removals(catalog, journal, reliance, { pathOf, cache, leaving }),
    close: () => journal.close(),
  }
}

type Places = {
  readonly pathOf: (digest: string) => string
  readonly cache: Cache
  readonly leaving: Map<string, Promise<void>>
}

/** The two ways in which content goes. */
function removals(
  catalog: Catalog,
  journal: Journal,
  { isHeld }: Reliance,
  { pathOf, cache, leaving }: Places,
): Pick<Store, 'sweep' | 'dropBlobs'> {
  const sweep = async (digest: string): Promise<void> => {
    if (catalog.isUsed(digest) || isHeld(digest)) return
    cache.delete(digest)
    const gone = rm(pathOf(digest), { force: true }).finally(() => leaving.delete(digest))
    leaving.set(digest, gone)
    await gone
  }
  return {
    sweep,
    async dropBlobs(repository, digests) {
      const changes = digests.map((digest): Change => ({ do: 'drop-blob', in: repository, digest }))
      for (const change of changes) catalog.apply(change)
      // queued now, as whoever pushes the same content again is written behind it; what a full disk refuses, the next start finds
      const written = journal.append(changes).catch(() => undefined)
      for (const digest of digests) await sweep(digest)
      await written
    },
  }
}

async function contentIn(root: string): Promise<string[]> {
  const of = async (algorithm: string): Promise<string[]> =>
    (await readdir(join(root, 'blobs', algorithm))).map((hex) => `${algorithm}:${hex}`)
  return (await Promise.all(['sha256', 'sha512'].map(of))).flat()
}

function contentPath(root: string, digest: string): string {
  const parsed = parseDigest(digest)
  if (parsed === undefined) throw new Error(`not a digest: ${digest}`)
  return join(root, 'blobs', parsed.algorithm, parsed.hex)
}

function loadCatalog(root: string, path: string, warn: (message: string) => void): Catalog {
  const catalog = createCatalog()
  const { changes, damagedLines } = readJournal(path)
  for (const change of changes) catalog.apply(change)
  const lost = catalog
    .changes()
    .filter((change) => change.do === 'blob' && !existsSync(contentPath(root, change.digest)))
  for (const change of lost) if (change.do === 'blob') catalog.apply({ ...change, do: 'drop-blob' })
  const live = catalog.changes()
  if (damagedLines.length > 0) warn(describeDamage(path, damagedLines, keepDamaged(path)))
  if (damagedLines.length > 0 || changes.length > 2 * live.length + 1000) rewriteJournal(path, live)
  return catalog
}

function describeDamage(path: string, lines: readonly number[], aside: string): string {
  const shown = `${lines.length > 1 ? 'lines' : 'line'} ${lines.slice(0, 5).join(', ')}${lines.length > 5 ? ', …' : ''}`
  return `the registry's ${path} cannot be read at ${shown}: what was pushed or deleted there may be missing or back, all else is kept; push again what is missing, the damaged file is kept as ${aside}`
}

async function moveInto(from: string, to: string, folders: FolderSync): Promise<void> {
  await rename(from, to)
  await folders(dirname(to))
}

/** Makes renames in a folder durable; those that wait at the same time share one sync. */
type FolderSync = (path: string) => Promise<void>

function createFolderSync(): FolderSync {
  const next = new Map<string, Promise<void>>()
  const running = new Map<string, Promise<void>>()
  const sync = async (path: string): Promise<void> => {
    const folder = await open(path, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }
  return (path) => {
    const planned = next.get(path)
    if (planned) return planned
    const current = (running.get(path) ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        next.delete(path)
        const started = sync(path)
        running.set(path, started)
        return started
      })
    next.set(path, current)
    return current
  }
}

type Cache = {
  readonly get: (digest: string) => Buffer | undefined
  readonly set: (digest: string, bytes: Buffer) => void
  readonly delete: (digest: string) => void
}

/** Keeps the manifests added last, up to CACHE_BYTES. */
function createCache(): Cache {
  const kept = new Map<string, Buffer>()
  let sizeBytes = 0
  const drop = (digest: string): void => {
    sizeBytes -= kept.get(digest)?.length ?? 0
    kept.delete(digest)
  }
  return {
    get: (digest) => kept.get(digest),
    delete: drop,
    set(digest, bytes) {
      drop(digest)
      for (const oldest of kept.keys()) {
        if (sizeBytes + bytes.length <= CACHE_BYTES) break
        drop(oldest)
      }
      sizeBytes += bytes.length
      kept.set(digest, bytes)
    },
  }
}

async function loadManifest(path: string, digest: string, cache: Cache): Promise<Buffer | undefined> {
  const bytes = await readFile(path).catch(() => undefined)
  if (bytes === undefined || digestOf(bytes, parseDigest(digest)?.algorithm) !== digest) return undefined
  cache.set(digest, bytes)
  return bytes
}
