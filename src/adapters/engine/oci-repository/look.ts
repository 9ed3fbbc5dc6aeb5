import { isDeepStrictEqual } from 'node:util'
import type { LookOutcome } from '../../../controllers/source.ts'
import type { OciRepository } from '../../../kinds/oci-repository.ts'
import type { ArtifactStatus } from '../../../kinds/source.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { parseManifest } from '../../../lib/oci/manifest.ts'
import type { Repository } from '../../../lib/oci/reference.ts'
import type { ImageManifest } from '../../../lib/oci/types.ts'
import { ApiError } from '../../kube/api-error.ts'
import type { RegistryClient } from '../../registry/client.ts'
import type { EngineContext } from '../context.ts'
import type { Registries } from '../registries.ts'
import { requestLine } from '../registry-fault.ts'
import { packContent, withoutIgnored } from '../source/content.ts'
import { failLook, LookFailure, stallLook } from '../source/look-failure.ts'
import { offerArtifact, offerStored, ORIGIN_REVISION } from '../source/offer-stored.ts'
import { isServed, storeArtifact } from '../source/store-artifact.ts'
import { unpackArchive, type Unpacked } from '../source/unpack.ts'
import { readLayer } from './layer.ts'
import { repositoryOf, selectArtifact, type SelectedArtifact } from './select.ts'
import { verifyArtifact } from './verify.ts'

const ORIGIN_SOURCE = 'org.opencontainers.image.source'

/** Looks at the registry and brings the source up to date. Never throws for what the object, its Secrets or the registry have done wrong. */
export async function lookAtRegistry(
  context: EngineContext,
  registries: Registries,
  source: OciRepository,
): Promise<LookOutcome> {
  try {
    return await look(context, registries, source)
  } catch (error) {
    return failureOf(error, source)
  }
}

function failureOf(error: unknown, { url }: OciRepository): Extract<LookOutcome, { kind: 'failed' }> {
  if (error instanceof LookFailure) return error.outcome
  const isTimeout = error instanceof Error && /abort|timeout/i.test(error.name)
  if (!(error instanceof SluiceError) && !isTimeout) throw error
  const why = isTimeout ? 'context deadline exceeded' : error.message
  const message = `failed to pull artifact from '${url}': ${why}`
  return { kind: 'failed', condition: 'FetchFailed', reason: 'OCIArtifactPullFailed', message }
}

async function look(context: EngineContext, registries: Registries, source: OciRepository): Promise<LookOutcome> {
  refuseClouds(source)
  await offerStored(context, source)
  const repository = repositoryOf(source.url, context.traps)
  const client = await clientFor(context, registries, source, repository)
  const signal = context.within(source.timeoutMs)
  const selected = await selectArtifact(client, source, repository, signal)
  try {
    return await take(context, source, { client, repository, signal, ...selected })
  } catch (error) {
    if (source.artifact?.revision === selected.revision) throw error
    return {
      ...failureOf(error, source),
      upstream: `new revision '${selected.revision}' for '${refOf(repository, selected)}'`,
    }
  }
}

/** The artifact that was asked for, as Go's library writes it. */
function refOf({ host, repository }: Repository, { digest, revision }: SelectedArtifact): string {
  const tag = revision === digest ? `@${digest}` : `:${revision.slice(0, revision.indexOf('@'))}`
  return `${host}/${repository}${tag}`
}

type Found = SelectedArtifact & {
  readonly client: RegistryClient
  readonly repository: Repository
  readonly signal: AbortSignal
}

/** Verifies what was selected, and stores it unless it is stored. */
async function take(
  context: EngineContext,
  source: OciRepository,
  { client, repository, signal, digest, revision }: Found,
): Promise<LookOutcome> {
  const isSame = isUnchanged(context, source, revision)
  const verified = needsVerification(context, source, isSame)
    ? await verifyArtifact(context.client, client, source, { repository, digest, revision }, signal)
    : undefined
  if (isSame) return { kind: 'unchanged', revision, ...newsAgain(source), ...(verified ? { verified } : {}) }
  const manifest = await readManifest(client, source, repository, digest, signal)
  const layer = await readLayer(client, source, repository, manifest, signal)
  const artifact = await store(context, source, { revision, digest, layer, annotations: manifest.annotations })
  return { kind: 'stored', artifact, news: newsOf(source, artifact), ...(verified ? { verified } : {}) }
}

function refuseClouds({ provider, secretName, serviceAccountName }: OciRepository): void {
  if (provider === 'generic' || secretName !== undefined || serviceAccountName !== undefined) return
  const message = `spec.provider ${provider} without spec.secretRef is not supported by this version of sluice; name a Secret with a login`
  throw stallLook('FetchFailed', 'NotSupported', message)
}

async function clientFor(
  context: EngineContext,
  registries: Registries,
  source: OciRepository,
  repository: Repository,
): Promise<RegistryClient> {
  try {
    return await registries.clientFor(source, repository)
  } catch (error) {
    if (!(error instanceof SluiceError) && !(error instanceof ApiError)) throw error
    const of = `'${source.namespace}/${source.secretName ?? ''}'`
    const isSecret = source.secretName !== undefined && error.message === `secrets "${source.secretName}" not found`
    const why = isSecret ? `failed to get secret ${of}: ${error.message}` : error.message
    if (isSecret && context.traps === 'flux') tellMissing(context, source)
    const step = stepOf(error, source)
    throw failLook('FetchFailed', 'AuthenticationFailed', step ?? `failed to get credential: ${why}`)
  }
}

