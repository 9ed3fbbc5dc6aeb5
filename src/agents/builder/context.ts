import { createHash } from 'node:crypto'
import { constants, createReadStream, type Stats } from 'node:fs'
import { lstat, open, readdir, readFile, readlink, realpath } from 'node:fs/promises'
import { basename, join, relative, resolve, sep } from 'node:path'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { digestOf, Hasher } from '../../lib/oci/digest.ts'
import { parseGlob } from '../../lib/dockerfile/glob.ts'
import { type Ignore, parseDockerignore } from '../../lib/dockerfile/ignore.ts'
import { type ImageStore, replaceFile } from './store.ts'

const MAX_FILES = 500_000

/** A file of the build context. */
export type ContextFile = {
  /** Relative to the context, `/` between; `` is the context itself. */
  readonly path: string
  /** Where it really is, links on the way followed. */
  readonly realPath: string
  readonly type: 'file' | 'directory' | 'symlink'
  readonly mode: number
  readonly sizeBytes: number
  readonly linkPath: string
  /** Changes whenever the content may have changed; content digests are remembered by it. */
  readonly stamp: string
}

/** The folder that a build may read, and nothing outside of it. */
export type Context = {
  readonly dir: string
  /** What a COPY source matches: files and folders themselves, sorted; a link that is named itself is followed. */
  readonly match: (source: string) => Promise<ContextFile[]>
  /** Everything below a folder, sorted, `.dockerignore` applied; links stay links. */
  readonly below: (folder: ContextFile) => Promise<ContextFile[]>
  /** The digest of a file's content. */
  readonly digest: (file: ContextFile) => Promise<string>
  /** Throws when a file is not the one whose digest was taken: then the layer must not be remembered. */
  readonly checkUnchanged: (files: readonly ContextFile[]) => Promise<void>
  /** Remembers digests for the next build. */
  readonly save: () => Promise<void>
}

/** Opens a build context. @throws SluiceError BUILD_CONTEXT when it is no folder */
export async function openContext(dir: string, dockerfile: string, store: ImageStore): Promise<Context> {
  const root = await realpath(dir).catch(() => undefined)
  if (root === undefined || !(await lstat(root)).isDirectory())
    throw new SluiceError('BUILD_CONTEXT', `unable to prepare context: path "${dir}" not found`)
  const ignore = await readIgnore(root, dockerfile)
  const digests = await openDigests(store, root)
  return {
    dir: root,
    match: (source) => matchSource(root, ignore, source),
    below: (folder) => walk(root, ignore, folder),
    digest: (file) => digests.of(file),
    checkUnchanged,
    save: () => digests.save(),
  }
}

async function readIgnore(root: string, dockerfile: string): Promise<Ignore> {
  for (const path of [`${dockerfile}.dockerignore`, join(root, '.dockerignore')]) {
    const text = await readSmall(path, basename(path))
    if (text !== undefined) return parseDockerignore(text)
  }
  return parseDockerignore('')
}

