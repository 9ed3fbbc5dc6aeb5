import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { isSafePath } from '../../pipeline/source/safe-path.ts'
import { openObjectReader, type GitObject, type ObjectReader } from './cat-file.ts'
import { removeStaleLocks } from './stale-locks.ts'
import { runGit, type GitOptions } from './git-process.ts'
import { remoteError } from './remote-refs.ts'
import { tidyMirror } from './tidy-mirror.ts'
import { parseGitUrl } from './url.ts'

/** A file of a commit; the engine sees regular files only, as Flux's artifacts do (no symlinks, no submodules). */
export type TreeFile = { readonly path: string; readonly hash: string; readonly isExecutable: boolean }

/** What a commit says of itself. */
export type CommitInfo = {
  readonly author: string
  readonly committedAtMs: number
  readonly message: string
}

/** Another repository inside a commit, at one of its commits. */
export type Gitlink = { readonly path: string; readonly commit: string }

/** A commit that a branch of the remote led to when it was seen. */
export type BranchTip = { readonly branch: string; readonly commit: string }

/** A bare copy of one remote repository: objects only, fetched one commit deep. Several sources may share it. */
export type Mirror = {
  readonly folder: string
  readonly has: (commit: string) => Promise<boolean>
  /** Gets a commit with all its files. `refName` is tried when the host gives no commits by hash. */
  readonly fetch: (url: string, commit: string, refName: string, options: GitOptions) => Promise<void>
  /** Gets an annotated tag itself, besides what it points at. */
  readonly fetchTag: (url: string, name: string, hash: string, options: GitOptions) => Promise<void>
  /** Whether a branch of the remote leads to a commit; asked of the remote once, and true from then on. */
  readonly isOnBranch: (url: string, commit: string, branch: string, options: GitOptions) => Promise<boolean>
  /** Whether a commit is in the history of `tip`, by what the remote's branch holds now; asked of the remote each time. */
  readonly isAncestor: (url: string, commit: string, tip: BranchTip, options: GitOptions) => Promise<boolean>
  readonly commit: (hash: string) => Promise<CommitInfo>
  /** An object as it is stored. */
  readonly object: (hash: string) => Promise<GitObject | undefined>
  /** Every regular file of the commit, sorted by path. */
  readonly files: (commit: string) => Promise<readonly TreeFile[]>
  readonly gitlinks: (commit: string) => Promise<readonly Gitlink[]>
  /** The first part of a path that is a symbolic link, as far as git can tell. */
  readonly linkOn: (commit: string, path: string) => Promise<string | undefined>
  /** @throws when the object is not there */
  readonly blob: (hash: string) => Promise<Buffer>
  readonly close: () => void
}

/** Opens the mirror of that name below `root`, made when it is not there. */
export function openMirror(root: string, name: string): Mirror {
  const folder = join(root, `${createHash('sha256').update(name).digest('hex').slice(0, 32)}.git`)
  const reader = openObjectReader(folder)
  const prepare = untilWell(() => create(folder))
  const closing = new AbortController()
  let fetching: Promise<unknown> = Promise.resolve()
  /** One fetch at a time, and room is made behind it, where nobody waits for it but the next. */
  const fetchInTurn = async (from: string, what: string, refName: string, options: GitOptions): Promise<void> => {
    const turn = fetching.then(() => fetchInto(folder, from, what, refName, options))
    fetching = turn.then(
      () => tidyMirror(folder, closing.signal),
      () => undefined,
    )
    await turn
  }
  const onBranch = new Set<string>()
  const has = async (commit: string): Promise<boolean> => {
    await prepare()
    const found = await reader.read(commit)
    if (found?.type !== 'commit') return false
    return (await reader.read(treeOf(found.bytes.toString('utf8')))) !== undefined
  }
  return {
    folder,
    has,
    async fetch(from, commit, refName, options) {
      await prepare()
      await fetchInTurn(from, commit, refName, options)
      if (!(await has(commit)))
        throw remoteError(`the commit ${commit} is not at the remote any more: it moved while it was fetched`)
    },
    async fetchTag(from, name, hash, options) {
      await prepare()
      if ((await reader.read(hash))?.type === 'tag') return
      await fetchInTurn(from, `refs/tags/${name}`, `refs/tags/${name}`, options)
    },
    async isOnBranch(from, commit, branch, options) {
      const key = `${commit} ${branch}`
      if (onBranch.has(key)) return true
      const isFound = await leadsTo(root, from, commit, { branch, commit: AT }, options)
      if (isFound) onBranch.add(key)
      return isFound
    },
    isAncestor: (from, commit, tip, options) => leadsTo(root, from, commit, tip, options),
    object: (hash) => reader.read(hash),
    gitlinks: (commit) => listGitlinks(folder, commit),
    commit: async (hash) => parseCommit((await need(reader, hash)).toString('utf8')),
    files: (commit) => listFiles(folder, commit),
    linkOn: (commit, path) => findLink(folder, commit, path),
    blob: (hash) => need(reader, hash),
    close() {
      closing.abort()
      reader.close()
    },
  }
}

/** Does it once it goes well: a full disk has room again some time. */
function untilWell(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () =>
    (done ??= work().catch((error: unknown) => {
      done = undefined
      throw error
    }))
}

