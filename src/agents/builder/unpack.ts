import { chmod, chown, lchown, link, mkdir, open, symlink, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ImageStore } from './store.ts'
import type { Tree, TreeNode } from './tree.ts'

/**
 * Writes the files of an image into a new folder. Owners are kept when we are root, else everything is ours.
 *
 * Safe by construction: the tree's folders are real folders, made before anything else, and links are made last.
 */
export async function unpackTree(store: ImageStore, tree: Tree, target: string): Promise<void> {
  const isRoot = process.getuid?.() === 0
  const paths = [...tree].sort(([a], [b]) => (a < b ? -1 : 1))
  const folders = paths.filter(([, node]) => node.type === 'directory')
  for (const [path] of folders) await mkdir(join(target, path), { recursive: true, mode: 0o700 })
  await unpackFiles(
    store,
    paths.filter(([, node]) => node.type === 'file'),
    target,
    isRoot,
  )
  for (const [path, node] of paths.filter(([, each]) => each.type === 'symlink')) {
    await symlink(node.linkPath, join(target, path))
    if (isRoot) await lchown(join(target, path), node.uid, node.gid)
  }
  for (const [path, node] of folders.reverse()) {
    if (isRoot) await chown(join(target, path), node.uid, node.gid)
    await chmod(join(target, path), isRoot ? node.mode : node.mode | 0o700)
  }
}

async function unpackFiles(
  store: ImageStore,
  files: readonly (readonly [string, TreeNode])[],
  target: string,
  isRoot: boolean,
): Promise<void> {
  const layers = new Map<string, FileHandle>()
  const made = new Map<string, string>()
  try {
    for (const [path, node] of files) {
      const full = join(target, path)
      const id = `${node.layer} ${node.offset}`
      const twin = node.sizeBytes > 0 ? made.get(id) : undefined
      if (twin !== undefined) {
        await link(twin, full)
        continue
      }
      const layer = layers.get(node.layer) ?? (await open(store.content.pathOf(node.layer), 'r'))
      layers.set(node.layer, layer)
      await writePiece(layer, node, full)
      made.set(id, full)
      if (isRoot) await chown(full, node.uid, node.gid)
      await chmod(full, isRoot ? node.mode : node.mode | 0o400)
    }
  } finally {
    for (const layer of layers.values()) await layer.close()
  }
}

async function writePiece(layer: FileHandle, node: TreeNode, full: string): Promise<void> {
  await mkdir(dirname(full), { recursive: true })
  const file = await open(full, 'wx', 0o600)
  try {
    const buffer = Buffer.allocUnsafe(Math.min(node.sizeBytes, 1 << 20))
    for (let done = 0; done < node.sizeBytes;) {
      const { bytesRead } = await layer.read(
        buffer,
        0,
        Math.min(buffer.length, node.sizeBytes - done),
        node.offset + done,
      )
      if (bytesRead === 0) throw new Error(`layer ${node.layer} is cut`)
      await file.appendFile(buffer.subarray(0, bytesRead))
      done += bytesRead
    }
  } finally {
    await file.close()
  }
}
