import { createHash } from 'node:crypto'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { withCredentials, type GitCredentials } from './credentials.ts'
import { runGit, type GitOptions, type GitResult } from './git-process.ts'
import { parseGitUrl } from './url.ts'

/** A file of the new commit; without `bytes` it is removed. */
export type FileChange = {
  readonly path: string
  readonly bytes?: Uint8Array
  /** As git writes it: `100644` (default), `100755` or `120000`. */
  readonly mode?: '100644' | '100755' | '120000'
}

/** Who wrote a commit; `atMs` in milliseconds since the epoch. */
export type Signature = { readonly name: string; readonly email: string; readonly atMs: number }

/** A commit on top of `base`, and where it goes. */
export type CommitRequest = {
  /** A bare repository that holds `base` (one commit deep is enough). */
  readonly folder: string
  readonly base: string
  readonly changes: readonly FileChange[]
  readonly author: Signature
  readonly committer?: Signature
  readonly message: string
  /** Keeps the message to the byte; otherwise it ends with a newline, as git's own. */
  readonly keepsMessage?: boolean
  /** Signs the commit as it would be stored; answers an armoured signature. */
  readonly sign?: SignCommit
}

/** Makes an armoured signature (OpenPGP or SSH) over the bytes of a commit. */
export type SignCommit = (payload: Buffer) => Promise<string>

/** The branch to move, and what it must be at before: a commit, or undefined when it must not exist. */
export type PushRequest = {
  readonly url: string
  readonly allowLocal?: boolean
  readonly credentials?: GitCredentials
  /** Options that carry a login already, instead of `credentials`. */
  readonly login?: Pick<GitOptions, 'config' | 'env'>
  readonly branch: string
  readonly expected: string | undefined
  /** More refs to move, in full: to the commit, or to the one named; `expected` is where the ref must be before, and then it goes wherever it is told. */
  readonly alsoRefs?: readonly {
    readonly ref: string
    readonly commit?: string
    readonly isForced?: boolean
    readonly expected?: string
  }[]
  readonly pushOptions?: readonly string[]
  readonly signal?: AbortSignal
}

/** `moved`: somebody else was faster; fetch, make the change again on top, and push again. */
export type PushResult = { readonly kind: 'pushed'; readonly commit: string } | { readonly kind: 'moved' }

const HASH = /^[0-9a-f]{40}$|^[0-9a-f]{64}$/

/** Makes a commit and pushes it with compare-and-swap; see {@link makeCommit} and {@link pushCommit}. `beforePush` is waited for in between. */
export async function commitAndPush(
  request: CommitRequest & PushRequest & { readonly beforePush?: (commit: string) => void | Promise<void> },
): Promise<PushResult> {
  const commit = await makeCommit(request)
  await request.beforePush?.(commit)
  return pushCommit(request.folder, commit, request)
}

/**
 * Makes a commit in a bare repository: one process, no work tree, only the changed trees are written.
 *
 * @returns its hash
 * @throws SluiceError GIT_FAILED, GIT_PATH_MISSING when a path could leave the repository
 */
async function makeCommit(request: CommitRequest): Promise<string> {
  const ref = `refs/sluice/write/${createHash('sha256')
    .update(request.folder + request.base)
    .digest('hex')
    .slice(0, 16)}`
  const input = Buffer.concat([
    Buffer.from(renderHead(ref, request)),
    ...request.changes.map(renderChange),
    Buffer.from('\nget-mark :1\n'),
  ])
  const argv = ['fast-import', '--quiet', '--force', '--done']
  const made = await runGit(request.folder, argv, { input: Buffer.concat([input, Buffer.from('done\n')]) })
  const hash = made.stdout.toString('latin1').trim()
  if (made.code !== 0 || !HASH.test(hash))
    throw new SluiceError('GIT_FAILED', `git could not write the commit: ${firstFault(made.stderr)}`)
  return request.sign ? signCommit(request.folder, hash, request.sign) : hash
}

