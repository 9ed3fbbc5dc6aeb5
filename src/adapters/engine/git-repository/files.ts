import { createHash } from 'node:crypto'
import {
  isIgnored,
  defaultPatterns,
  readPatterns,
  vcsPatterns,
  type IgnorePattern,
} from '../../../pipeline/source/ignore.ts'
import { packArchive } from '../../../pipeline/source/archive.ts'
import type { Mirror, TreeFile } from '../../git/mirror.ts'
import type { SourceFile, SourceSnapshot } from '../source-store.ts'

/** Files of a commit, and how to read them. */
export type Content = {
  readonly files: ReadonlyMap<string, SourceFile>
  readonly read: (file: SourceFile) => Promise<Buffer>
  readonly linkOn: (path: string) => Promise<string | undefined>
}

/** What a commit offers after `.sourceignore` files and `spec.ignore` have spoken. */
export async function visibleFiles(
  mirror: Mirror,
  commit: string,
  ignore: string | undefined,
  sparse: readonly string[],
  known?: readonly TreeFile[],
): Promise<Content> {
  const all = known ?? (await mirror.files(commit))
  const listed = sparse.length === 0 ? all : all.filter(({ path }) => isInside(path, sparse))
  const patterns = await ignorePatterns(mirror, listed, ignore)
  const files = new Map<string, SourceFile>()
  for (const file of listed) if (!isIgnored(patterns, file.path.split('/'), false)) files.set(file.path, file)
  return { files, read: (file) => mirror.blob(file.hash), linkOn: (path) => mirror.linkOn(commit, path) }
}

/** Sparse folders as Flux takes them: relative to the root, never out of it. Files at the root are always there, as in git's cone mode. */
function isInside(path: string, sparse: readonly string[]): boolean {
  if (!path.includes('/')) return true
  return sparse.some((folder) => path.startsWith(`${cleanFolder(folder)}/`) || cleanFolder(folder) === '')
}

/** `./a/b/` -> `a/b`; `..` at the start goes nowhere. */
export function cleanFolder(folder: string): string {
  const parts: string[] = []
  for (const part of folder.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

async function ignorePatterns(
  mirror: Mirror,
  files: readonly TreeFile[],
  ignore: string | undefined,
): Promise<IgnorePattern[]> {
  const found: IgnorePattern[] = []
  for (const file of files) {
    if (file.path !== '.sourceignore' && !file.path.endsWith('/.sourceignore')) continue
    const domain = file.path.split('/').slice(0, -1)
    found.push(...readPatterns((await mirror.blob(file.hash)).toString('utf8'), domain))
  }
  if (ignore !== undefined) found.push(...readPatterns(ignore))
  return found.length > 0 ? [...vcsPatterns(), ...found] : [...vcsPatterns(), ...defaultPatterns()]
}

/** Lays the files of included repositories over the including one's. */
export function layOver(
  base: Content,
  includes: readonly { readonly snapshot: SourceSnapshot; readonly fromPath: string; readonly toPath: string }[],
): Content {
  if (includes.length === 0) return base
  const files = new Map(base.files)
  const readers = new Map<SourceFile, SourceSnapshot>()
  for (const { snapshot, fromPath, toPath } of includes) {
    const from = cleanFolder(fromPath)
    for (const file of snapshot.files.values()) {
      if (from !== '' && !file.path.startsWith(`${from}/`)) continue
      const path = `${cleanFolder(toPath)}/${from === '' ? file.path : file.path.slice(from.length + 1)}`
      const placed = { ...file, path }
      files.set(path, placed)
      readers.set(placed, snapshot)
    }
  }
  return { ...base, files, read: (file) => readers.get(file)?.read(file) ?? base.read(file) }
}

/** One digest for all files: equal digests mean equal content, names and modes. */
export function contentDigest({ files }: Content): string {
  const hash = createHash('sha256')
  for (const path of [...files.keys()].sort()) {
    const file = files.get(path)
    hash.update(`${path}\0${file?.hash ?? ''}${file?.isExecutable ? 'x' : '-'}\n`)
  }
  return `sha256:${hash.digest('hex')}`
}

/** Packs all files as an artifact. */
export async function packContent({ files, read }: Content): Promise<Buffer> {
  const loaded = await Promise.all(
    [...files.values()].map(async (file) => ({
      path: file.path,
      bytes: await read(file),
      isExecutable: file.isExecutable,
    })),
  )
  return packArchive(loaded)
}
