import type { Controller } from '../../../engine/controller.ts'
import {
  decideExternalArtifact,
  type ExternalArtifactChange,
  type ExternalArtifactSeen,
} from '../../../controllers/external-artifact.ts'
import { parseFluxMeta } from '../../../kinds/flux-object.ts'
import { parseArtifact, type ArtifactStatus } from '../../../kinds/source.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { read } from '../../../lib/kube/read.ts'
import { digestOf, parseDigest } from '../../../lib/oci/digest.ts'
import { fetchFile } from '../../net/guarded-file.ts'
import type { Reach } from '../../net/reach.ts'
import type { EngineContext } from '../context.ts'
import { openArchiveSnapshot } from '../source/archive-snapshot.ts'
import { ORIGIN_REVISION } from '../source/offer-stored.ts'
import { sourceKey } from '../source-store.ts'
import { keyOf } from '../status-writer.ts'

const LARGEST_BYTES = 100 * 1024 * 1024
const FETCH_MS = 60_000
/** Everywhere but where clouds keep the keys of their machines, whatever name leads there. */
const REACH: Reach = { scope: 'any', ownPorts: () => [] }

/** The controller of ExternalArtifacts: another controller writes them, we fetch what they offer, once a digest. */
export function externalArtifactController(
  context: EngineContext,
): Controller<ExternalArtifactSeen, ExternalArtifactChange, string> {
  const cache = context.caches.open({ apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'ExternalArtifact' })
  const failures = new Map<string, { count: number; message: string }>()
  const offered = new Map<string, string>()
  return {
    kind: 'ExternalArtifact',
    concurrency: 4,
    async watch(wake) {
      cache.onChange((object) => wake.now(keyOf(object)))
      await cache.ready
      for (const object of cache.list()) wake.now(keyOf(object))
    },
    async observe(key) {
      const object = cache.get(...split(key))
      if (!object) {
        context.sources.remove(`ExternalArtifact/${key}`)
        failures.delete(key)
        offered.delete(key)
        await context.artifacts.remove(folderOf(key))
        return undefined
      }
      const failed = failures.get(key)
      return {
        artifact: parseArtifact(read(object, 'status', 'artifact')),
        offeredDigest: offered.get(key),
        ...(failed ? { failed } : {}),
      }
    },
    decide: decideExternalArtifact,
    async act([change], _seen, key) {
      if (change === 'withdraw') {
        context.sources.remove(`ExternalArtifact/${key}`)
        offered.delete(key)
      }
      if (change === undefined || change === 'withdraw') return
      try {
        await bring(context, key, change)
        offered.set(key, change.digest)
        failures.delete(key)
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error
        failures.set(key, { count: (failures.get(key)?.count ?? 0) + 1, message: error.message })
      }
    },
    async settle(message, _seen, key) {
      const failed = failures.get(key)
      // Told; the next look tries again.
      if (failed) failures.set(key, { ...failed, message: '' })
      const object = cache.get(...split(key))
      if (object && message !== '') tellFailure(context, object, message)
    },
    close: () => cache.close(),
  }
}

function tellFailure(context: EngineContext, object: KubeObject, message: string): void {
  const { apiVersion, kind, namespace, name, uid, resourceVersion } = parseFluxMeta(object)
  context.tell({
    object: { apiVersion, kind, namespace, name, uid, resourceVersion },
    severity: 'error',
    reason: 'ArtifactFailed',
    message,
    controller: 'source-controller',
    atMs: context.clock.nowMs(),
  })
}

function split(key: string): [string, string] {
  const slash = key.indexOf('/')
  return [key.slice(0, slash), key.slice(slash + 1)]
}

/** Where what it offers is kept. */
function folderOf(key: string): string {
  return `externalartifact/${key}`
}

async function bring(
  context: EngineContext,
  key: string,
  { url, digest, revision, metadata }: ArtifactStatus,
): Promise<void> {
  const bytes = await download(context, url)
  if (digestOf(bytes, parseDigest(digest)?.algorithm) !== digest)
    throw new SluiceError('DIGEST_MISMATCH', `the artifact at ${url} is not what its digest says`, { retry: 'backoff' })
  const path = `${folderOf(key)}/${digest.replace(':', '-')}.tar.gz`
  await context.artifacts.write(path, bytes)
  await context.artifacts.collect(path, 2)
  const of = { key: sourceKey('ExternalArtifact', ...split(key)), revision, path }
  const originRevision = metadata?.[ORIGIN_REVISION]
  context.sources.put(await openArchiveSnapshot(context, { ...of, originRevision }))
}

async function download({ within }: EngineContext, address: string): Promise<Buffer> {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new SluiceError('OBJECT_INVALID', `"${address.slice(0, 200)}" is no address of an artifact`, {
      where: 'status.artifact.url',
      retry: 'backoff',
    })
  const { status, bytes } = await fetchFile(url.href, {
    ...{ reach: REACH, timeoutMs: FETCH_MS, within, mostBytes: LARGEST_BYTES },
  })
  if (status === 200) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  throw new SluiceError('S3_FAILED', `failed to download artifact from ${url.href}: status ${status}`, {
    retry: 'backoff',
  })
}
