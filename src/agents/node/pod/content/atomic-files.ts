import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { hasCode } from '../../../../lib/error/code-of.ts'
import { removeEntry } from '../../remove-entry.ts'

/** A file of a volume; its path lies inside. */
export type VolumeFile = { readonly path: string; readonly content: Buffer; readonly mode: number }

const DATA = '..data'
/** What a group may do with what the API fills: read files, enter folders; new ones belong to it, too. */
const GROUP_FILE = 0o440
const GROUP_FOLDER = 0o2550

/**
 * Shows files in a folder so that a reader sees all of the old ones or all of the new ones: they lie in a folder of their own, to which `..data`
 * points, and every name points through it. Nothing is touched when nothing changed.
 *
 * @param group who may read them besides their owner, by the pod's fsGroup
 * @see k8s.io/kubernetes/pkg/volume/util/atomic_writer.go
 */
export function showFiles(folder: string, files: readonly VolumeFile[], group: number | undefined): void {
  const wanted = files.map((file) => (group === undefined ? file : { ...file, mode: file.mode | GROUP_FILE }))
  const link = join(folder, DATA)
  const before = lstatSync(link, { throwIfNoEntry: false }) ? readlinkSync(link) : undefined
  const names = new Set(wanted.map(({ path }) => path.split('/')[0] ?? ''))
  // who was killed in the middle may have come no further than to `..data`
  if (before !== undefined && isShown(join(folder, before), wanted)) return linkNames(folder, names)
  for (const left of readdirSync(folder))
    if (left.startsWith('..') && left !== DATA && left !== before) removeEntry(join(folder, left))
  const name = `..${new Date().toISOString().replace(/[-:T]/g, '_').slice(0, 19)}.${randomBytes(4).toString('hex')}`
  const fresh = join(folder, name)
  makeFolder(fresh, group)
  for (const { path, content, mode } of wanted) {
    makeParents(fresh, path, group)
    const file = join(fresh, path)
    writeFileSync(file, content)
    give(file, group)
    chmodSync(file, mode)
  }
  symlinkSync(name, `${link}_tmp`)
  renameSync(`${link}_tmp`, link)
  linkNames(folder, names)
  if (before !== undefined) rmSync(join(folder, before), { recursive: true, force: true })
}

/** Gives a file or folder to a group, where this process may. */
export function give(path: string, group: number | undefined): void {
  if (group === undefined) return
  try {
    lchownSync(path, lstatSync(path).uid, group)
  } catch (error) {
    // who is not root has one id only, and its pods, too: everything is theirs already
    if (!hasCode(error, 'EPERM')) throw error
  }
}

function isShown(folder: string, files: readonly VolumeFile[]): boolean {
  const there = filesBelow(folder)
  return (
    there.length === files.length &&
    files.every(({ path, content, mode }) => {
      const file = join(folder, path)
      const stats = lstatSync(file, { throwIfNoEntry: false })
      return stats?.isFile() === true && (stats.mode & 0o777) === mode && readFileSync(file).equals(content)
    })
  )
}

function filesBelow(folder: string): string[] {
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)],
  )
}

function makeParents(root: string, path: string, group: number | undefined): void {
  const parent = dirname(path)
  if (parent === '.' || lstatSync(join(root, parent), { throwIfNoEntry: false })) return
  makeParents(root, parent, group)
  makeFolder(join(root, parent), group)
}

function makeFolder(path: string, group: number | undefined): void {
  mkdirSync(path)
  give(path, group)
  chmodSync(path, group === undefined ? 0o755 : 0o755 | GROUP_FOLDER)
}

/** Every name of the volume points through `..data`; those that are no more go. */
function linkNames(folder: string, names: ReadonlySet<string>): void {
  for (const name of names)
    if (!lstatSync(join(folder, name), { throwIfNoEntry: false })) symlinkSync(`${DATA}/${name}`, join(folder, name))
  for (const name of readdirSync(folder))
    if (!name.startsWith('..') && !names.has(name)) removeEntry(join(folder, name))
}
