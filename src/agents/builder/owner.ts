import { open } from 'node:fs/promises'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { ImageStore } from './store.ts'
import { resolveInTree, type Tree } from './tree.ts'

/** A user and group by number. */
export type Ids = { readonly uid: number; readonly gid: number }

/**
 * Reads `user[:group]` of USER or --chown: numbers as they are, names from the image's own /etc/passwd and /etc/group.
 *
 * @throws SluiceError BUILD_CONTEXT when the image has no such name
 */
export async function readOwner(store: ImageStore, tree: Tree, text: string, where: string): Promise<Ids> {
  const [user = '0', group] = text.split(':')
  const passwd = await readLines(store, tree, 'etc/passwd')
  const row = passwd.find(([name, , uid]) => name === user || uid === user)
  const uid = numberOf(user) ?? numberOf(row?.[2])
  if (uid === undefined) throw missing('user', user, where)
  if (group === undefined) return { uid, gid: numberOf(user) === undefined || row ? (numberOf(row?.[3]) ?? 0) : uid }
  const known = numberOf(group)
  if (known !== undefined) return { uid, gid: known }
  const gid = numberOf((await readLines(store, tree, 'etc/group')).find(([name]) => name === group)?.[2])
  if (gid === undefined) throw missing('group', group, where)
  return { uid, gid }
}

async function readLines(store: ImageStore, tree: Tree, path: string): Promise<string[][]> {
  const text = await readTreeFile(store, tree, path)
  return (text?.toString('utf8') ?? '').split('\n').map((line) => line.split(':'))
}

/** A small file of an image (up to 1 MiB); undefined when it is not there. */
export async function readTreeFile(store: ImageStore, tree: Tree, path: string): Promise<Buffer | undefined> {
  const node = tree.get(resolveInTree(tree, path))
  if (node?.type !== 'file' || node.sizeBytes > 1 << 20) return undefined
  const file = await open(store.content.pathOf(node.layer), 'r')
  try {
    const bytes = Buffer.alloc(node.sizeBytes)
    await file.read(bytes, 0, node.sizeBytes, node.offset)
    return bytes
  } finally {
    await file.close()
  }
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined
}

function missing(what: string, name: string, where: string): SluiceError {
  return new SluiceError('BUILD_CONTEXT', `the image has no ${what} "${name}"`, {
    where,
    hint: 'write the number instead, as 1000:1000',
  })
}
