import { createHash } from 'node:crypto'
import type { LookOutcome } from '../../../controllers/source.ts'
import type { Bucket } from '../../../kinds/bucket.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { S3Keys } from '../../../lib/s3/sign.ts'
import { bucketNameFault } from '../../../pipeline/source/bucket-name.ts'
import { isIgnored, readPatterns } from '../../../pipeline/source/ignore.ts'
import { cleanPath } from '../../../pipeline/source/safe-path.ts'
import { ApiError } from '../../kube/api-error.ts'
import { openBucket, type S3Bucket } from '../../s3/client.ts'
import type { EngineContext } from '../context.ts'
import { eachLimited } from '../each-limited.ts'
import { readProxy, readSecret, readTrust } from '../secrets.ts'
import { packContent } from '../source/content.ts'
import { failLook, LookFailure, stallLook } from '../source/look-failure.ts'
import { offerArtifact, offerStored } from '../source/offer-stored.ts'
import { isServed, storeArtifact } from '../source/store-artifact.ts'
import type { Unpacked } from '../source/unpack.ts'
import { type SourceFile } from '../source-store.ts'

const IGNORE_FILE = '.sourceignore'
const AT_ONCE = 10
const LARGEST_BYTES = 100 * 1024 * 1024
const MOST_OBJECTS = 100_000

/** Looks at a bucket and brings the source up to date. Never throws for what the object, its Secrets or the store have done wrong. */
export async function lookAtBucket(context: EngineContext, bucket: Bucket): Promise<LookOutcome> {
  try {
    return await look(context, bucket)
  } catch (error) {
    if (error instanceof LookFailure) return error.outcome
    if (!(error instanceof SluiceError)) throw error
    return { kind: 'failed', condition: 'FetchFailed', reason: 'BucketOperationFailed', message: error.message }
  }
}

async function look(context: EngineContext, bucket: Bucket): Promise<LookOutcome> {
  refuse(bucket)
  await offerStored(context, bucket)
  const store = await open(context, bucket)
  const index = await readIndex(store, bucket)
  const revision = indexDigest(index)
  const { artifact, status, ignore } = bucket
  const isSame = artifact?.revision === revision && isServed(context, artifact) && status['observedIgnore'] === ignore
  if (isSame) return { kind: 'unchanged', revision }
  const unpacked = await fetchAll(store, bucket, index)
  const fetched = indexDigest(index)
  const read = async ({ hash }: SourceFile): Promise<Buffer> => unpacked.bytes.get(hash) ?? Buffer.alloc(0)
  const bytes = await packContent({ files: unpacked.files, read })
  const file = `${fetched.slice(fetched.indexOf(':') + 1)}.tar.gz`
  const stored = await storeArtifact(context, bucket, { revision: fetched, file, bytes })
  await offerArtifact(context, bucket, stored, unpacked)
  const news = `stored artifact with ${index.size} fetched files from '${bucket.bucketName}' bucket`
  return { kind: 'stored', artifact: stored, news }
}

/** What this version does not do, by name. */
function refuse(bucket: Bucket): void {
  const field = unsupportedField(bucket)
  if (field === undefined) return
  const hint = 'any S3-compatible store works with provider generic and a Secret with accesskey and secretkey'
  throw stallLook('FetchFailed', 'NotSupported', `${field} is not supported by this version of sluice; ${hint}`)
}

function unsupportedField({ provider, secretName, stsProvider, serviceAccountName }: Bucket): string | undefined {
  if (provider === 'aws' && secretName === undefined) return 'spec.provider aws without spec.secretRef'
  if (provider !== 'aws' && provider !== 'generic') return `spec.provider ${provider}`
  if (stsProvider !== undefined) return 'spec.sts'
  return serviceAccountName === undefined ? undefined : 'spec.serviceAccountName'
}

async function open({ client, traps, within }: EngineContext, bucket: Bucket): Promise<S3Bucket> {
  const { namespace, certSecretName, proxySecretName, endpoint, isInsecure, region, timeoutMs, bucketName } = bucket
  if (traps === 'flux' && endpoint.includes('/'))
    throw failLook('FetchFailed', 'AuthenticationFailed', 'Endpoint url cannot have fully qualified paths.')
  try {
    const options = {
      endpoint,
      isInsecure,
      region,
      keys: await keysOf(client, bucket),
      trust: await readTrust(client, namespace, certSecretName).catch((error: unknown) => {
        const isGone = error instanceof SluiceError && error.message === `secrets "${certSecretName}" not found`
        throw naming('failed to get TLS config', isGone ? `secret '${namespace}/${certSecretName}' not found` : error)
      }),
      proxy: await readProxy(client, namespace, proxySecretName).catch((error: unknown) => {
        throw naming('failed to get proxy URL', error)
      }),
      signal: within(timeoutMs),
    }
    return openBucket(options, bucketName)
  } catch (error) {
    if (!(error instanceof SluiceError) && !(error instanceof ApiError)) throw error
    throw failLook('FetchFailed', 'AuthenticationFailed', error.message)
  }
}

