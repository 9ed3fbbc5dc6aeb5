import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline, Transform, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { runGit, spawnGit } from './git.ts'
import { FLUSH, packet } from './pktline.ts'
import type { GitRoute } from './route.ts'

/** Serves one upload-pack call: streams the request to git and its answer back. */
export function uploadPack(
  body: Readable,
  response: ServerResponse,
  path: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result', 'cache-control': 'no-cache' })
  const child = spawnGit(['upload-pack', '--stateless-rpc', path], [], env)
  response.once('close', () => !response.writableFinished && child.kill())
  body.once('error', () => child.kill())
  child.stderr.resume()
  child.stdin.on('error', () => body.resume())
  body.pipe(child.stdin)
  child.stdout.pipe(response)
  return new Promise((resolve) =>
    child.once('close', () => resolve()).once('error', () => resolve(void response.end())),
  )
}

/**
 * Answers `info/refs`. Version 2 announces only what the server can do, which is the same for every repository: it is asked once and kept,
 * so a clone, fetch or poll costs one process less.
 */
export function advertiser(): (
  route: GitRoute,
  path: string,
  response: ServerResponse,
  env: Readonly<Record<string, string>>,
) => Promise<void> {
  let version2: Promise<string> | undefined
  return async (route, path, response, env) => {
    const isVersion2 = route.service === 'git-upload-pack' && env['GIT_PROTOCOL'] === 'version=2'
    const ask = (): Promise<string> => advertise(route, path, env)
    const refs = isVersion2 ? await (version2 ??= ask()) : await ask()
    if (isVersion2 && refs === '') version2 = undefined
    if (response.destroyed) return // who left meanwhile says `close` no more
    if (refs === '') {
      response.writeHead(500).end('git could not read the repository\n')
      return
    }
    const isOver = new Promise<void>((resolve) => response.once('close', resolve))
    response
      .writeHead(200, {
        'content-type': `application/x-${route.service}-advertisement`,
        'cache-control': 'no-cache, max-age=0, must-revalidate',
      })
      .end(Buffer.concat([packet(`# service=${route.service}\n`), FLUSH, Buffer.from(refs, 'latin1')]))
    // who does not read it keeps its place: it lies in memory until then
    await isOver
  }
}

async function advertise(route: GitRoute, path: string, env: Readonly<Record<string, string>>): Promise<string> {
  const command = route.service.slice('git-'.length)
  const { code, stdout } = await runGit([command, '--stateless-rpc', '--advertise-refs', path], {
    env,
    encoding: 'latin1',
  })
  return code === 0 ? stdout : ''
}

/** The body as git wants it: unpacked, and ended beyond `maxBytes`, so that a small request cannot become a huge one and none is without an end. */
export function openBody(request: IncomingMessage, maxBytes: number): Readable {
  const encoding = request.headers['content-encoding']
  const isPacked = encoding === 'gzip' || encoding === 'x-gzip'
  let size = 0
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length
      done(size > maxBytes ? new Error('the request is too large') : null, chunk)
    },
  })
  counter.on('error', () => undefined) // whoever reads it hears of it, too
  if (isPacked) pipeline(request, createGunzip(), counter, () => undefined)
  else pipeline(request, counter, () => undefined)
  return counter
}
