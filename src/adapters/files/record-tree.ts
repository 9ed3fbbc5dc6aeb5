import type { FileTree } from '../../lib/kustomize/tree.ts'

/** The same tree; every path that is asked for, there or not, is added to `seen`. */
export function recordTree(tree: FileTree, seen: Set<string>): FileTree {
  return {
    stat: (path) => {
      seen.add(path)
      return tree.stat(path)
    },
    readFile: (path) => tree.readFile(path),
    readDir: (path) => tree.readDir(path),
  }
}
