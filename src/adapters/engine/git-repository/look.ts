import { isDeepStrictEqual } from 'node:util'
import { observedInclude } from '../../../controllers/git-repository.ts'
import type { FailedProgress, LookOutcome } from '../../../controllers/source.ts'
import type { GitRef, GitRepository } from '../../../kinds/git-repository.ts'
import type { ArtifactStatus } from '../../../kinds/source.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { parseRevision, renderRevision, shortMessage } from '../../../pipeline/source/revision.ts'
import type { SelectedRef } from '../../../pipeline/source/select-ref.ts'
import type { Mirror } from '../../git/mirror.ts'
import { ApiError } from '../../kube/api-error.ts'
import type { EngineContext } from '../context.ts'
import type { MirrorOf } from '../mirrors.ts'
import { contentDigest, packContent, type Content, type Layer } from '../source/content.ts'
import type { SecretData } from '../secrets.ts'
import { failLook, LookFailure, stallLook } from '../source/look-failure.ts'
import { offerStored } from '../source/offer-stored.ts'
import { isServed, storeArtifact } from '../source/store-artifact.ts'
import { sourceKey, type SourceSnapshot } from '../source-store.ts'
import { contentOf } from './content.ts'
import { loadLogin, type Login } from './login.ts'
import { isLocked } from '../../../lib/ssh/files.ts'
import { fetchCommit, listRefs, selectRemote, type Remote } from './remote.ts'
import { submodulesWith } from './submodules.ts'
import { appFault, NO_APPS, unsupportedField } from './unsupported.ts'
import { verifySource } from './verify.ts'
import { offerSnapshot } from '../source/offer-snapshot.ts'

/** How far a look came before it failed. */
type LookProgress = { -readonly [Key in keyof FailedProgress]: FailedProgress[Key] }

/** What a look needs besides the context. */
export type LookTools = { readonly mirrorOf: MirrorOf; readonly loginFolder: string }

/**
 * Looks at the remote and brings the source up to date: files into the source store at once, artifact written, outcome answered.
 * Never throws for what the object, its Secrets or the remote have done wrong.
 */
export async function lookAtRemote(
  context: EngineContext,
  tools: LookTools,
  repository: GitRepository,
): Promise<LookOutcome> {
  const progress: LookProgress = {}
  try {
    return await look(context, tools, repository, progress)
  } catch (error) {
    if (!(error instanceof LookFailure) && !(error instanceof SluiceError)) throw error
    if (!isUnasked(error)) await offerLastRevision(context, tools.mirrorOf(repository.url, repository), repository)
    if (error instanceof LookFailure) return { ...error.outcome, ...progress }
    const message = `failed to checkout and determine revision: ${error.message}`
    return { kind: 'failed', condition: 'FetchFailed', reason: 'GitOperationFailed', message, ...progress }
  }
}

/** What it includes was not at hand yet: the next look asks the remote. */
function isUnasked(error: LookFailure | SluiceError): boolean {
  return error instanceof LookFailure && error.outcome.condition === 'IncludeUnavailable'
}

async function look(
  context: EngineContext,
  tools: LookTools,
  repository: GitRepository,
  progress: LookProgress,
): Promise<LookOutcome> {
  const refusal = unsupportedField(repository, context.traps)
  if (refusal) throw stallLook('FetchFailed', refusal.reason, refusal.message)
  const mirror = tools.mirrorOf(repository.url, repository)
  const signal = context.within(repository.timeoutMs)
  const login = await loginFor(context, tools, repository)
  try {
    const includes = resolveIncludes(context, repository)
    progress.includesDiffer = haveOtherRevisions(repository, includes)
    const { url, ref, artifact } = repository
    const { traps } = context
    const remote: Remote = { url, ref, isKnown: artifact !== undefined, login, mirror, signal, traps }
    if (traps === 'flux' && ref.name === 'HEAD' && !ref.commit) await refuseHead(remote)
    const selected = await selectRemote(remote)
    const revision = renderRevision(selected.pointer, selected.commit)
    progress.revision = revision
    if (revision === artifact?.revision) await offerLastRevision(context, mirror, repository)
    const isSame = isUnchanged(context, repository, revision, includes)
    if (isSame && !needsVerification(context, repository)) {
      const isBriefly = !isCloned(repository.ref)
      return {
        ...(await unchanged(remote, selected, revision)),
        isBriefly,
        keepsVerified: isBriefly && traps === 'flux',
      }
    }
    await fetchCommit(remote, selected)
    await fetchTag(remote, repository, selected)
    const content = isSame ? undefined : await bring(context, tools, remote, repository, selected, includes)
    const verified = await verifySource(context.client, repository, selected, mirror)
    if (!content) return { ...(await unchanged(remote, selected, revision)), ...(verified ? { verified } : {}) }
    const stored = await store(context, repository, revision, content, includes)
    const news = await newsOf(mirror, selected)
    return { ...stored, news, ...(verified ? { verified } : {}) }
  } finally {
    await login.dispose()
  }
}

