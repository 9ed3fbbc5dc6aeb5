import type { FileTree, TreeEntry } from './tree.ts'

/** What was asked of a tree: as long as these stay the same, so do the answers. */
export type Looks = {
  readonly filesRead: ReadonlySet<string>
  /** Paths where nothing stood. */
  readonly filesMissed: ReadonlySet<string>
  readonly foldersListed: ReadonlySet<string>
}

/** The same tree, which notes what it is asked. */
export function watchTree(tree: FileTree): { readonly tree: FileTree; readonly looks: Looks } {
  const looks = { filesRead: new Set<string>(), filesMissed: new Set<string>(), foldersListed: new Set<string>() }
  const watched: FileTree = {
    stat(path): TreeEntry | undefined {
      const entry = tree.stat(path)
      if (entry === undefined) looks.filesMissed.add(path)
      else if (entry.kind === 'link') looks.filesRead.add(path)
      return entry
    },
    readFile(path) {
      looks.filesRead.add(path)
      return tree.readFile(path)
    },
    readDir(path) {
      looks.foldersListed.add(path)
      return tree.readDir(path)
    },
  }
  return { tree: watched, looks }
}
