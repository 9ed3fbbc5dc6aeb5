import type { FileTree, TreeEntry } from '../../../../lib/kustomize/files/tree.ts'
import type { SourceFile, SourceSnapshot } from '../../source-store.ts'

/** A file of a source whose bytes are not in memory yet; the build is tried again when they are. */
export class MissingBytes extends Error {
  readonly path: string
  constructor(path: string) {
    super(`${path} is not loaded`)
    this.path = path
  }
}

/** What a build asked of a tree, and what it was told: as long as the answers stay the same, so does the build. */
export type Reads = ReadonlyMap<string, string>

/** A source as a tree of files below `root`, that notes what is asked of it. */
export type RecordedTree = { readonly tree: FileTree; readonly reads: Reads }

type Index = { readonly folders: ReadonlyMap<string, readonly string[]> }

const indexes = new WeakMap<ReadonlyMap<string, SourceFile>, Index>()

/**
 * Lays a source's files out below `root`.
 *
 * @param bytes what is loaded so far, by content hash
 * @param instead what stands in place of a file, by its path: decrypted ones
 * @throws MissingBytes (from `readFile`) for a file that is not loaded
 */
export function recordTree(
  snapshot: SourceSnapshot,
  root: string,
  bytes: ReadonlyMap<string, Uint8Array>,
  instead: ReadonlyMap<string, Uint8Array> = new Map(),
): RecordedTree {
  const reads = new Map<string, string>()
  const note = (question: string): void => void reads.set(question, answer(snapshot, question))
  const inside = (path: string): string | undefined =>
    path === root ? '' : path.startsWith(`${root}/`) ? path.slice(root.length + 1) : undefined
  const tree: FileTree = {
    stat(path): TreeEntry | undefined {
      const relative = inside(path)
      if (relative === undefined) return root.startsWith(path === '/' ? '/' : `${path}/`) ? { kind: 'dir' } : undefined
      note(`s:${relative}`)
      const file = snapshot.files.get(relative)
      if (!file) return isFolder(snapshot, relative) ? { kind: 'dir' } : undefined
      const content = instead.get(relative) ?? bytes.get(file.hash)
      if (!content) throw new MissingBytes(relative)
      return { kind: 'file', sizeBytes: content.length }
    },
    readFile(path) {
      const relative = inside(path) ?? path
      note(`s:${relative}`)
      const content = instead.get(relative) ?? bytes.get(snapshot.files.get(relative)?.hash ?? '')
      if (!content) throw new MissingBytes(relative)
      return content
    },
    readDir(path) {
      const relative = inside(path)
      if (relative === undefined) return []
      note(`d:${relative}`)
      return indexOf(snapshot).folders.get(relative) ?? []
    },
  }
  return { tree, reads }
}

/** Whether a newer state of the source would answer all that a build asked in the same way. */
export function sameAnswers(snapshot: SourceSnapshot, reads: Reads): boolean {
  for (const [question, told] of reads) if (answer(snapshot, question) !== told) return false
  return true
}

/** Whether a path is a folder of the source. */
export function isFolder(snapshot: SourceSnapshot, path: string): boolean {
  return path === '' || indexOf(snapshot).folders.has(path)
}

/** The files of a folder; `isDeep`: of those below it, too. */
export function filesIn(snapshot: SourceSnapshot, folder: string, isDeep: boolean): readonly SourceFile[] {
  const names = indexOf(snapshot).folders.get(folder) ?? []
  return names.flatMap((name) => {
    const path = folder === '' ? name : `${folder}/${name}`
    const file = snapshot.files.get(path)
    return file ?? (isDeep ? filesIn(snapshot, path, true) : [])
  })
}

function answer(snapshot: SourceSnapshot, question: string): string {
  const path = question.slice(2)
  if (question.startsWith('d:')) return (indexOf(snapshot).folders.get(path) ?? []).join('\0')
  return snapshot.files.get(path)?.hash ?? (isFolder(snapshot, path) ? 'dir' : 'none')
}

function indexOf({ files }: SourceSnapshot): Index {
  const found = indexes.get(files)
  if (found) return found
  const folders = new Map<string, Set<string>>()
  for (const path of files.keys()) {
    let child = path
    while (child !== '') {
      const slash = child.lastIndexOf('/')
      const folder = slash < 0 ? '' : child.slice(0, slash)
      const names = folders.get(folder)
      const name = child.slice(slash + 1)
      if (names?.has(name)) break
      if (names) names.add(name)
      else folders.set(folder, new Set([name]))
      child = folder
    }
  }
  const index = { folders: new Map([...folders].map(([folder, names]) => [folder, [...names].sort()])) }
  indexes.set(files, index)
  return index
}
