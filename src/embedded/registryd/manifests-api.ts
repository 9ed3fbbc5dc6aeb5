import type { IncomingMessage, ServerResponse } from 'node:http'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { digestOf, parseDigest } from '../../lib/oci/digest.ts'
import { LIMITS } from '../../lib/oci/limits.ts'
import { parseManifest } from '../../lib/oci/manifest.ts'
import { isRepositoryName, isTag } from '../../lib/oci/reference.ts'
import type { Descriptor, Manifest } from '../../lib/oci/types.ts'
import { Refusal, sendEmpty } from './answer.ts'
import { digestFrom } from './blobs-api.ts'
import type { Change, ManifestEntry } from './catalog.ts'
import { partsOf } from './collector.ts'
import type { Registry } from './registry.ts'

/** GET and HEAD of `/v2/<name>/manifests/<tag or digest>`; from memory, whatever the number of tags. */
export function answerManifest(
  { store }: Registry,
  request: IncomingMessage,
  response: ServerResponse,
  repository: string,
  version: string,
): void | Promise<void> {
  const entry = findManifest({ store }, repository, version)
  if (request.method === 'HEAD') return send(response, entry, undefined)
  const bytes = store.readManifest(entry.digest)
  if (!('then' in bytes)) return send(response, entry, bytes)
  return bytes.then((found) => {
    if (found === undefined)
      throw new Refusal(404, 'MANIFEST_UNKNOWN', `manifest ${entry.digest} is lost or damaged on disk: push it again`)
    send(response, entry, found)
  })
}

/** PUT of a manifest under a tag or digest, more tags by `?tag=`; checked whole before anything is visible. */
export async function putManifest(
  registry: Registry,
  request: IncomingMessage,
  response: ServerResponse,
  repository: string,
  version: string,
  query: URLSearchParams,
): Promise<void> {
  if (!isRepositoryName(repository)) throw new Refusal(400, 'NAME_INVALID', `"${repository}" is no repository name`)
  const byDigest = version.includes(':') ? digestFrom(version) : undefined
  const tags = [...(byDigest ? [] : [version]), ...query.getAll('tag')]
  for (const tag of tags) if (!isTag(tag)) throw new Refusal(400, 'MANIFEST_INVALID', `"${tag}" is no tag`)
  const bytes = await readBody(request)
  const digest = digestOf(bytes, byDigest?.algorithm)
  if (byDigest && digest !== byDigest.text)
    throw new Refusal(400, 'DIGEST_INVALID', `the manifest is ${digest}, not ${byDigest.text}`)
  const manifest = readManifest(bytes, request.headers['content-type'], `${repository}:${version}`)
  const { store } = registry
  const parts = partsOf(manifest).map((part) => part.digest)
  const releases = [digest, ...parts].map(store.hold)
  try {
    await checkParts(registry, repository, manifest)
    await store.keepBytes(bytes, digest)
    for (const each of [digest, ...parts]) store.countOn(each)
    const entry = entryOf(manifest, digest, bytes.length)
    await store.commit([
      { do: 'manifest', in: repository, entry },
      ...tags.map((tag): Change => ({ do: 'tag', in: repository, tag, digest })),
    ])
  } finally {
    for (const release of releases) release()
  }
  sendEmpty(response, 201, {
    location: `/v2/${repository}/manifests/${byDigest ? digest : version}`,
    'docker-content-digest': digest,
    ...(manifest.subject ? { 'oci-subject': manifest.subject.digest } : {}),
    ...(query.has('tag') ? { 'oci-tag': query.getAll('tag') } : {}),
  })
  const event = { repository, digest, mediaType: manifest.mediaType }
  for (const tag of tags.length === 0 ? [undefined] : tags) registry.report({ ...event, tag })
}

/**
 * DELETE of a tag (the manifest stays), or of a manifest with all its tags, and with what it alone refers to.
 *
 * With `If-Unmodified-Since` it is refused (412) when somebody has pushed the manifest, or an index that names it, since then.
 */