/** What failed before the store was asked, in Flux's words; anything that is no fault of the object stays as it is. */
function naming(words: string, why: unknown): unknown {
  if (typeof why === 'string') return failLook('FetchFailed', 'AuthenticationFailed', `${words}: ${why}`)
  if (!(why instanceof SluiceError) && !(why instanceof ApiError)) return why
  return failLook('FetchFailed', 'AuthenticationFailed', `${words}: ${why.message}`)
}

async function keysOf(client: EngineContext['client'], bucket: Bucket): Promise<S3Keys | undefined> {
  const { namespace, secretName } = bucket
  if (secretName === undefined) return undefined
  const data = await readSecret(client, namespace, secretName).catch((error: unknown) => {
    if (!(error instanceof Error)) throw error
    throw failLook(
      'FetchFailed',
      'AuthenticationFailed',
      `failed to get secret '${namespace}/${secretName}': ${error.message}`,
    )
  })
  const [accessKey, secretKey] = [data['accesskey']?.toString('utf8'), data['secretkey']?.toString('utf8')]
  if (accessKey === undefined || secretKey === undefined)
    throw failLook(
      'FetchFailed',
      'AuthenticationFailed',
      `invalid '${secretName}' secret data: required fields 'accesskey' and 'secretkey'`,
    )
  return { accessKey, secretKey }
}

/** Key -> etag of every object that counts. */
async function readIndex(store: S3Bucket, { bucketName, prefix, ignore }: Bucket): Promise<Map<string, string>> {
  const confirming = `failed to confirm existence of '${bucketName}' bucket`
  const fault = bucketNameFault(bucketName)
  if (fault !== undefined) throw new SluiceError('S3_FAILED', `${confirming}: ${fault}`, { retry: 'backoff' })
  const exists = await within(confirming, store.exists())
  if (!exists) throw new SluiceError('S3_FAILED', `bucket '${bucketName}' not found`, { retry: 'backoff' })
  const own = await within(`failed to get Etag for '${IGNORE_FILE}' object`, store.get(IGNORE_FILE, 1024 * 1024))
  const patterns = [...readPatterns(own?.bytes.toString('utf8') ?? ''), ...readPatterns(ignore ?? '')]
  const index = new Map<string, string>()
  const collect = async (): Promise<void> => {
    for await (const { key, etag } of store.list(prefix)) {
      if (key.endsWith('/') || key === IGNORE_FILE || isIgnored(patterns, key.split('/'), false)) continue
      index.set(key, etag)
      if (index.size > MOST_OBJECTS)
        throw new SluiceError('S3_FAILED', `more than ${MOST_OBJECTS} objects`, { retry: 'backoff' })
    }
  }
  await within(`indexation of objects from bucket '${bucketName}' failed`, collect())
  return index
}

/** Puts Flux's words before a fault. */
async function within<T>(words: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    throw new SluiceError(error.code, `${words}: ${error.message}`, { retry: 'backoff', cause: error })
  }
}

/** Flux's revision of a bucket: the digest of `key etag` lines, sorted by bytes. */
export function indexDigest(index: ReadonlyMap<string, string>): string {
  const keys = [...index.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const hash = createHash('sha256')
  for (const key of keys) hash.update(`${key} ${index.get(key) ?? ''}\n`)
  return `sha256:${hash.digest('hex')}`
}

/** Fetches all objects; what disappeared meanwhile leaves the index, what changed is noted in it. */
async function fetchAll(store: S3Bucket, { bucketName }: Bucket, index: Map<string, string>): Promise<Unpacked> {
  const files = new Map<string, SourceFile>()
  const bytes = new Map<string, Buffer>()
  let left = LARGEST_BYTES
  const fetchOne = async (key: string): Promise<void> => {
    const found = await within(`failed to get '${key}' object`, store.get(key, left))
    if (!found) return void index.delete(key)
    index.set(key, found.etag)
    left -= found.bytes.length
    // A key is no path: what would leave the folder stays inside it.
    const path = cleanPath(key)
    if (path === '' || path.includes('\0')) return
    if (left < 0) throw new SluiceError('S3_FAILED', `all objects together have more than ${LARGEST_BYTES} bytes`)
    const hash = createHash('sha256').update(found.bytes).digest('hex')
    bytes.set(hash, found.bytes)
    files.set(path, { path, hash, isExecutable: false })
  }
  await within(`fetch from bucket '${bucketName}' failed`, eachLimited([...index.keys()], AT_ONCE, fetchOne))
  return { files, bytes }
}
