import { createReadStream, existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { basename, dirname, join, normalize, sep } from 'node:path'
import { SluiceError } from '../../lib/error/sluice-error.ts'

/** Artifacts of sources as files, served over HTTP under the paths that Flux uses. */
export type ArtifactStore = {
  /** `host:port` that stands in artifact URLs. */
  readonly host: string
  readonly urlOf: (path: string) => string
  readonly has: (path: string) => boolean
  /** Writes whole or not at all. */
  readonly write: (path: string, bytes: Buffer) => Promise<void>
  /** Keeps the named files of an object's folder and the newest besides, `keep` in all; Flux keeps two. */
  readonly collect: (path: string, keep: number) => Promise<void>
  /** Removes all artifacts of an object: the folder of `path`. False when there were none. */
  readonly removeAll: (folder: string) => Promise<boolean>
  readonly close: () => Promise<void>
}

/** Opens the store below `root` and serves it on `listen` (`host:port`, port 0 for a free one). GET and HEAD only; nothing outside `root`. */
export async function openArtifactStore(root: string, listen: string): Promise<ArtifactStore> {
  await mkdir(root, { recursive: true })
  const server = http.createServer((request, response) => void serve(root, request, response))
  const host = await listenOn(server, listen)
  const at = (path: string): string => join(root, inside(path))
  return {
    host,
    urlOf: (path) => `http://${host}/${path}`,
    has: (path) => existsSync(at(path)),
    async write(path, bytes) {
      const target = at(path)
      await mkdir(dirname(target), { recursive: true })
      const draft = `${target}.${process.pid}.tmp`
      await writeFile(draft, bytes)
      await rename(draft, target)
    },
    collect: (path, keep) => collect(at(path), keep),
    async removeAll(folder) {
      const target = at(folder)
      if (!existsSync(target)) return false
      await rm(target, { recursive: true, force: true })
      return true
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Splits `host:port` and listens; answers the address in use. */
function listenOn(server: http.Server, listen: string): Promise<string> {
  const colon = listen.lastIndexOf(':')
  const host = listen.slice(0, colon) || '127.0.0.1'
  const port = Number(listen.slice(colon + 1))
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new SluiceError('PORT_IN_USE', `something listens on ${listen} already`, {
              hint: 'choose another port, or 0 for a free one',
              cause: error,
            })
          : error,
      ),
    )
    server.listen(port, host, () => {
      const address = server.address()
      resolve(`${host}:${typeof address === 'object' && address ? address.port : port}`)
    })
  })
}

async function serve(root: string, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const refuse = (status: number): void => void response.writeHead(status).end()
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405)
  try {
    const path = join(root, inside(decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname)))
    const found = await stat(path)
    if (!found.isFile()) return refuse(404)
    response.writeHead(200, { 'content-type': 'application/gzip', 'content-length': found.size })
    if (request.method === 'HEAD') response.end()
    else createReadStream(path).pipe(response)
  } catch {
    refuse(404)
  }
}

/** A path that cannot leave the folder it is joined to. */
function inside(path: string): string {
  return normalize(`${sep}${path}`).slice(1)
}

async function collect(target: string, keep: number): Promise<void> {
  const folder = dirname(target)
  const names = (await readdir(folder)).filter((name) => name.endsWith('.tar.gz') && name !== basename(target))
  const dated = await Promise.all(names.map(async (name) => ({ name, ms: (await stat(join(folder, name))).mtimeMs })))
  dated.sort((a, b) => b.ms - a.ms)
  for (const { name } of dated.slice(keep - 1)) await rm(join(folder, name), { force: true })
}
