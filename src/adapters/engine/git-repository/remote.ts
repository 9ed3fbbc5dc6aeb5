import type { GitRepository } from '../../../kinds/git-repository.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { selectRef, type RemoteRef, type SelectedRef } from '../../../pipeline/source/select-ref.ts'
import { runGit } from '../../git/git-process.ts'
import type { Mirror } from '../../git/mirror.ts'
import { listRemoteRefs, peelRefs, remoteError } from '../../git/remote-refs.ts'
import { maskPassword, parseGitUrl } from '../../git/url.ts'
import { failLook } from '../source/look-failure.ts'
import type { Login } from './login.ts'

/** A repository to ask, and how. */
export type Remote = {
  readonly url: string
  readonly ref: GitRepository['ref']
  /** Something was offered from it already: then Flux asks before it clones, and says so in its errors. */
  readonly isKnown: boolean
  readonly login: Login
  readonly mirror: Mirror
  readonly signal: AbortSignal
  readonly traps: 'safe' | 'flux'
}

/**
 * Finds the commit that `spec.ref` asks for.
 *
 * @throws SluiceError GIT_REMOTE, GIT_REF_NOT_FOUND, GIT_BAD_RANGE with Flux's words; LookFailure for an empty repository
 */
export async function selectRemote(remote: Remote): Promise<SelectedRef> {
  const { ref } = remote
  if (ref.commit && !ref.branch) return selectRef(ref, [])
  const refs = await listRefs(remote)
  if (ref.commit) {
    selectFrom(remote, { branch: ref.branch ?? '' }, refs)
    return selectRef(ref, [])
  }
  const selected = selectFrom(remote, ref, refs)
  return selected.rivals ? youngest(remote, [selected, ...selected.rivals]) : selected
}

/** The refs of the remote, with Flux's words around a fault. */
export async function listRefs(remote: Remote): Promise<readonly RemoteRef[]> {
  try {
    const refs = remote.url.startsWith('ssh://')
      ? await listOverSsh(remote)
      : await listRemoteRefs(remote.url, remote.login.http, remote.signal, remote.traps)
    if (refs.length > 0) return refs
  } catch (error) {
    throw error instanceof SluiceError ? around(remote, error.message, error) : error
  }
  throw emptyRemote(remote)
}

/** With something known, or a ref by its name, Flux lists before it clones. */
function around(remote: Remote, message: string, cause?: SluiceError): SluiceError {
  const { ref, isKnown } = remote
  const lists = ref.name !== undefined || (isKnown && !ref.semver && !ref.commit)
  return remoteError(`unable to ${lists ? 'list remote for' : 'clone'} '${shownUrl(remote)}': ${message}`, cause)
}

/** The address as a message names it: Flux tells its password, too, and Alerts carry it out of the cluster. */
function shownUrl({ url, traps }: Pick<Remote, 'url' | 'traps'>): string {
  return traps === 'flux' ? url : maskPassword(url)
}

function emptyRemote(remote: Remote): Error {
  const { ref } = remote
  if (ref.name !== undefined) return around(remote, 'remote repository is empty')
  if (ref.semver || ref.tag || ref.commit)
    return remoteError(`unable to clone: remote repository is empty: git repository: '${shownUrl(remote)}'`)
  return failLook('FetchFailed', 'EmptyGitRepository', 'git repository is empty')
}

/** Picks from refs that were listed; Flux's words for what is not there. */
export function selectFrom(remote: Remote, ref: GitRepository['ref'], refs: readonly RemoteRef[]): SelectedRef {
  try {
    return selectRef(ref, refs)
  } catch (error) {
    if (!(error instanceof SluiceError) || !/remote ref/.test(error.message)) throw error
    throw remoteError(`unable to clone '${shownUrl(remote)}': ${error.message}`, error)
  }
}

/** Of versions that differ by build metadata alone the one whose commit is the youngest. */
async function youngest(remote: Remote, rivals: readonly SelectedRef[]): Promise<SelectedRef> {
  const dated = []
  for (const rival of rivals) {
    await fetchCommit(remote, rival)
    dated.push({ rival, atMs: (await remote.mirror.commit(rival.commit)).committedAtMs })
  }
  const [first = dated[0], ...others] = dated
  const best = others.reduce((found, one) => (found && one.atMs <= found.atMs ? found : one), first)
  return best?.rival ?? selectRef(remote.ref, [])
}

async function listOverSsh({ url, login, signal, mirror }: Remote): Promise<RemoteRef[]> {
  await mirror.has('')
  const listed = await runGit(mirror.folder, ['ls-remote', '--end-of-options', parseGitUrl(url).url], {
    ...login.git,
    signal,
  })
  if (listed.code !== 0) throw remoteError(sshFault(listed.stderr))
  const lines = listed.stdout.toString('utf8').split('\n')
  return peelRefs(
    lines.flatMap((line) => {
      const [hash, name] = line.split('\t')
      return hash && name ? [{ name, hash }] : []
    }),
  )
}

/** How hosts say over SSH that there is no such repository, for Go's library as for us. */
const NO_REPOSITORY =
  /does not appear to be a git repository|Repository not found\.|repository does not exist\.|no such repository|Repository does not exist or you do not have access|The project you were looking for could not be found/

/** What ssh said, in the words of Go's library; git itself only adds that it could not read. */
function sshFault(stderr: string): string {
  if (/Host key .*has changed|REMOTE HOST IDENTIFICATION HAS CHANGED/.test(stderr))
    return 'ssh: handshake failed: knownhosts: key mismatch'
  if (/Host key verification failed|host key is known for/.test(stderr))
    return 'ssh: handshake failed: knownhosts: key is unknown'
  if (/Permission denied/.test(stderr))
    return 'ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain'
  if (NO_REPOSITORY.test(stderr)) return 'repository not found'
  const lines = stderr.split('\n').map((line) => line.trim())
  const telling = lines.find((line) => /^(ssh:|kex_|Connection)/.test(line))
  return telling ?? lines.find((line) => line.startsWith('fatal:')) ?? 'ssh failed'
}

/** Brings the selected commit into the mirror, unless it is there. */
export async function fetchCommit(remote: Remote, selected: SelectedRef): Promise<void> {
  const { mirror, url, login, signal, ref } = remote
  const options = { ...login.git, signal }
  const { branch = '', commit } = ref
  try {
    // A host may give any commit by its hash, one of a fork included: the branch that is named beside it must lead to it.
    if (commit && branch !== '' && !(await mirror.isOnBranch(url, commit, branch, options)))
      throw remoteError('no such ref')
    if (await mirror.has(selected.commit)) return
    await mirror.fetch(url, selected.commit, selected.fetch, options)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    if (ref.commit && /not our ref|unadvertised object|no such ref|couldn't find remote ref/i.test(error.message))
      throw remoteError(`unable to resolve commit object for '${ref.commit}': object not found`, error)
    throw remoteError(`unable to clone '${shownUrl(remote)}': ${error.message}`, error)
  }
}
