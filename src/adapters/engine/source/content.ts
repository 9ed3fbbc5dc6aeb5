import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import {
  isIgnored,
  defaultPatterns,
  readPatterns,
  vcsPatterns,
  type IgnorePattern,
} from '../../../pipeline/source/ignore.ts'
import { ARCHIVE_END, archiveEntry } from '../../../pipeline/source/archive.ts'
import { cleanPath } from '../../../pipeline/source/safe-path.ts'
import type { SourceFile, SourceSnapshot } from '../source-store.ts'

/** Files of a source, and how to read them. */
export type Content = {
  readonly files: ReadonlyMap<string, SourceFile>
  readonly read: (file: SourceFile) => Promise<Buffer>
  readonly linkOn?: (path: string) => Promise<string | undefined>
}

const PACKED_AT_ONCE = 256

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

/** A part of a source to lay over another one: what is in a folder, or one file, which is then called `toPath`. */
export type Layer = {
  readonly content: Pick<SourceSnapshot, 'files' | 'read'>
  readonly fromPath: string
  readonly toPath: string
}

/** Lays files of other sources over one; they cannot leave the folder they are meant for. */
export function layOver(base: Content, layers: readonly Layer[]): Content {
  if (layers.length === 0) return base
  const files = new Map(base.files)
  const origins = new Map<SourceFile, { readonly content: Layer['content']; readonly file: SourceFile }>()
  for (const { content, fromPath, toPath } of layers) {
    const from = cleanPath(fromPath)
    const to = cleanPath(toPath)
    for (const file of content.files.values()) {
      const isIt = file.path === from
      if (from !== '' && !isIt && !file.path.startsWith(`${from}/`)) continue
      const rest = isIt ? posix.basename(from) : from === '' ? file.path : file.path.slice(from.length + 1)
      const placed = { ...file, path: to === '' ? rest : isIt ? to : `${to}/${rest}` }
      files.set(placed.path, placed)
      origins.set(placed, { content, file })
    }
  }
  // A layer may be laid of layers itself, and knows its files as it gave them.
  const read = (placed: SourceFile): Promise<Buffer> => {
    const origin = origins.get(placed)
    return origin ? origin.content.read(origin.file) : base.read(placed)
  }
  return { ...base, files, read }
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

/**
 * Packs all files as an artifact: sorted by name, compressed lightly and beside the main thread, because one is made at every commit.
 *
 * Holds some hundred files at a time, and what they were compressed to.
 */
export async function packContent({ files, read }: Content): Promise<Buffer> {
  const sorted = [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
  return pipeline(tarOf(sorted, read), createGzip({ level: 1 }), (packed: AsyncIterable<Buffer>) => buffer(packed))
}

async function* tarOf(files: readonly SourceFile[], read: Content['read']): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < files.length; at += PACKED_AT_ONCE) {
    const part = files.slice(at, at + PACKED_AT_ONCE)
    const entries = part.map(async (file) => archiveEntry({ ...file, bytes: await read(file) }))
    yield Buffer.concat((await Promise.all(entries)).flat())
  }
  yield ARCHIVE_END
}
