import { createHash } from 'node:crypto'
import {
  isIgnored,
  defaultPatterns,
  readPatterns,
  vcsPatterns,
  type IgnorePattern,
} from '../../../pipeline/source/ignore.ts'
import { packArchive } from '../../../pipeline/source/archive.ts'
import { cleanPath } from '../../../pipeline/source/safe-path.ts'
import type { SourceFile, SourceSnapshot } from '../source-store.ts'

/** Files of a source, and how to read them. */
export type Content = {
  readonly files: ReadonlyMap<string, SourceFile>
  readonly read: (file: SourceFile) => Promise<Buffer>
  readonly linkOn?: (path: string) => Promise<string | undefined>
}

/** What is left after `.sourceignore` files and `spec.ignore` have spoken; without any word Flux's own list counts. */
export async function withoutIgnored(content: Content, ignore: string | undefined): Promise<Content> {
  const patterns = await ignorePatterns(content, ignore)
  const files = new Map<string, SourceFile>()
  for (const [path, file] of content.files) if (!isIgnored(patterns, path.split('/'), false)) files.set(path, file)
  return { ...content, files }
}

async function ignorePatterns({ files, read }: Content, ignore: string | undefined): Promise<IgnorePattern[]> {
  const found: IgnorePattern[] = []
  for (const [path, file] of files) {
    if (path !== '.sourceignore' && !path.endsWith('/.sourceignore')) continue
    found.push(...readPatterns((await read(file)).toString('utf8'), path.split('/').slice(0, -1)))
  }
  if (ignore !== undefined) found.push(...readPatterns(ignore))
  return found.length > 0 ? [...vcsPatterns(), ...found] : [...vcsPatterns(), ...defaultPatterns()]
}

/** A part of a source to lay over another one. */
export type Layer = {
  readonly content: Pick<SourceSnapshot, 'files' | 'read'>
  readonly fromPath: string
  readonly toPath: string
}

/** Lays files of other sources over one; they cannot leave the folder they are meant for. */
export function layOver(base: Content, layers: readonly Layer[]): Content {
  if (layers.length === 0) return base
  const files = new Map(base.files)
  const readers = new Map<SourceFile, Layer['content']>()
  for (const { content, fromPath, toPath } of layers) {
    const from = cleanPath(fromPath)
    const to = cleanPath(toPath)
    for (const file of content.files.values()) {
      if (from !== '' && !file.path.startsWith(`${from}/`)) continue
      const rest = from === '' ? file.path : file.path.slice(from.length + 1)
      const placed = { ...file, path: to === '' ? rest : `${to}/${rest}` }
      files.set(placed.path, placed)
      readers.set(placed, content)
    }
  }
  return { ...base, files, read: (file) => readers.get(file)?.read(file) ?? base.read(file) }
}

/** One digest for all files: equal digests mean equal content, names and modes. */
export function contentDigest({ files }: Pick<Content, 'files'>): string {
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