export async function deleteManifest(
  registry: Registry,
  request: IncomingMessage,
  response: ServerResponse,
  repository: string,
  version: string,
): Promise<void> {
  const { store } = registry
  const { digest, mediaType } = findManifest(registry, repository, version)
  const isDigest = version.includes(':')
  const since = request.headers['if-unmodified-since']
  const countedOnMs = since === undefined ? 0 : ((await store.countedOnMs(digest)) ?? 0)
  if (since !== undefined && (!(countedOnMs < Date.parse(since)) || store.isAwaited(digest)))
    throw new Refusal(
      412,
      'DENIED',
      `${repository}@${digest} was pushed since ${since}, or is used by what is pushed now`,
    )
  const tags = isDigest ? store.catalog.tagsOf(repository, digest) : [version]
  if (isDigest) registry.leaving.add(digest)
  try {
    await store.commit([
      ...tags.map((tag): Change => ({ do: 'drop-tag', in: repository, tag })),
      ...(isDigest ? [{ do: 'drop-manifest', in: repository, digest } as const] : []),
    ])
  } finally {
    registry.leaving.delete(digest)
  }
  await store.sweep(digest)
  sendEmpty(response, 202, {})
  if (isDigest) registry.collector.wake()
  const event = { repository, digest, mediaType, deleted: true }
  for (const tag of isDigest && tags.length === 0 ? [undefined] : tags) registry.report({ ...event, tag })
}

function findManifest({ store }: Pick<Registry, 'store'>, repository: string, version: string): ManifestEntry {
  const { catalog } = store
  const digest = version.includes(':') ? digestFrom(version).text : catalog.digestOfTag(repository, version)
  const entry = digest === undefined ? undefined : catalog.manifest(repository, digest)
  if (entry) return entry
  throw catalog.has(repository)
    ? new Refusal(404, 'MANIFEST_UNKNOWN', `${repository} has no manifest "${version.slice(0, 200)}"`)
    : new Refusal(404, 'NAME_UNKNOWN', `there is no repository "${repository.slice(0, 300)}"`)
}

function send(response: ServerResponse, entry: ManifestEntry, bytes: Buffer | undefined): void {
  response.writeHead(200, {
    'content-type': entry.mediaType,
    'content-length': entry.size,
    'docker-content-digest': entry.digest,
    etag: `"${entry.digest}"`,
  })
  if (bytes) response.end(bytes)
  else response.end()
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > LIMITS.manifestBytes)
      throw new Refusal(413, 'SIZE_INVALID', `a manifest may have ${LIMITS.manifestBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, sizeBytes)
}

function readManifest(bytes: Buffer, declared: string | undefined, where: string): Manifest {
  try {
    return parseManifest(bytes, declared?.split(';')[0]?.trim(), where)
  } catch (error) {
    if (error instanceof SluiceError) throw new Refusal(400, 'MANIFEST_INVALID', error.message)
    throw error
  }
}

/** Everything that the manifest points to must be in the repository, and as large as it says. Subjects may come later. */
async function checkParts({ store, leaving }: Registry, repository: string, manifest: Manifest): Promise<void> {
  const check = async (part: Descriptor, isThere: boolean): Promise<void> => {
    const sizeBytes = isThere ? await store.sizeOf(part.digest) : undefined
    if (sizeBytes === undefined)
      throw new Refusal(404, 'MANIFEST_BLOB_UNKNOWN', `${repository} has no ${part.digest}: push it first`)
    if (sizeBytes !== part.size)
      throw new Refusal(400, 'SIZE_INVALID', `${part.digest} has ${sizeBytes} bytes, the manifest says ${part.size}`)
  }
  if (manifest.kind === 'index') {
    for (const part of manifest.manifests)
      await check(part, !leaving.has(part.digest) && store.catalog.manifest(repository, part.digest) !== undefined)
    return
  }
  const own = manifest.layers.filter(({ mediaType }) => !/nondistributable|\.foreign\./.test(mediaType))
  for (const part of [manifest.config, ...own]) await check(part, store.catalog.hasBlob(repository, part.digest))
}

function entryOf(manifest: Manifest, digest: string, size: number): ManifestEntry {
  const artifactType = manifest.artifactType ?? (manifest.kind === 'image' ? manifest.config.mediaType : undefined)
  return {
    digest,
    mediaType: manifest.mediaType,
    size,
    ...(manifest.subject && parseDigest(manifest.subject.digest) ? { subject: manifest.subject.digest } : {}),
    ...(manifest.subject && artifactType !== undefined ? { artifactType } : {}),
    ...(manifest.subject && manifest.annotations ? { annotations: manifest.annotations } : {}),
  }
}
