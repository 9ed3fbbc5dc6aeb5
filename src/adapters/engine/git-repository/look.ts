import { isDeepStrictEqual } from 'node:util'
import type { LookOutcome } from '../../../controllers/git-repository.ts'
import { observedInclude } from '../../../controllers/git-repository.ts'
import { kubeTime } from '../../../kinds/conditions.ts'
import type { ArtifactStatus, GitRepository } from '../../../kinds/git-repository.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { digestOf } from '../../../lib/oci/digest.ts'
import { parseRevision, renderRevision, shortMessage } from '../../../pipeline/source/revision.ts'
import { selectRef, type RemoteRef, type SelectedRef } from '../../../pipeline/source/select-ref.ts'
import { runGit } from '../../git/git-process.ts'
import type { Mirror } from '../../git/mirror.ts'
import { listRemoteRefs, remoteError } from '../../git/remote-refs.ts'
import { ApiError } from '../../kube/api-error.ts'
import type { EngineContext } from '../context.ts'
import { sourceKey, type SourceSnapshot } from '../source-store.ts'
import { cleanFolder, contentDigest, layOver, packContent, visibleFiles, type Content } from './files.ts'
import { loadLogin, readSecret, type Login } from './login.ts'
import { unsupportedField } from './unsupported.ts'

type Failed = Extract<LookOutcome, { kind: 'failed' }>

/** Thrown inside a look to end it with an outcome. */
class LookFailure extends Error {
  readonly outcome: Failed
  constructor(outcome: Failed) {
    super(outcome.message)
    this.outcome = outcome
  }
}

/** What a look needs besides the context. */
export type LookTools = { readonly mirrorOf: (url: string) => Mirror; readonly loginFolder: string }

/**
 * Looks at the remote and brings the source up to date: files into the source store at once, artifact written, outcome answered.
 * Never throws for what the object, its Secrets or the remote have done wrong.
 */
export async function lookAtRemote(
  context: EngineContext,
  tools: LookTools,
  repository: GitRepository,
): Promise<LookOutcome> {
  try {
    return await look(context, tools, repository)
  } catch (error) {
    if (error instanceof LookFailure) return error.outcome
    if (error instanceof SluiceError)
      return failed('FetchFailed', 'GitOperationFailed', `failed to checkout and determine revision: ${error.message}`)
    throw error
  }
}

async function look(context: EngineContext, tools: LookTools, repository: GitRepository): Promise<LookOutcome> {
  const refusal = unsupportedField(repository)
  if (refusal) throw new LookFailure({ ...refusal, kind: 'failed', condition: 'FetchFailed', isStalled: true })
  const mirror = tools.mirrorOf(repository.url)
  await offerLastRevision(context, mirror, repository)
  const login = await loginFor(context, tools, repository)
  try {
    const includes = resolveIncludes(context, repository)
    const signal = AbortSignal.timeout(repository.timeoutMs)
    const selected = await selectRemote(repository, login, signal, mirror)
    const revision = renderRevision(selected.pointer, selected.commit)
    if (isUnchanged(context, repository, revision, includes)) return { kind: 'unchanged', revision }
    await fetchCommit(mirror, repository, selected, login, signal)
    const info = await mirror.commit(selected.commit)
    await verify(context, repository, selected.commit, info.hasSignature)
    const content = await contentOf(mirror, repository, selected.commit, includes)
    context.sources.put(snapshotOf(repository, revision, content))
    const artifact = await storeArtifact(context, repository, revision, content)
    const included = includes.map(({ status }) => status)
    return { kind: 'stored', artifact, included, commitMessage: shortMessage(info.message) }
  } finally {
    await login.dispose()
  }
}

/** After a restart: what was offered last is offered again before the remote is asked, so that a dead remote stops nobody. */
async function offerLastRevision(context: EngineContext, mirror: Mirror, repository: GitRepository): Promise<void> {
  const { artifact, namespace, name } = repository
  if (artifact === undefined || context.sources.get('GitRepository', namespace, name)) return
  if (repository.include.length > 0) return
  const { hash } = parseRevision(artifact.revision)
  if (!(await mirror.has(hash))) return
  const ignore = repository.status['observedIgnore']
  const content = await visibleFiles(
    mirror,
    hash,
    typeof ignore === 'string' ? ignore : undefined,
    repository.sparseCheckout,
  )
  context.sources.put(snapshotOf(repository, artifact.revision, content))
}

async function loginFor({ client }: EngineContext, tools: LookTools, repository: GitRepository): Promise<Login> {
  try {
    return await loadLogin(client, repository, tools.loginFolder)
  } catch (error) {
    if (!(error instanceof SluiceError) && !(error instanceof ApiError)) throw error
    const of = `'${repository.namespace}/${repository.secretName}'`
    throw new LookFailure(
      failed(
        'FetchFailed',
        'AuthenticationFailed',
        `failed to get secret ${of}: failed to get secret ${of}: ${error.message}`,
      ),
    )
  }
}

type ResolvedInclude = {
  readonly snapshot: SourceSnapshot
  readonly fromPath: string
  readonly toPath: string
  readonly status: ArtifactStatus
}

