/** What stands at a path itself; a symbolic link is not followed. */
export type TreeEntry =
  | { readonly kind: 'file'; readonly sizeBytes: number }
  | { readonly kind: 'dir' }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'other' }

/**
 * A tree of files as a value: a disk, a Git tree, a map. Paths are absolute and POSIX.
 *
 * Only paths whose folders hold no link are asked for: links are resolved by the reader.
 */
export type FileTree = {
  readonly stat: (path: string) => TreeEntry | undefined
  /** The bytes of a file that `stat` called one. */
  readonly readFile: (path: string) => Uint8Array
  /** The names in a folder. */
  readonly readDir: (path: string) => readonly string[]
}

/** A tree over a map of absolute paths to contents; folders are implied. */
export function treeOfFiles(files: ReadonlyMap<string, string | Uint8Array>): FileTree {
  const folders = new Map<string, Set<string>>()
  for (const path of files.keys()) {
    const parts = path.split('/')
    for (let i = parts.length - 1; i > 0; i--) {
      const folder = parts.slice(0, i).join('/') || '/'
      const names = folders.get(folder) ?? new Set<string>()
      folders.set(folder, names.add(parts[i] ?? ''))
    }
  }
  const bytes = (path: string): Uint8Array => {
    const content = files.get(path) ?? ''
    return typeof content === 'string' ? new TextEncoder().encode(content) : content
  }
  return {
    stat: (path) => {
      const content = files.get(path)
      if (content !== undefined) return { kind: 'file', sizeBytes: content.length }
      return folders.has(path) ? { kind: 'dir' } : undefined
    },
    readFile: bytes,
    readDir: (path) => [...(folders.get(path) ?? [])],
  }
}