/** Flux tells of a Secret that is not there twice: of the Secret, and of the login that failed. */
function tellMissing({ tell, clock }: EngineContext, source: OciRepository): void {
  const { apiVersion, kind, namespace, name, uid, resourceVersion, secretName } = source
  tell({
    object: { apiVersion, kind, namespace, name, uid, resourceVersion },
    severity: 'trace',
    reason: 'AuthenticationFailed',
    message: `auth secret '${secretName}' not found`,
    controller: 'source-controller',
    atMs: clock.nowMs(),
  })
}

/** A fault of the proxy or the certificates, which are looked at before the login. */
function stepOf(error: SluiceError | ApiError, source: OciRepository): string | undefined {
  const { namespace, url, certSecretName, proxySecretName } = source
  if (proxySecretName !== undefined && error.message.startsWith(`secret '${namespace}/${proxySecretName}'`))
    return `failed to get proxy address: ${error.message}`
  const isOfTrust = error instanceof SluiceError && error.where === 'spec.certSecretRef'
  const isGone = certSecretName !== undefined && error.message === `secrets "${certSecretName}" not found`
  if (!isOfTrust && !isGone) return undefined
  const why = isGone ? `secret '${namespace}/${certSecretName}' not found` : error.message
  return `failed to generate transport for '${url}': ${why}`
}

function isUnchanged(context: EngineContext, source: OciRepository, revision: string): boolean {
  const { artifact, status, ignore, layerSelector } = source
  if (artifact?.revision !== revision || !isServed(context, artifact)) return false
  return status['observedIgnore'] === ignore && isDeepStrictEqual(status['observedLayerSelector'], layerSelector)
}

/** Safe, signatures are checked at every look: a key may have been taken away. Flux checks new revisions and a changed object. */
function needsVerification({ traps }: EngineContext, source: OciRepository, isSame: boolean): boolean {
  if (!source.verify) return false
  const before = source.conditions.find(({ type }) => type === 'SourceVerified')
  return traps === 'safe' || !isSame || before?.status !== 'True' || before.observedGeneration !== source.generation
}

async function readManifest(
  client: RegistryClient,
  { url, isInsecure }: OciRepository,
  repository: Repository,
  digest: string,
  signal: AbortSignal,
): Promise<ImageManifest> {
  const found = await client.getManifest(repository, digest, { signal })
  if (!found) {
    const scheme = client.schemeOf(repository.host)
    const asked = requestLine({ ...repository, path: `manifests/${digest}` }, { isInsecure, scheme })
    const why = `MANIFEST_UNKNOWN: manifest unknown; map[Name:${repository.repository} Revision:${digest}]`
    throw failLook('FetchFailed', 'OCIArtifactPullFailed', `failed to pull artifact from '${url}': ${asked}: ${why}`)
  }
  const manifest = parseManifest(found.bytes, found.mediaType, url)
  if (manifest.kind === 'image') return manifest
  throw failLook('FetchFailed', 'OCIArtifactLayerOperationFailed', 'failed to parse artifact manifest: it is an index')
}

type Draft = {
  readonly revision: string
  readonly digest: string
  readonly layer: Buffer
  readonly annotations: ImageManifest['annotations']
}

async function store(
  context: EngineContext,
  source: OciRepository,
  { revision, digest, layer, annotations }: Draft,
): Promise<ArtifactStatus> {
  const draft = { revision, file: `${digest}.tar.gz`, metadata: annotations }
  if (source.layerSelector?.operation === 'copy') {
    const artifact = await storeArtifact(context, source, { ...draft, bytes: layer })
    await offerArtifact(context, source, artifact)
    return artifact
  }
  const unpacked = await unpack(layer, source.url, context.traps)
  const read = async ({ hash }: { readonly hash: string }): Promise<Buffer> =>
    unpacked.bytes.get(hash) ?? Buffer.alloc(0)
  const content = await withoutIgnored({ files: unpacked.files, read }, source.ignore)
  const artifact = await storeArtifact(context, source, { ...draft, bytes: await packContent(content) })
  await offerArtifact(context, source, artifact, { ...unpacked, files: content.files })
  return artifact
}

/** Safe, an archive need not be zipped. */
async function unpack(layer: Buffer, url: string, traps: 'safe' | 'flux'): Promise<Unpacked> {
  try {
    if (traps === 'flux') checkZipped(layer)
    return await unpackArchive(layer, url)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const message = `failed to extract layer contents from artifact: ${error.message}`
    throw failLook('FetchFailed', 'OCIArtifactLayerOperationFailed', message)
  }
}

/** In the words of Go's library, for which less than a header is an end that comes too early. */
function checkZipped(layer: Buffer): void {
  const why =
    layer.length < 10 ? 'unexpected EOF' : layer.readUInt16BE(0) === 0x1f8b ? undefined : 'gzip: invalid header'
  if (why !== undefined) throw new SluiceError('TAR_INVALID', `requires gzip-compressed body: ${why}`)
}

function newsAgain(source: OciRepository): { readonly news?: string } {
  return source.artifact ? { news: newsOf(source, source.artifact) } : {}
}

function newsOf({ url }: OciRepository, { revision, metadata }: ArtifactStatus): string {
  const [from, origin] = [metadata?.[ORIGIN_SOURCE], metadata?.[ORIGIN_REVISION]]
  const more = from && origin ? `, origin source '${from}', origin revision '${origin}'` : ''
  return `stored artifact with revision '${revision}' from '${url}'${more}`
}