/** Of a version or a commit Flux knows the message also when nothing is new. */
async function unchanged({ ref, mirror }: Remote, selected: SelectedRef, revision: string) {
  const isKnown = isCloned(ref) && (await mirror.has(selected.commit))
  return { kind: 'unchanged', revision, ...(isKnown ? { news: await newsOf(mirror, selected) } : {}) } as const
}

/** A version or a commit Flux clones without asking first whether it is new. */
function isCloned({ commit, name, semver }: GitRef): boolean {
  return commit !== undefined || (name === undefined && semver !== undefined)
}

async function newsOf(mirror: Mirror, { commit }: SelectedRef): Promise<string> {
  return `stored artifact for commit '${shortMessage((await mirror.commit(commit)).message)}'`
}

/** Flux takes HEAD for a ref with a commit of its own; what a remote lists is the name of a branch. */
async function refuseHead(remote: Remote): Promise<never> {
  await listRefs(remote)
  throw new SluiceError(
    'GIT_REF_NOT_FOUND',
    `unable to resolve commit object for '${'0'.repeat(40)}': object not found`,
  )
}

/**
 * After a restart: what was offered last is offered again where the remote still has it, or cannot be asked, so that a dead remote stops nobody.
 * Never before that: what a crash kept from the status may be newer, and applied already.
 */
async function offerLastRevision(context: EngineContext, mirror: Mirror, repository: GitRepository): Promise<void> {
  const { artifact, namespace, name, status } = repository
  if (artifact === undefined || context.sources.get('GitRepository', namespace, name)) return
  const { hash } = parseRevision(artifact.revision)
  // The artifact has what other repositories gave to it, which is not at hand otherwise yet.
  const isOwn = repository.include.length === 0 && status['observedRecurseSubmodules'] !== true
  if (!isOwn || !(await mirror.has(hash))) return offerStored(context, repository)
  const ignore = status['observedIgnore']
  const wish = { ...repository, recurseSubmodules: false, ignore: typeof ignore === 'string' ? ignore : undefined }
  const content = await contentOf(mirror, hash, wish, {
    submodules: async () => [],
    includes: [],
    traps: context.traps,
  })
  context.sources.put(snapshotOf(repository, artifact.revision, content))
}

async function loginFor({ client }: EngineContext, tools: LookTools, repository: GitRepository): Promise<Login> {
  try {
    return await loadLogin(client, repository, tools.loginFolder, (data) => refuseSecret(repository, data))
  } catch (error) {
    if (!(error instanceof SluiceError) && !(error instanceof ApiError)) throw error
    if (error instanceof SluiceError && error.code === 'GIT_REMOTE') throw error
    throw failLook('FetchFailed', 'AuthenticationFailed', loginFault(repository, error))
  }
}

function refuseSecret(repository: GitRepository, data: SecretData): void {
  const { url, namespace, secretName } = repository
  if (url.startsWith('ssh://') && !data['password']?.length && isLocked(data['identity']?.toString('utf8') ?? ''))
    throw failLook(
      'FetchFailed',
      'AuthenticationFailed',
      `SSH identity key is encrypted but no 'password' field was provided in the secret '${namespace}/${secretName}'`,
    )
  const fault = appFault(repository, data)
  if (fault !== undefined) throw failLook('FetchFailed', 'InvalidProviderConfiguration', fault)
  if (repository.provider === 'github') throw stallLook('FetchFailed', NO_APPS.reason, NO_APPS.message)
}

function loginFault({ namespace, secretName, proxySecretName }: GitRepository, error: SluiceError | ApiError): string {
  if (error instanceof SluiceError && error.code === 'GIT_AUTH')
    return `failed to configure authentication options: ${error.message}`
  if (proxySecretName !== undefined && error.message.startsWith(`secret '${namespace}/${proxySecretName}'`))
    return `failed to configure proxy options: ${error.message}`
  const of = `'${namespace}/${secretName}'`
  return `failed to get secret ${of}: failed to get secret ${of}: ${error.message}`
}

