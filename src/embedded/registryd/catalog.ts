import { unreachable } from '../../lib/error/unreachable.ts'
import { isRecord } from '../../lib/value/is-record.ts'
import { parseDigest } from '../../lib/oci/digest.ts'
import type { Descriptor } from '../../lib/oci/types.ts'

/** What a repository knows of a manifest without reading it. */
export type ManifestEntry = {
  readonly digest: string
  readonly mediaType: string
  readonly size: number
  readonly subject?: string
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
}

/** One change of names; the journal is a list of them. */
export type Change =
  | { readonly do: 'blob'; readonly in: string; readonly digest: string }
  | { readonly do: 'drop-blob'; readonly in: string; readonly digest: string }
  | { readonly do: 'manifest'; readonly in: string; readonly entry: ManifestEntry }
  | { readonly do: 'drop-manifest'; readonly in: string; readonly digest: string }
  | { readonly do: 'tag'; readonly in: string; readonly tag: string; readonly digest: string }
  | { readonly do: 'drop-tag'; readonly in: string; readonly tag: string }

/** Whether a value read from a journal is a change that a catalog can apply. */
export function isChange(value: unknown): value is Change {
  if (!isRecord(value) || typeof value['in'] !== 'string') return false
  switch (value['do']) {
    case 'blob':
    case 'drop-blob':
    case 'drop-manifest':
      return isDigest(value['digest'])
    case 'manifest': {
      const { entry } = value
      return isRecord(entry) && isDigest(entry['digest']) && typeof entry['size'] === 'number'
    }
    case 'tag':
      return typeof value['tag'] === 'string' && isDigest(value['digest'])
    case 'drop-tag':
      return typeof value['tag'] === 'string'
    default:
      return false
  }
}

function isDigest(value: unknown): boolean {
  return typeof value === 'string' && parseDigest(value) !== undefined
}

type Shelf = {
  readonly blobs: Set<string>
  readonly manifests: Map<string, ManifestEntry>
  readonly tags: Map<string, string>
  readonly referrers: Map<string, Set<string>>
  sortedTags: string[] | undefined
}

/** All names in memory: which repository has which blobs, manifests and tags. Every question is answered in constant time. */
export type Catalog = {
  readonly apply: (change: Change) => void
  readonly has: (repository: string) => boolean
  readonly hasBlob: (repository: string, digest: string) => boolean
  /** A repository that has the blob. */
  readonly holderOf: (digest: string) => string | undefined
  readonly manifest: (repository: string, digest: string) => ManifestEntry | undefined
  readonly digestOfTag: (repository: string, tag: string) => string | undefined
  readonly tagsOf: (repository: string, digest: string) => string[]
  /** Sorted by code unit; undefined when there is no such repository. */
  readonly tags: (repository: string) => readonly string[] | undefined
  readonly referrers: (repository: string, subject: string) => Descriptor[]
  readonly repositories: () => string[]
  readonly blobsOf: (repository: string) => string[]
  readonly manifestsOf: (repository: string) => ManifestEntry[]
  /** True while any repository uses the content as blob or manifest. */
  readonly isUsed: (digest: string) => boolean
  /** The shortest list of changes that makes this catalog. */
  readonly changes: () => Change[]
}

