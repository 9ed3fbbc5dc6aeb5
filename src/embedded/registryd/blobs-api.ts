import { createReadStream } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { type Digest, parseDigest } from '../../lib/oci/digest.ts'
import { isRepositoryName } from '../../lib/oci/reference.ts'
import { Refusal, sendEmpty } from './answer.ts'
import type { Registry } from './registry.ts'
import { rangeOf } from './uploads.ts'

/** GET, HEAD and DELETE of `/v2/<name>/blobs/<digest>`. */
export async function answerBlob(
  registry: Registry,
  request: IncomingMessage,
  response: ServerResponse,
  repository: string,
  digestText: string,
): Promise<void> {
  const digest = digestFrom(digestText)
  const { store } = registry
  if (!store.catalog.hasBlob(repository, digest.text) && !store.catalog.manifest(repository, digest.text))
    throw unknownBlob(repository, digest.text)
  if (request.method === 'HEAD') store.countOn(digest.text)
  if (request.method === 'DELETE') {
    await store.commit([{ do: 'drop-blob', in: repository, digest: digest.text }])
    await store.sweep(digest.text)
    return sendEmpty(response, 202, {})
  }
  const sizeBytes = await store.sizeOf(digest.text)
  if (sizeBytes === undefined) throw unknownBlob(repository, digest.text)
  const range = parseRange(request.headers.range, sizeBytes)
  if (range === 'none')
    throw new Refusal(416, 'SIZE_INVALID', `the blob has ${sizeBytes} bytes`, {
      'content-range': `bytes */${sizeBytes}`,
    })
  const { from, to } = range ?? { from: 0, to: sizeBytes - 1 }
  response.writeHead(range ? 206 : 200, {
    'content-type': 'application/octet-stream',
    'content-length': to - from + 1,
    'docker-content-digest': digest.text,
    etag: `"${digest.text}"`,
    'accept-ranges': 'bytes',
    'cache-control': 'max-age=31536000',
    ...(range ? { 'content-range': `bytes ${from}-${to}/${sizeBytes}` } : {}),
  })
  if (request.method === 'HEAD' || sizeBytes === 0) return void response.end()
  const file = createReadStream(store.pathOf(digest.text), { start: from, end: to, highWaterMark: 1 << 18 })
  await pipeline(file, response)
}

/** POST of `/v2/<name>/blobs/uploads/`: starts an upload, mounts a blob, or takes it in one request. */
export async function startUpload(
  registry: Registry,
  request: IncomingMessage,
  response: ServerResponse,
  repository: string,
  query: URLSearchParams,
): Promise<void> {
  if (!isRepositoryName(repository)) throw new Refusal(400, 'NAME_INVALID', `"${repository}" is no repository name`)
  const mount = query.get('mount')
  if (mount !== null && (await mountBlob(registry, repository, digestFrom(mount), query.get('from'))))
    return sendCreated(response, repository, mount)
  const id = registry.uploads.start(repository)
  const digest = query.get('digest')
  if (digest !== null) {
    const wanted = digestFrom(digest)
    await registry.uploads.append(repository, id, request)
    return finishUpload(registry, response, repository, id, wanted)
  }
  sendEmpty(response, 202, {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    'docker-upload-uuid': id,
    range: rangeOf(0),
  })
}

/** GET, PATCH, PUT and DELETE of `/v2/<name>/blobs/uploads/<id>`. */
export async function answerUpload(
  registry: Registry,
  request: IncomingMessage,
  response: ServerResponse,
  repository: string,
  id: string,
  query: URLSearchParams,
): Promise<void> {
  const { uploads } = registry
  const place = { location: `/v2/${repository}/blobs/uploads/${id}`, 'docker-upload-uuid': id }
  switch (request.method) {
    case 'GET':
      return sendEmpty(response, 204, { ...place, range: rangeOf(await uploads.offsetOf(repository, id)) })
    case 'DELETE':
      await uploads.cancel(repository, id)
      return sendEmpty(response, 204, {})
    case 'PATCH': {
      const sizeBytes = await uploads.append(repository, id, request, startOf(request))
      return sendEmpty(response, 202, { ...place, range: rangeOf(sizeBytes) })
    }
    case 'PUT': {
      const digest = digestFrom(query.get('digest') ?? '')
      await uploads.append(repository, id, request, startOf(request))
      return finishUpload(registry, response, repository, id, digest)
    }
    default:
      throw new Refusal(405, 'UNSUPPORTED', `${request.method} is not for uploads`)
  }
}

async function mountBlob(
  { store }: Registry,
  repository: string,
  digest: Digest,
  from: string | null,
): Promise<boolean> {
  const release = store.hold(digest.text)
  try {
    const holder = from === null ? store.catalog.holderOf(digest.text) : from
    if (holder === undefined || !store.catalog.hasBlob(holder, digest.text)) return false
    store.countOn(digest.text)
    await store.commit([{ do: 'blob', in: repository, digest: digest.text }])
    return true
  } finally {
    release()
  }
}

async function finishUpload(
  { store, uploads }: Registry,
  response: ServerResponse,
  repository: string,
  id: string,
  digest: Digest,
): Promise<void> {
  const release = store.hold(digest.text)
  try {
    await uploads.finish(repository, id, digest)
    await store.commit([{ do: 'blob', in: repository, digest: digest.text }])
  } finally {
    release()
  }
  sendCreated(response, repository, digest.text)
}

function sendCreated(response: ServerResponse, repository: string, digest: string): void {
  sendEmpty(response, 201, { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest })
}

function startOf(request: IncomingMessage): number | undefined {
  const text = request.headers['content-range']
  if (text === undefined) return undefined
  const found = /^(?:bytes )?(\d+)-(\d+)(?:\/.*)?$/.exec(text)
  if (!found) throw new Refusal(400, 'BLOB_UPLOAD_INVALID', `"${text}" is no range: write FROM-TO`)
  const length = Number(found[2]) - Number(found[1]) + 1
  const announced = request.headers['content-length']
  if (announced !== undefined && Number(announced) !== length)
    throw new Refusal(400, 'SIZE_INVALID', `Content-Range says ${length} bytes, Content-Length ${announced}`)
  return Number(found[1])
}

/** `none` when the range lies outside; undefined when the whole is meant (no header, several ranges, other units). */
function parseRange(
  header: string | undefined,
  sizeBytes: number,
): { readonly from: number; readonly to: number } | 'none' | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (!found || (found[1] === '' && found[2] === '')) return undefined
  if (found[1] === '') {
    const length = Math.min(Number(found[2]), sizeBytes)
    return length === 0 ? 'none' : { from: sizeBytes - length, to: sizeBytes - 1 }
  }
  const from = Number(found[1])
  const to = found[2] === '' ? sizeBytes - 1 : Math.min(Number(found[2]), sizeBytes - 1)
  return from >= sizeBytes || to < from ? 'none' : { from, to }
}

/** Reads a digest of a request. @throws Refusal 400 DIGEST_INVALID */
export function digestFrom(text: string): Digest {
  const digest = parseDigest(text)
  if (digest === undefined)
    throw new Refusal(400, 'DIGEST_INVALID', `"${text.slice(0, 200)}" is no sha256 or sha512 digest`)
  return digest
}

function unknownBlob(repository: string, digest: string): Refusal {
  return new Refusal(404, 'BLOB_UNKNOWN', `${repository} has no blob ${digest}`)
}
