import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Repository } from '../../lib/oci/reference.ts'
import { expectStatus, nameOf } from './expect-status.ts'
import { addressIn } from './endpoint.ts'
import { discard } from './http.ts'
import type { Session } from './session.ts'

/** A blob to push: `open` may be called more than once. */
export type BlobSource = {
  readonly digest: string
  readonly sizeBytes: number
  readonly open: () => Readable
  /** A repository of the same registry that has the blob already. */
  readonly mountFrom?: string
  /** Send in pieces of this size instead of one request, for registries behind proxies that limit a body. */
  readonly chunkBytes?: number
  /** Reads `[from, to)`; needed with `chunkBytes`. */
  readonly openRange?: (from: number, to: number) => Readable
}

/** Sends a blob unless the registry has it: HEAD, then mount, then POST and PUT (or PATCHes). */
export async function pushBlob(
  session: Session,
  of: Repository,
  source: BlobSource,
  signal: AbortSignal | undefined,
): Promise<'present' | 'mounted' | 'pushed'> {
  const scope = `repository:${of.repository}:pull,push`
  const path = `${of.repository}/blobs/${source.digest}`
  const head = await session.ask({ method: 'HEAD', path, scope, signal })
  discard(head)
  if (head.statusCode === 200) return 'present'
  const mount = source.mountFrom
  const query = mount === undefined ? '' : `?${new URLSearchParams({ mount: source.digest, from: mount })}`
  const started = await session.ask({
    method: 'POST',
    path: `${of.repository}/blobs/uploads/${query}`,
    scope,
    headers: { 'content-length': 0 },
    signal,
  })
  if (started.statusCode === 201) {
    discard(started)
    return 'mounted'
  }
  const what = `push of ${nameOf(of)}@${source.digest}`
  await expectStatus(started, [202], what)
  discard(started)
  const location = locationOf(started, session, what)
  const chunkBytes = source.chunkBytes
  const last =
    chunkBytes !== undefined && source.openRange !== undefined && source.sizeBytes > chunkBytes
      ? await sendChunks(session, { location, scope, what, signal }, source, chunkBytes, source.openRange)
      : location
  await finish(session, { location: last, scope, what, signal }, source, last === location)
  return 'pushed'
}

type Upload = {
  readonly location: URL
  readonly scope: string
  readonly what: string
  readonly signal: AbortSignal | undefined
}

async function sendChunks(
  session: Session,
  upload: Upload,
  source: BlobSource,
  chunkBytes: number,
  openRange: (from: number, to: number) => Readable,
): Promise<URL> {
  let location = upload.location
  for (let from = 0; from < source.sizeBytes; from += chunkBytes) {
    const to = Math.min(from + chunkBytes, source.sizeBytes)
    const answer = await session.ask({
      method: 'PATCH',
      path: location,
      scope: upload.scope,
      headers: { 'content-type': 'application/octet-stream', 'content-range': `${from}-${to - 1}` },
      body: () => ({ stream: openRange(from, to), sizeBytes: to - from }),
      signal: upload.signal,
    })
    await expectStatus(answer, [202], upload.what)
    discard(answer)
    location = locationOf(answer, session, upload.what)
  }
  return location
}

async function finish(session: Session, upload: Upload, source: BlobSource, isWhole: boolean): Promise<void> {
  const url = new URL(upload.location)
  url.searchParams.set('digest', source.digest)
  const answer = await session.ask({
    method: 'PUT',
    path: url,
    scope: upload.scope,
    headers: { 'content-type': 'application/octet-stream', ...(isWhole ? {} : { 'content-length': 0 }) },
    ...(isWhole ? { body: () => ({ stream: source.open(), sizeBytes: source.sizeBytes }) } : {}),
    signal: upload.signal,
  })
  await expectStatus(answer, [201], upload.what)
  discard(answer)
}

function locationOf(answer: IncomingMessage, session: Session, what: string): URL {
  const { location } = answer.headers
  if (location === undefined)
    throw new SluiceError('REGISTRY_REFUSED', `${what}: the registry names no place to upload to`, { retry: 'backoff' })
  return addressIn(location, session.endpoint.base, session.endpoint)
}