async function create(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  removeStaleLocks(folder)
  // once more where there is one: it completes what a kill cut off, and changes nothing else
  const made = await runGit(folder, ['init', '--quiet', '--bare'])
  if (made.code !== 0)
    throw new SluiceError('STATE_UNWRITABLE', `cannot make a repository: ${made.stderr.trim()}`, { where: folder })
  await runGit(folder, ['config', 'gc.auto', '0'])
}

async function fetchInto(
  folder: string,
  url: string,
  commit: string,
  refName: string,
  options: GitOptions,
): Promise<void> {
  const address = parseGitUrl(url).url
  const argv = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--depth=1', '--end-of-options', address]
  const byHash = await runGit(folder, [...argv, commit], options)
  if (byHash.code === 0) return
  if (refName === commit || !/not our ref|unadvertised object|couldn't find remote ref/i.test(byHash.stderr))
    throw fetchError(byHash.stderr, options)
  const byName = await runGit(folder, [...argv, refName], options)
  if (byName.code !== 0) throw fetchError(byName.stderr, options)
}

/** Where the history of a branch is brought to. */
const AT = 'refs/heads/at'

/** Brings the history of a branch, without its files where the host can, into a folder that is gone afterwards. */
async function leadsTo(
  root: string,
  url: string,
  commit: string,
  tip: BranchTip,
  options: GitOptions,
): Promise<boolean> {
  mkdirSync(root, { recursive: true })
  const folder = await mkdtemp(join(root, 'history-'))
  try {
    await runGit(folder, ['init', '--quiet', '--bare'])
    const refs = ['--end-of-options', parseGitUrl(url).url, `refs/heads/${tip.branch}:${AT}`]
    const fetched = await runGit(folder, ['fetch', '--quiet', '--no-tags', '--filter=tree:0', ...refs], options)
    if (fetched.code !== 0) throw fetchError(fetched.stderr, options)
    const led = await runGit(folder, ['merge-base', '--is-ancestor', commit, tip.commit])
    return led.code === 0
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function fetchError(stderr: string, options: GitOptions): SluiceError {
  if (options.signal?.aborted) return remoteError('context deadline exceeded')
  const line = stderr.split('\n').find((text) => /^(fatal|error|ssh|Permission|Host key)/.test(text)) ?? stderr.trim()
  if (/Authentication failed|could not read Username|HTTP.* 401/.test(stderr))
    return remoteError('authentication required: Unauthorized')
  if (/^fatal: repository '.*' not found$/.test(line)) return remoteError('repository not found: ')
  return remoteError(line.replace(/^(fatal|error): /, ''))
}

async function need(reader: ObjectReader, hash: string): Promise<Buffer> {
  const found = await reader.read(hash)
  if (!found) throw remoteError(`the object ${hash} is not in the local copy of the repository`)
  return found.bytes
}

async function listFiles(folder: string, commit: string): Promise<readonly TreeFile[]> {
  const files: TreeFile[] = []
  for (const line of await listTree(folder, ['-r', '--end-of-options', commit])) {
    const [, mode, hash, path] = /^(100\d{3}) blob ([0-9a-f]+)\t(.+)$/s.exec(line) ?? []
    if (hash !== undefined && path !== undefined && isSafePath(path))
      files.push({ path, hash, isExecutable: mode === '100755' })
  }
  return files
}

async function listGitlinks(folder: string, commit: string): Promise<readonly Gitlink[]> {
  const lines = await listTree(folder, ['-r', '--end-of-options', commit])
  return lines.flatMap((line) => {
    const [, hash, path] = /^160000 commit ([0-9a-f]+)\t(.+)$/s.exec(line) ?? []
    return hash === undefined || path === undefined || !isSafePath(path) ? [] : [{ path, commit: hash }]
  })
}

async function findLink(folder: string, commit: string, path: string): Promise<string | undefined> {
  const parts = path.split('/')
  const prefixes = parts.map((_part, index) => parts.slice(0, index + 1).join('/'))
  // where git cannot tell (a path that leads out), there is no advice to give
  const links = await listTree(folder, ['--end-of-options', commit, '--', ...prefixes]).catch(() => [])
  return links.map((line) => /^120000 blob [0-9a-f]+\t(.+)$/s.exec(line)?.[1]).find((link) => link !== undefined)
}

/** Entries of a tree. @throws SluiceError GIT_REMOTE for a part of them, which a git that was ended leaves */
async function listTree(folder: string, argv: readonly string[]): Promise<readonly string[]> {
  const env = { GIT_LITERAL_PATHSPECS: '1' }
  const { code, stdout, stderr } = await runGit(folder, ['ls-tree', '-z', '--full-tree', ...argv], { env })
  if (code !== 0) throw remoteError(stderr.trim() || 'git ls-tree was ended')
  return stdout.toString('utf8').split('\0')
}

function treeOf(commit: string): string {
  return /^tree ([0-9a-f]+)/.exec(commit)?.[1] ?? ''
}

function parseCommit(text: string): CommitInfo {
  const end = text.indexOf('\n\n')
  const head = end < 0 ? text : text.slice(0, end)
  const [, author = ''] = /^author (.*?>)/m.exec(head) ?? []
  const [, seconds = '0'] = /^committer .* (\d+) [+-]\d{4}$/m.exec(head) ?? []
  return {
    author,
    committedAtMs: Number(seconds) * 1000,
    message: end < 0 ? '' : text.slice(end + 2),
  }
}