function resolveIncludes({ caches, sources }: EngineContext, repository: GitRepository): readonly ResolvedInclude[] {
  if (repository.include.length === 0) return []
  const cache = caches.open({ apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository' })
  try {
    return repository.include.map(({ name, fromPath, toPath }) => {
      const object = cache.get(repository.namespace, name)
      if (!object)
        throw new LookFailure(
          failed(
            'IncludeUnavailable',
            'NotFound',
            `could not get resource for include '${name}': GitRepository.source.toolkit.fluxcd.io "${name}" not found`,
          ),
        )
      const snapshot = sources.get('GitRepository', repository.namespace, name)
      const status = (object['status'] as { artifact?: ArtifactStatus } | undefined)?.artifact
      if (!snapshot || !status)
        throw new LookFailure(failed('IncludeUnavailable', 'NoArtifact', `no artifact available for include '${name}'`))
      return { snapshot, fromPath, toPath, status }
    })
  } finally {
    cache.close()
  }
}

async function selectRemote(
  repository: GitRepository,
  login: Login,
  signal: AbortSignal,
  mirror: Mirror,
): Promise<SelectedRef> {
  const { url, ref } = repository
  if (ref.commit) return selectRef(ref, [])
  const clone = (error: SluiceError): SluiceError => remoteError(`unable to clone '${url}': ${error.message}`, error)
  let refs: readonly RemoteRef[]
  try {
    refs = url.startsWith('ssh://')
      ? await listOverSsh(url, login, signal, mirror)
      : await listRemoteRefs(url, login.http, signal)
  } catch (error) {
    throw error instanceof SluiceError ? clone(error) : error
  }
  try {
    return selectRef(ref, refs)
  } catch (error) {
    throw error instanceof SluiceError && /remote ref/.test(error.message) ? clone(error) : error
  }
}

async function listOverSsh(url: string, login: Login, signal: AbortSignal, mirror: Mirror): Promise<RemoteRef[]> {
  await mirror.has('')
  const listed = await runGit(mirror.folder, ['ls-remote', '--end-of-options', url], { ...login.git, signal })
  if (listed.code !== 0) throw remoteError(listed.stderr.trim().split('\n').at(-1) ?? 'ssh failed')
  const commits = new Map<string, string>()
  for (const line of listed.stdout.toString('utf8').split('\n')) {
    const [commit, name] = line.split('\t')
    if (commit && name) commits.set(name.replace(/\^\{\}$/, ''), commit)
  }
  return [...commits].map(([name, commit]) => ({ name, commit }))
}

function isUnchanged(
  { sources, artifacts }: EngineContext,
  repository: GitRepository,
  revision: string,
  includes: readonly ResolvedInclude[],
): boolean {
  const { artifact, namespace, name, status } = repository
  if (artifact?.revision !== revision || !artifacts.has(artifact.path)) return false
  if (artifact.url !== artifacts.urlOf(artifact.path)) return false
  if (sources.get('GitRepository', namespace, name)?.revision !== revision) return false
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

async function fetchCommit(
  mirror: Mirror,
  { url }: GitRepository,
  selected: SelectedRef,
  login: Login,
  signal: AbortSignal,
): Promise<void> {
  if (await mirror.has(selected.commit)) return
  try {
    await mirror.fetch(url, selected.commit, selected.fetch, { ...login.git, signal })
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    throw remoteError(`unable to clone '${url}': ${error.message}`, error)
  }
}

async function verify(
  { client }: EngineContext,
  { verify: wish, namespace }: GitRepository,
  commit: string,
  hasSignature: boolean,
): Promise<void> {
  if (!wish) return
  try {
    await readSecret(client, namespace, wish.secretName)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    throw new LookFailure(failed('SourceVerified', 'VerificationError', `public keys secret error: ${error.message}`))
  }
  const why = hasSignature
    ? 'checking signatures is not supported by this version of sluice; remove spec.verify to go on without'
    : 'unsupported signature type: empty'
  throw new LookFailure(
    failed('SourceVerified', 'InvalidCommitSignature', `signature verification of commit '${commit}' failed: ${why}`),
  )
}

async function contentOf(
  mirror: Mirror,
  repository: GitRepository,
  commit: string,
  includes: readonly ResolvedInclude[],
): Promise<Content> {
  const all = await mirror.files(commit)
  for (const folder of repository.sparseCheckout) {
    const clean = cleanFolder(folder)
    if (clean !== '' && !all.some(({ path }) => path.startsWith(`${clean}/`)))
      throw new LookFailure(
        failed(
          'FetchFailed',
          'GitOperationFailed',
          `failed to sparse checkout directories : sparse checkout dir '${folder}' does not exist in repository`,
        ),
      )
  }
  if (repository.recurseSubmodules && all.some(({ path }) => path === '.gitmodules'))
    throw remoteError(
      `unable to clone '${repository.url}': submodules are not supported by this version of sluice; take recurseSubmodules away to go on without them`,
    )
  const base = await visibleFiles(mirror, commit, repository.ignore, repository.sparseCheckout, all)
  return layOver(base, includes)
}

function snapshotOf({ namespace, name }: GitRepository, revision: string, content: Content): SourceSnapshot {
  return { key: sourceKey('GitRepository', namespace, name), revision, ...content, digest: contentDigest(content) }
}

async function storeArtifact(
  { artifacts, clock }: EngineContext,
  { namespace, name, artifact: before }: GitRepository,
  revision: string,
  content: Content,
): Promise<ArtifactStatus> {
  const { hash } = parseRevision(revision)
  const path = `gitrepository/${namespace}/${name}/${hash}.tar.gz`
  const bytes = await packContent(content)
  const digest = digestOf(bytes)
  await artifacts.write(path, bytes)
  await artifacts.collect(path, 2)
  const isSame = before?.digest === digest && before.revision === revision && before.path === path
  return {
    digest,
    lastUpdateTime: isSame ? before.lastUpdateTime : kubeTime(clock.nowMs()),
    path,
    revision,
    size: bytes.length,
    url: artifacts.urlOf(path),
  }
}

function failed(condition: Failed['condition'], reason: string, message: string): Failed {
  return { kind: 'failed', condition, reason, message }
}
