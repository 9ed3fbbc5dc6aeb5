import { existsSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { hostname } from 'node:os'
import { basename, dirname, join, normalize, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { hasCode } from '../../lib/error/code-of.ts'
import { closeServer } from '../../machine/close-server.ts'
import { LATEST } from '../../controllers/source.ts'
import { listenFault } from '../../machine/listen-fault.ts'
import { isForLoopback, isLoopback } from '../../lib/net/loopback.ts'

/** Artifacts of sources as files, served over HTTP under the paths that Flux uses. */
export type ArtifactStore = {
  /** `host:port` that is listened on, with the real port. */
  readonly host: string
  /** Where others find an artifact, as its status says. */
  readonly urlOf: (path: string) => string
  readonly has: (path: string) => boolean
  /** @throws when it is not there */
  readonly read: (path: string) => Promise<Buffer>
  /** Writes whole or not at all; the newest of a folder is also found as `latest.tar.gz`. */
  readonly write: (path: string, bytes: Buffer) => Promise<void>
  /** Keeps the named files of an object's folder and the newest besides, `keep` in all; Flux keeps two. */
  readonly collect: (path: string, keep: number) => Promise<void>
  /** Removes an artifact, or the folder of an object with all of them. False when there was none. */
  readonly remove: (path: string) => Promise<boolean>
  readonly close: () => Promise<void>
}

const DEFAULT_HOST = '127.0.0.1'
const FOR_ITS_MACHINE =
  'this store is for its machine alone: ask it as 127.0.0.1 or localhost, or let --artifact-listen name an address that others reach\n'

/**
 * Opens the store below `root` and serves it on `listen` (`host:port`, port 0 for a free one). GET and HEAD only; nothing outside `root`,
 * and on loopback nothing by other names than the one that is told to others.
 *
 * @param advertised what stands in the addresses of artifacts; '' for where it listens
 */
export async function openArtifactStore(root: string, listen: string, advertised = ''): Promise<ArtifactStore> {
  await mkdir(root, { recursive: true })
  await removeDrafts(root)
  const isLocal = isLoopback((listen.slice(0, listen.lastIndexOf(':')) || DEFAULT_HOST).replace(/^\[(.*)\]$/, '$1'))
  /** As clients say it: without the port 80 of HTTP. */
  const isToldName = (name = ''): boolean => advertised !== '' && name === new URL(`http://${advertised}`).host
  const server = http.createServer((request, response) => {
    if (!isLocal || isForLoopback(request.headers.host) || isToldName(request.headers.host))
      void serve(root, request, response)
    else response.writeHead(421, { 'content-type': 'text/plain' }).end(FOR_ITS_MACHINE)
  })
  const host = await listenOn(server, listen)
  const told = advertised || reachable(host)
  const at = (path: string): string => join(root, inside(path))
  return {
    host,
    urlOf: (path) => `http://${told}/${path}`,
    has: (path) => existsSync(at(path)),
    read: (path) => readFile(at(path)),
    async write(path, bytes) {
      const target = at(path)
      await mkdir(dirname(target), { recursive: true })
      const draft = `${target}.${process.pid}.tmp`
      // a process of the same number that was killed may have left a link there, and its end would be written to
      await rm(draft, { force: true })
      await writeFile(draft, bytes)
      await rename(draft, target)
      await symlink(basename(target), draft)
      await rename(draft, join(dirname(target), LATEST))
    },
    collect: (path, keep) => collect(at(path), keep),
    async remove(path) {
      const target = at(path)
      if (!existsSync(target)) return false
      await rm(target, { recursive: true, force: true })
      return true
    },
    close: () => closeServer(server),
  }
}

/** Removes what a process that was killed had not finished. A folder that is not ours (`lost+found` of a volume) holds nothing of it. */
async function removeDrafts(folder: string): Promise<void> {
  const found = await readdir(folder, { withFileTypes: true })
  for (const one of found) {
    const path = join(folder, one.name)
    if (one.isDirectory()) await removeDrafts(path).catch(passNotOurs)
    else if (one.name.endsWith('.tmp')) await rm(path, { force: true }).catch(passNotOurs)
  }
}

function passNotOurs(error: unknown): void {
  if (!hasCode(error, 'EACCES', 'EPERM')) throw error
}

/** Nobody reaches an address that stands for all of the machine's: others find it by its name, which in a pod is `$HOSTNAME`. */
function reachable(address: string): string {
  return address.replace(/^(0\.0\.0\.0|\[?::\]?)(?=:\d+$)/, process.env['HOSTNAME'] || hostname())
}

/** Splits `host:port` and listens; answers the address in use. */
function listenOn(server: http.Server, listen: string): Promise<string> {
  const colon = listen.lastIndexOf(':')
  const host = listen.slice(0, colon) || DEFAULT_HOST
  const port = Number(listen.slice(colon + 1))
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenFault(listen, error)))
    server.listen(port, host.replace(/^\[|\]$/g, ''), () => {
      const address = server.address()
      resolve(`${host}:${typeof address === 'object' && address ? address.port : port}`)
    })
  })
}