/** Stores the commit again, with its signature as a header; the unsigned one stays behind and is never pushed. */
async function signCommit(folder: string, commit: string, sign: SignCommit): Promise<string> {
  const { code, stdout: payload, stderr } = await runGit(folder, ['cat-file', 'commit', commit])
  if (code !== 0) throw new SluiceError('GIT_FAILED', `git could not read the commit: ${firstFault(stderr)}`)
  const header = (await sign(payload)).trim().split('\n').join('\n ')
  const end = payload.indexOf('\n\n')
  const signed = Buffer.concat([payload.subarray(0, end), Buffer.from(`\ngpgsig ${header}`), payload.subarray(end)])
  const stored = await runGit(folder, ['hash-object', '-t', 'commit', '-w', '--stdin'], { input: signed })
  const hash = stored.stdout.toString('latin1').trim()
  if (stored.code !== 0 || !HASH.test(hash))
    throw new SluiceError('GIT_FAILED', `git could not store the signed commit: ${firstFault(stored.stderr)}`)
  return hash
}

/** What a host may lack, how git says so, and the flag that asks for it. */
const LACKS = [
  { says: /receiving end does not support push options/, flag: /^--push-option=/ },
  { says: /receiving end does not support --atomic push/, flag: /^--atomic$/ },
]

/**
 * Moves a remote branch to `commit`, only when it still is where the caller saw it (`--force-with-lease`). More refs move with it or
 * none does, where the host can: one that was moved alone would stand in the way of the next attempt.
 *
 * @throws SluiceError GIT_AUTH, GIT_PUSH_REFUSED (retry: spec), GIT_UNREACHABLE (retry: backoff); secrets are never in the message
 */
export async function pushCommit(folder: string, commit: string, request: PushRequest): Promise<PushResult> {
  const url = parseGitUrl(request.url, { allowLocal: request.allowLocal ?? false })
  const ref = `refs/heads/${request.branch}`
  const also = request.alsoRefs ?? []
  if (!HASH.test(commit) || ![ref, ...also.map((one) => one.ref)].every(isRefName))
    throw new SluiceError('GIT_PUSH_REFUSED', `"${request.branch}" is not a branch name`)
  const leases = [{ ref, expected: request.expected ?? '' }, ...also].flatMap((one) =>
    one.expected === undefined ? [] : [`--force-with-lease=${one.ref}:${one.expected}`],
  )
  const hints = [
    ...(also.length > 0 ? ['--atomic'] : []),
    ...(request.pushOptions ?? []).map((option) => `--push-option=${option}`),
  ]
  const argv = ['push', '--porcelain', '--no-verify', '--quiet', ...leases]
  const refspecs = [
    `${commit}:${ref}`,
    ...also.map((one) => `${one.isForced ? '+' : ''}${one.commit ?? commit}:${one.ref}`),
  ]
  const pushWith = (extra: readonly string[], git: GitOptions): Promise<GitResult> =>
    runGit(folder, [...argv, ...extra, '--end-of-options', url.url, ...refspecs], {
      ...limited(git, url.transport),
      ...(request.signal ? { signal: request.signal } : {}),
    })
  const push = async (git: GitOptions, extra: readonly string[] = hints): Promise<GitResult> => {
    const answer = await pushWith(extra, git)
    // They are hints: a host that takes none is pushed to without them, as by Flux.
    const lacking = LACKS.find(({ says, flag }) => says.test(answer.stderr) && extra.some((one) => flag.test(one)))
    return lacking
      ? push(
          git,
          extra.filter((one) => !lacking.flag.test(one)),
        )
      : answer
  }
  const pushed = request.login
    ? await push(request.login)
    : await withCredentials(url, request.credentials ?? {}, (git) => push(git))
  const text = pushed.stdout.toString('utf8')
  if (pushed.code === 0) return { kind: 'pushed', commit }
  if (hasMoved(text + pushed.stderr)) return { kind: 'moved' }
  throw pushFault(text, pushed.stderr, url.host)
}