async function matchSource(root: string, ignore: Ignore, source: string): Promise<ContextFile[]> {
  const parts = source.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw outside(source)
  const isGlob = /[*?[]/.test(source)
  const paths = isGlob ? await expandGlob(root, parts) : [parts.join('/')]
  const found: ContextFile[] = []
  for (const path of paths) {
    if (path !== '' && ignore.isIgnored(path) && (isGlob || !(await isFolderWithExceptions(root, ignore, path))))
      continue
    const file = await readEntry(root, path, source, true)
    if (file) found.push(file)
  }
  return found
}

/** A left-out folder may still hold files that a `!` line lets in. */
async function isFolderWithExceptions(root: string, ignore: Ignore, path: string): Promise<boolean> {
  if (ignore.isPruned(path)) return false
  return (await lstat(join(root, path)).catch(() => undefined))?.isDirectory() ?? false
}

async function expandGlob(root: string, parts: readonly string[]): Promise<string[]> {
  let paths = ['']
  for (const part of parts) {
    const next: string[] = []
    const matches = parseGlob(part)
    for (const path of paths) {
      if (!/[*?[]/.test(part)) {
        next.push(path === '' ? part : `${path}/${part}`)
        continue
      }
      const names = await readdir(join(root, path)).catch(() => [])
      for (const name of names) if (matches.test(name)) next.push(path === '' ? name : `${path}/${name}`)
    }
    paths = next
  }
  return paths.sort()
}

async function readEntry(
  root: string,
  path: string,
  source: string,
  follow: boolean,
): Promise<ContextFile | undefined> {
  const full = join(root, path)
  const real = follow ? await realpath(full).catch(() => undefined) : full
  if (real === undefined) {
    const dangling = await lstat(full).catch(() => undefined)
    if (dangling?.isSymbolicLink()) throw new SluiceError('BUILD_CONTEXT', `"${path}" is a link that leads nowhere`)
    return undefined
  }
  if (real !== root && !real.startsWith(root + sep)) throw outside(source)
  const stats = await lstat(real).catch(() => undefined)
  return stats && describe(path, real, stats)
}

async function describe(path: string, realPath: string, stats: Stats): Promise<ContextFile> {
  const type = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'symlink'
        : undefined
  if (type === undefined)
    throw new SluiceError('BUILD_CONTEXT', `"${path}" is a socket, pipe or device: it cannot be copied into an image`, {
      hint: 'remove it, or name it in .dockerignore',
    })
  return {
    path,
    realPath,
    type,
    mode: stats.mode & 0o7777,
    sizeBytes: type === 'file' ? stats.size : 0,
    linkPath: type === 'symlink' ? await readlink(realPath) : '',
    stamp: stampOf(stats),
  }
}

function stampOf(stats: Stats): string {
  return [stats.dev, stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs].join(' ')
}

async function checkUnchanged(files: readonly ContextFile[]): Promise<void> {
  for (const { path, realPath, type, stamp } of files) {
    if (type !== 'file') continue
    const stats = await lstat(realPath).catch(() => undefined)
    if (stats === undefined || stampOf(stats) !== stamp)
      throw new SluiceError('BUILD_CONTEXT', `"${path}" changed while it was copied`, { retry: 'backoff' })
  }
}

async function walk(root: string, ignore: Ignore, top: ContextFile): Promise<ContextFile[]> {
  const found: ContextFile[] = []
  const inside = relative(root, top.realPath).split(sep).join('/')
  const visit = async (folder: string, real: string): Promise<void> => {
    const names = (await readdir(real)).sort()
    const entries = await Promise.all(
      names.map(async (name) => {
        const path = folder === '' ? name : `${folder}/${name}`
        if (ignore.isPruned(path)) return undefined
        const full = join(real, name)
        const stats = await lstat(full)
        return { path, full, stats }
      }),
    )
    for (const entry of entries) {
      if (entry === undefined) continue
      if (entry.stats.isDirectory()) {
        const before = found.length
        const isIgnored = ignore.isIgnored(entry.path)
        if (!isIgnored) found.push(await describe(entry.path, entry.full, entry.stats))
        await visit(entry.path, entry.full)
        if (isIgnored && found.length > before)
          found.splice(before, 0, await describe(entry.path, entry.full, entry.stats))
      } else if (!ignore.isIgnored(entry.path)) found.push(await describe(entry.path, entry.full, entry.stats))
      if (found.length > MAX_FILES)
        throw new SluiceError('BUILD_CONTEXT', `the build context has more than ${MAX_FILES} files`, {
          hint: 'name what the image does not need in .dockerignore',
        })
    }
  }
  await visit(inside, top.realPath)
  return found.map((file) => ({ ...file, path: join(top.path, relative(inside, file.path)) }))
}

type Digests = { readonly of: (file: ContextFile) => Promise<string>; readonly save: () => Promise<void> }

/** Content digests, remembered by inode, size and both times as git does; what changed within the last 50 ms is read again. */
async function openDigests(store: ImageStore, root: string): Promise<Digests> {
  const path = join(store.root, 'cache', `stat-${createHash('sha256').update(root).digest('hex')}`)
  const old = await readStamps(path)
  const used = new Map<string, string>()
  let changed = 0
  return {
    async of(file) {
      const known = old.get(file.stamp)
      const digest = known ?? (await digestFile(file))
      if (known === undefined) changed++
      if (known !== undefined || isSettled(file)) used.set(file.stamp, digest)
      return digest
    },
    async save() {
      if (changed === 0 && used.size <= old.size) return
      await replaceFile(store.content, path, [...used].map(([stamp, digest]) => `${digest} ${stamp}\n`).join(''))
    },
  }
}

async function readStamps(path: string): Promise<Map<string, string>> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const lines = text.split('\n').filter((line) => line !== '')
  return new Map(lines.map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]))
}

function isSettled({ stamp }: ContextFile): boolean {
  const [, , , mtimeMs = 0, ctimeMs = 0] = stamp.split(' ').map(Number)
  return Math.max(mtimeMs, ctimeMs) < Date.now() - 50
}

async function digestFile({ realPath, sizeBytes }: ContextFile): Promise<string> {
  if (sizeBytes <= 1 << 20) return digestOf(await readFile(realPath))
  const hasher = new Hasher()
  const stream = createReadStream(realPath, { highWaterMark: 1 << 20 })
  for await (const chunk of stream as AsyncIterable<Buffer>) hasher.update(chunk)
  return hasher.digest()
}

/** The Dockerfile of a build: inside the context by default, any path when given. @throws SluiceError BUILD_CONTEXT */
export async function readDockerfile(
  contextDir: string,
  dockerfile: string | undefined,
): Promise<{ readonly path: string; readonly name: string; readonly text: string }> {
  const path = resolve(contextDir, dockerfile ?? 'Dockerfile')
  const name = dockerfile ?? basename(path)
  const text = await readSmall(path, name)
  if (text !== undefined) return { path, name, text }
  throw new SluiceError('BUILD_CONTEXT', `failed to read dockerfile: open ${name}: no such file or directory`, {
    where: path,
    hint: 'name it with -f, or add a Dockerfile to the folder',
  })
}

/** A text of the context; undefined when there is none. A pipe is not waited for, nor a device read that does not end. */
async function readSmall(path: string, name: string): Promise<string | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined)
  if (file === undefined) return undefined
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new SluiceError('BUILD_CONTEXT', `${name} is no file`, { where: path })
    if (stats.size > 1 << 20) throw new SluiceError('BUILD_CONTEXT', `${name} is larger than 1 MiB`, { where: path })
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

function outside(source: string): SluiceError {
  return new SluiceError('BUILD_CONTEXT', `"${source}" leads out of the build context`, {
    hint: 'copy the file into the folder that is built; links out of it are not followed',
  })
}