/** An empty catalog. */
export function createCatalog(): Catalog {
  const shelves = new Map<string, Shelf>()
  const uses = new Map<string, Set<string>>()
  const tags = (repository: string): readonly string[] | undefined => {
    const shelf = shelves.get(repository)
    return shelf && (shelf.sortedTags ??= [...shelf.tags.keys()].sort())
  }
  return {
    apply: (change) => applyChange(shelves, uses, change),
    has: (repository) => shelves.has(repository),
    hasBlob: (repository, digest) => shelves.get(repository)?.blobs.has(digest) ?? false,
    holderOf: (digest) => [...(uses.get(digest) ?? [])].find((name) => shelves.get(name)?.blobs.has(digest)),
    manifest: (repository, digest) => shelves.get(repository)?.manifests.get(digest),
    digestOfTag: (repository, tag) => shelves.get(repository)?.tags.get(tag),
    tagsOf: (repository, digest) =>
      [...(shelves.get(repository)?.tags ?? [])].filter(([, each]) => each === digest).map(([tag]) => tag),
    tags,
    referrers: (repository, subject) => referrersOf(shelves.get(repository), subject),
    repositories: () => [...shelves.keys()].sort(),
    blobsOf: (repository) => [...(shelves.get(repository)?.blobs ?? [])],
    manifestsOf: (repository) => [...(shelves.get(repository)?.manifests.values() ?? [])],
    isUsed: (digest) => uses.has(digest),
    changes: () => [...shelves].flatMap(([name, shelf]) => changesOf(name, shelf)),
  }
}

function applyChange(shelves: Map<string, Shelf>, uses: Map<string, Set<string>>, change: Change): void {
  const shelf = shelves.get(change.in) ?? emptyShelf()
  shelves.set(change.in, shelf)
  switch (change.do) {
    case 'blob':
      shelf.blobs.add(change.digest)
      return use(uses, change.digest, change.in)
    case 'drop-blob':
      shelf.blobs.delete(change.digest)
      return release(uses, shelf, change.digest, change.in)
    case 'manifest':
      shelf.manifests.set(change.entry.digest, change.entry)
      if (change.entry.subject !== undefined) use(shelf.referrers, change.entry.subject, change.entry.digest)
      return use(uses, change.entry.digest, change.in)
    case 'drop-manifest':
      dropManifest(shelf, change.digest)
      return release(uses, shelf, change.digest, change.in)
    case 'tag':
      if (!shelf.tags.has(change.tag) && shelf.sortedTags) insertSorted(shelf.sortedTags, change.tag)
      shelf.tags.set(change.tag, change.digest)
      return
    case 'drop-tag':
      shelf.tags.delete(change.tag)
      shelf.sortedTags = undefined
      return
    default:
      unreachable(change)
  }
}

function emptyShelf(): Shelf {
  return { blobs: new Set(), manifests: new Map(), tags: new Map(), referrers: new Map(), sortedTags: undefined }
}

function use(uses: Map<string, Set<string>>, key: string, by: string): void {
  const users = uses.get(key)
  if (users) users.add(by)
  else uses.set(key, new Set([by]))
}

function release(uses: Map<string, Set<string>>, shelf: Shelf, digest: string, by: string): void {
  if (shelf.blobs.has(digest) || shelf.manifests.has(digest)) return
  const users = uses.get(digest)
  users?.delete(by)
  if (users?.size === 0) uses.delete(digest)
}

function dropManifest(shelf: Shelf, digest: string): void {
  const subject = shelf.manifests.get(digest)?.subject
  shelf.manifests.delete(digest)
  if (subject !== undefined) shelf.referrers.get(subject)?.delete(digest)
}

function insertSorted(sorted: string[], tag: string): void {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? '') < tag) low = middle + 1
    else high = middle
  }
  sorted.splice(low, 0, tag)
}

function referrersOf(shelf: Shelf | undefined, subject: string): Descriptor[] {
  const found = [...(shelf?.referrers.get(subject) ?? [])].flatMap((digest) => shelf?.manifests.get(digest) ?? [])
  return found.map(({ mediaType, digest, size, artifactType, annotations }) => ({
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  }))
}

function changesOf(name: string, shelf: Shelf): Change[] {
  return [
    ...[...shelf.blobs].map((digest): Change => ({ do: 'blob', in: name, digest })),
    ...[...shelf.manifests.values()].map((entry): Change => ({ do: 'manifest', in: name, entry })),
    ...[...shelf.tags].map(([tag, digest]): Change => ({ do: 'tag', in: name, tag, digest })),
  ]
}