function limited(options: GitOptions, transport: string): GitOptions {
  const stall: [string, string][] = [
    ['http.lowSpeedLimit', '1'],
    ['http.lowSpeedTime', '60'],
  ]
  const local: Record<string, string> = transport === 'local' ? { GIT_ALLOW_PROTOCOL: 'file' } : {}
  return { ...options, config: [...(options.config ?? []), ...stall], env: { ...options.env, ...local } }
}

function hasMoved(text: string): boolean {
  return /\[rejected\]|stale info|fetch first|non-fast-forward|cannot lock ref|reference already exists|incorrect old value|failed to update ref/i.test(
    text,
  )
}

function pushFault(stdout: string, stderr: string, host: string): SluiceError {
  if (
    /Authentication failed|could not read (Username|Password)|HTTP 40[13]|Permission denied|returned error: 40[13]/i.test(
      stderr,
    )
  )
    return new SluiceError('GIT_AUTH', `${host} refused the login of the push`)
  const faults = [...stdout.matchAll(/^!\t\S+\t(.*)$/gm)].map((match) => match[1])
  // the other refs of an atomic push only say that they went down with it
  const refused = faults.find((fault) => !/atomic/.test(fault ?? '')) ?? faults[0]
  if (refused !== undefined)
    return new SluiceError('GIT_PUSH_REFUSED', `${host} refused the push: ${refused}${remoteWords(stderr)}`)
  return new SluiceError('GIT_UNREACHABLE', `the push to ${host} failed: ${firstFault(stderr)}`, { retry: 'backoff' })
}

function remoteWords(stderr: string): string {
  const words = [...stderr.matchAll(/^remote: (.*)$/gm)]
    .map((match) => (match[1] ?? '').trim())
    .filter((line) => line !== '')
  return words.length === 0 ? '' : ` (${words.slice(0, 5).join('; ')})`
}

function firstFault(stderr: string): string {
  const line = stderr.split('\n').find((text) => /^(fatal|error|ssh|Host key)/.test(text)) ?? stderr.trim().slice(-300)
  return line.replace(/\/\/[^/@\s]*@/g, '//')
}

/** Whether git takes a text for a ref in full. */
export function isRefName(ref: string): boolean {
  // What begins with a dash would be taken for an option by many a tool; Git makes no such branch or tag either.
  if (/^refs\/(?:heads|tags)\/-/.test(ref)) return false
  return /^refs\/[^\s~^:?*[\\\0-\x20\x7f]+$/.test(ref) && !/\.\.|@\{|\/\/|\/\.|\/@(\/|$)|\.lock(\/|$)|[./]$/.test(ref)
}

function renderHead(ref: string, request: CommitRequest): string {
  if (!HASH.test(request.base)) throw new SluiceError('GIT_FAILED', `"${request.base}" is not a commit`)
  const isWhole = request.keepsMessage === true || request.message.endsWith('\n')
  const message = Buffer.from(isWhole ? request.message : `${request.message}\n`)
  return [
    `commit ${ref}`,
    'mark :1',
    `author ${renderSignature(request.author)}`,
    `committer ${renderSignature(request.committer ?? request.author)}`,
    `data ${message.length}`,
    message.toString('utf8'),
    `from ${request.base}`,
    '',
  ].join('\n')
}

function renderSignature({ name, email, atMs }: Signature): string {
  const clean = (text: string): string => text.replace(/[<>\r\n\0]/g, '').trim()
  return `${clean(name)} <${clean(email)}> ${Math.floor(atMs / 1000)} +0000`
}

function renderChange({ path, bytes, mode }: FileChange): Buffer {
  const parts = path.split('/')
  if (
    parts.some((part) => part === '' || part === '.' || part === '..' || /^\.git$/i.test(part)) ||
    path.includes('\0')
  )
    throw new SluiceError('GIT_PATH_MISSING', `"${path}" cannot be a file of a commit`)
  const quoted = `"${path.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`
  if (bytes === undefined) return Buffer.from(`D ${quoted}\n`)
  return Buffer.concat([
    Buffer.from(`M ${mode ?? '100644'} inline ${quoted}\ndata ${bytes.length}\n`),
    bytes,
    Buffer.from('\n'),
  ])
}
