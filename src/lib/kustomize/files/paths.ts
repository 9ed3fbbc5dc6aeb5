import { posix } from 'node:path'
import { failure } from '../failure.ts'
import type { FileTree, TreeEntry } from './tree.ts'

/** Largest file that a build reads. */
const MAX_FILE_BYTES = 64 * 1024 * 1024
/** As many as Go's `filepath.EvalSymlinks` follows. */
const MAX_LINKS = 255
/** Longest name and longest path that Linux takes. */
const MAX_NAME_BYTES = 255
const MAX_PATH_BYTES = 4095
/** Folders that a build enters, each as often as it is named: two bases a level double the work with every level. */
const MAX_FOLDERS = 10_000
/** Bytes that a build reads, each as often as it is named. */
const MAX_BYTES = 256 * 1024 * 1024

/** A tree seen by one build: what was read, and what was looked for in vain; links are resolved once. */
export type SeenTree = {
  readonly tree: FileTree
  /** Nothing outside this folder is read, whatever the load restrictions say. */
  readonly jail: string
  readonly filesRead: Set<string>
  readonly filesMissed: Set<string>
  readonly stats: Map<string, TreeEntry | undefined>
  readonly texts: Map<string, Uint8Array>
  /** How much was asked for so far. */
  folders: number
  bytes: number
}

/** Starts watching a tree. */
export function seeTree(tree: FileTree, jail: string): SeenTree {
  return {
    tree,
    jail,
    filesRead: new Set(),
    filesMissed: new Set(),
    stats: new Map(),
    texts: new Map(),
    folders: 0,
    bytes: 0,
  }
}

/** What stands at a path, every link resolved; or why nothing does, in Go's words, and the place that was looked at when it gave up. */
export type Resolved =
  | { readonly path: string; readonly entry: TreeEntry; readonly lacks?: undefined }
  | { readonly lacks: string; readonly at?: string }

/** Follows a path and every link on it. @throws SluiceError KUSTOMIZE_PATH when it leads out of the jail */
export function resolvePath(seen: SeenTree, path: string): Resolved {
  let pending = path.split('/').filter((part) => part !== '')
  let current = '/'
  let entry: TreeEntry = { kind: 'dir' }
  for (let links = 0; pending.length > 0;) {
    const [part = '', ...rest] = pending
    pending = rest
    if (part === '.') continue
    if (part === '..') {
      current = posix.dirname(current)
      continue
    }
    if (entry.kind !== 'dir') return { lacks: 'not a directory' }
    const next = posix.join(current, part)
    const refusal = refusalOf(part, next)
    if (refusal !== undefined) return { lacks: refusal, at: next }
    const found = statOf(seen, next)
    if (found === undefined) {
      seen.filesMissed.add(posix.join(next, ...pending))
      return { lacks: 'no such file or directory', at: next }
    }
    if (found.kind !== 'link') {
      current = next
      entry = found
      continue
    }
    if (++links > MAX_LINKS) return { lacks: 'too many links' }
    seen.filesRead.add(next)
    pending = [...found.target.split('/').filter((name) => name !== ''), ...pending]
    if (found.target.startsWith('/')) current = '/'
  }
  const last = current === '/' ? { kind: 'dir' as const } : (statOf(seen, current) ?? entry)
  return { path: current, entry: last }
}

/** Why the system would not even look for a name. */
function refusalOf(name: string, path: string): string | undefined {
  if (name.includes('\0')) return 'invalid argument'
  if (Buffer.byteLength(name) > MAX_NAME_BYTES || Buffer.byteLength(path) > MAX_PATH_BYTES) return 'file name too long'
  return undefined
}

function statOf(seen: SeenTree, path: string): TreeEntry | undefined {
  if (isInside(path, seen.jail) || isInside(seen.jail, path)) {
    if (!seen.stats.has(path)) seen.stats.set(path, seen.tree.stat(path))
    return seen.stats.get(path)
  }
  throw failure(
    'KUSTOMIZE_PATH',
    `security; file '${path}' is not in or below '${seen.jail}'`,
    undefined,
    'keep every path inside the repository',
  )
}

/** Whether a path is a folder or below it. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`)
}

/** The bytes of a resolved file. */
export function readBytes(seen: SeenTree, path: string, entry: TreeEntry): Uint8Array {
  if (entry.kind === 'other')
    throw failure('KUSTOMIZE_PATH', `'${path}' is no regular file`, undefined, 'name a file, not a device or a pipe')
  if (entry.kind === 'file' && entry.sizeBytes > MAX_FILE_BYTES)
    throw failure('KUSTOMIZE_PATH', `file '${path}' has more than ${MAX_FILE_BYTES} bytes`)
  const known = seen.texts.get(path)
  if (known) return counted(seen, known)
  const bytes = seen.tree.readFile(path)
  seen.filesRead.add(path)
  seen.texts.set(path, bytes)
  return counted(seen, bytes)
}

function counted(seen: SeenTree, bytes: Uint8Array): Uint8Array {
  seen.bytes += bytes.length
  if (seen.bytes <= MAX_BYTES) return bytes
  throw failure('KUSTOMIZE_LIMIT', `the build reads more than ${MAX_BYTES} bytes`, undefined, 'split the kustomization')
}

/** Counts a folder that the build enters. @throws SluiceError KUSTOMIZE_LIMIT when there are too many */
export function enterFolder(seen: SeenTree): void {
  if (++seen.folders <= MAX_FOLDERS) return
  throw failure(
    'KUSTOMIZE_LIMIT',
    `the build enters more than ${MAX_FOLDERS} folders`,
    undefined,
    'name each base once: bases that name bases twice double the work with every level',
  )
}