async function serve(root: string, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const refuse = (status: number): void => void response.writeHead(status).end()
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405)
  let file: FileHandle | undefined
  try {
    const path = join(root, inside(decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname)))
    // what is looked at is what is sent: `latest.tar.gz` may be another file a moment later
    file = await open(path)
    const found = await file.stat()
    if (!found.isFile() || path.endsWith('.tmp')) return refuse(404)
    await sendFile(file, { sizeBytes: found.size, changedMs: found.mtimeMs }, request, response)
  } catch (error) {
    // what is no path leads to nothing, either; anything else may pass
    const isNothing = error instanceof TypeError || error instanceof URIError
    refuse(isNothing || hasCode(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG') ? 404 : 500)
  } finally {
    await file?.close()
  }
}

/** As Go's file server: Last-Modified, conditional requests, one range. */
async function sendFile(
  file: FileHandle,
  { sizeBytes, changedMs }: { readonly sizeBytes: number; readonly changedMs: number },
  { method, headers }: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const changed = Math.floor(changedMs / 1000) * 1000
  response.setHeader('last-modified', new Date(changed).toUTCString())
  response.setHeader('accept-ranges', 'bytes')
  if (Date.parse(headers['if-modified-since'] ?? '') >= changed) return void response.writeHead(304).end()
  const range = rangeOf(headers.range, sizeBytes)
  if (range === 'beyond') return void response.writeHead(416, { 'content-range': `bytes */${sizeBytes}` }).end()
  const { start, end } = range ?? { start: 0, end: sizeBytes - 1 }
  response.writeHead(range ? 206 : 200, {
    'content-type': 'application/gzip',
    'content-length': end - start + 1,
    ...(range ? { 'content-range': `bytes ${start}-${end}/${sizeBytes}` } : {}),
  })
  if (method === 'HEAD' || sizeBytes === 0) return void response.end()
  // who goes away half way has heard enough
  await pipeline(file.createReadStream({ start, end, autoClose: false }), response).catch(() => undefined)
}

/** A single range; several are answered with the whole, which is allowed. */
function rangeOf(text: string | undefined, sizeBytes: number): { start: number; end: number } | 'beyond' | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(text ?? '') ?? []
  if (from === '' && to === '') return undefined
  const start = from === '' ? Math.max(sizeBytes - Number(to), 0) : Number(from)
  const end = from === '' || to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1)
  return start > end ? 'beyond' : { start, end }
}

/** A path that cannot leave the folder it is joined to. */
function inside(path: string): string {
  return normalize(`${sep}${path}`).slice(1)
}

async function collect(target: string, keep: number): Promise<void> {
  const folder = dirname(target)
  const names = (await readdir(folder)).filter(
    (name) => ![basename(target), LATEST].includes(name) && !name.endsWith('.tmp'),
  )
  const dated = await Promise.all(names.map(async (name) => ({ name, ms: (await stat(join(folder, name))).mtimeMs })))
  dated.sort((a, b) => b.ms - a.ms)
  for (const { name } of dated.slice(keep - 1)) await rm(join(folder, name), { force: true })
}