type ResolvedInclude = Layer & { readonly name: string; readonly status: ArtifactStatus }

function resolveIncludes({ caches, sources }: EngineContext, repository: GitRepository): readonly ResolvedInclude[] {
  if (repository.include.length === 0) return []
  const cache = caches.open({ apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository' })
  try {
    return repository.include.map(({ name, fromPath, toPath }) => {
      const object = cache.get(repository.namespace, name)
      if (!object)
        throw failLook(
          'IncludeUnavailable',
          'NotFound',
          `could not get resource for include '${name}': GitRepository.source.toolkit.fluxcd.io "${name}" not found`,
        )
      const content = sources.get('GitRepository', repository.namespace, name)
      const status = (object['status'] as { artifact?: ArtifactStatus } | undefined)?.artifact
      if (!content || !status)
        throw failLook('IncludeUnavailable', 'NoArtifact', `no artifact available for include '${name}'`)
      return { name, content, fromPath, toPath, status }
    })
  } finally {
    cache.close()
  }
}

function haveOtherRevisions({ status }: GitRepository, includes: readonly ResolvedInclude[]): boolean {
  const before = (status['includedArtifacts'] ?? []) as readonly ArtifactStatus[]
  const isKnown = (include: ResolvedInclude): boolean =>
    before.some(({ revision }) => revision === include.status.revision)
  return before.length !== includes.length || !includes.every(isKnown)
}

function isUnchanged(
  context: EngineContext,
  repository: GitRepository,
  revision: string,
  includes: readonly ResolvedInclude[],
): boolean {
  const { artifact, namespace, name, status } = repository
  if (artifact?.revision !== revision || !isServed(context, artifact)) return false
  if (context.sources.get('GitRepository', namespace, name)?.revision !== revision) return false
  const included = (status['includedArtifacts'] ?? []) as readonly ArtifactStatus[]
  return (
    status['observedIgnore'] === repository.ignore &&
    isDeepStrictEqual(status['observedInclude'] ?? [], observedInclude(repository)) &&
    isDeepStrictEqual(status['observedSparseCheckout'] ?? [], repository.sparseCheckout) &&
    (status['observedRecurseSubmodules'] === true) === repository.recurseSubmodules &&
    isDeepStrictEqual(
      included.map(({ digest }) => digest),
      includes.map((include) => include.status.digest),
    )
  )
}

/** Safe, signatures are checked at every look: a key may have been taken away. Flux checks a revision once for each mode. */
function needsVerification({ traps }: EngineContext, { verify, status }: GitRepository): boolean {
  if (!verify) return false
  const observed = status['sourceVerificationMode']
  return traps === 'safe' || observed === undefined || (observed !== verify.mode && observed !== 'TagAndHEAD')
}

async function fetchTag(remote: Remote, { verify }: GitRepository, { tag }: SelectedRef): Promise<void> {
  if (!verify || verify.mode === 'HEAD' || tag?.hash === undefined) return
  await remote.mirror.fetchTag(remote.url, tag.name, tag.hash, { ...remote.login.git, signal: remote.signal })
}

function bring(
  context: EngineContext,
  tools: LookTools,
  { mirror, login, signal }: Remote,
  repository: GitRepository,
  selected: SelectedRef,
  includes: readonly ResolvedInclude[],
): Promise<Content> {
  const { traps } = context
  const submodules = submodulesWith(tools.mirrorOf, { repository, login, signal, traps })
  return contentOf(mirror, selected.commit, repository, { submodules, includes, traps })
}

async function store(
  context: EngineContext,
  repository: GitRepository,
  revision: string,
  content: Content,
  includes: readonly ResolvedInclude[],
) {
  offerSnapshot(context, snapshotOf(repository, revision, content), repository.artifact?.revision)
  const file = `${parseRevision(revision).hash}.tar.gz`
  const artifact = await storeArtifact(context, repository, { revision, file, bytes: await packContent(content) })
  return { kind: 'stored', artifact, included: includes.map(({ status }) => status) } as const
}

function snapshotOf({ namespace, name }: GitRepository, revision: string, content: Content): SourceSnapshot {
  return { key: sourceKey('GitRepository', namespace, name), revision, ...content, digest: contentDigest(content) }
}
