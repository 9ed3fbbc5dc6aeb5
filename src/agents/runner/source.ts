import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { openObjectReader } from '../../adapters/git/cat-file.ts'
import { runGit, type GitResult } from '../../adapters/git/git-process.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { EventWithPaths } from '../../pipeline/ci/event.ts'
import type { PushSeen } from './records.ts'

const NONE = /^0+$/
const LARGEST_WORKFLOW_BYTES = 2 << 20
/** Of one commit: each is a run, and all are held until their runs begin. */
const MOST_WORKFLOWS = 500
const MOST_WORKFLOW_BYTES = 8 << 20
/** What is kept of a commit's message with each of its runs. */
const LONGEST_MESSAGE = 65_536

/** The runner's own bare copy of one repository, with its whole history. */
export type SourceCopy = { readonly folder: string; readonly url: string }

/** Brings the copy up to date and makes sure that it has `commit`. */
export async function fetchSource(root: string, repository: string, url: string, push: PushSeen): Promise<SourceCopy> {
  const folder = resolve(root, `${repository}.git`)
  if (!existsSync(folder)) await makeCopy(folder)
  const kept = push.pull === undefined ? [] : [`+refs/heads/${branchOf(push)}:refs/heads/${branchOf(push)}`]
  const refs = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*']
  await git(folder, [
    'fetch',
    '--quiet',
    '--prune',
    '--no-write-fetch-head',
    '--no-auto-gc',
    '--end-of-options',
    url,
    ...refs,
  ])
  const has = await runGit(folder, ['cat-file', '-e', `${push.after}^{commit}`])
  if (has.code !== 0)
    await git(folder, ['fetch', '--quiet', '--no-write-fetch-head', '--end-of-options', url, push.after, ...kept])
  return { folder, url }
}

/** Whole or not at all. */
async function makeCopy(folder: string): Promise<void> {
  const fresh = `${folder}.new`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true })
  await git(fresh, ['init', '--quiet', '--bare', '--template=', '.'])
  await git(fresh, ['config', 'uploadpack.allowAnySHA1InWant', 'true'])
  renameSync(fresh, folder)
}

/** A workflow file of a commit; its text, or why it is not read. */
export type WorkflowFile = { readonly path: string; readonly text: string | SluiceError }

/** The workflow files of a commit, by path; behind the last that is read, the first of those that are too many. */
export async function readWorkflows(copy: SourceCopy, commit: string): Promise<readonly WorkflowFile[]> {
  const argv = ['ls-tree', '-z', '-l', '--full-tree', '--end-of-options', commit, '.github/workflows/']
  const found = (await git(copy.folder, argv))
    .split('\0')
    .flatMap((line) => {
      const [, hash = '', size, path = ''] = /^100\d{3} blob ([0-9a-f]+) +(\d+)\t(.+\.ya?ml)$/.exec(line) ?? []
      return hash === '' ? [] : [{ hash, path, sizeBytes: Number(size) }]
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1))
  const reader = openObjectReader(copy.folder, LARGEST_WORKFLOW_BYTES)
  const files: WorkflowFile[] = []
  let left = MOST_WORKFLOW_BYTES
  try {
    for (const { hash, path, sizeBytes } of found) {
      const isTooLarge = sizeBytes > LARGEST_WORKFLOW_BYTES
      if (files.length === MOST_WORKFLOWS || (!isTooLarge && sizeBytes > left))
        return [...files, { path, text: tooMany(found.length - files.length) }]
      if (!isTooLarge) left -= sizeBytes
      const text = isTooLarge ? tooLarge(path, sizeBytes) : String((await reader.read(hash))?.bytes ?? '')
      files.push({ path, text })
    }
    return files
  } finally {
    reader.close()
  }
}

function tooLarge(path: string, sizeBytes: number): SluiceError {
  return new SluiceError('WORKFLOW_INVALID', `the workflow has ${sizeBytes} bytes, more than are read`, { where: path })
}

function tooMany(count: number): SluiceError {
  const limits = `${MOST_WORKFLOWS} workflows or ${MOST_WORKFLOW_BYTES >> 20} MiB of them`
  return new SluiceError(
    'WORKFLOW_INVALID',
    `the commit has more than ${limits}: this one and ${count - 1} behind it do not run`,
  )
}

/** What a push means to workflows; undefined for refs that start none, and for deletions. */
export async function describeEvent(copy: SourceCopy, push: PushSeen): Promise<EventWithPaths | undefined> {
  if (NONE.test(push.after)) return undefined
  const commit = (
    await git(copy.folder, ['rev-parse', '--verify', '--end-of-options', `${push.after}^{commit}`])
  ).trim()
  const message = await git(copy.folder, ['log', '-1', '--format=%B', '--end-of-options', commit])
  const common = {
    commit,
    before: push.before,
    actor: push.user || 'unknown',
    message: message.slice(0, LONGEST_MESSAGE),
  }
  if (push.pull !== undefined) {
    const base = branchOf(push)
    const merge = await mergeBase(copy, `refs/heads/${base}`, commit)
    return {
      ...common,
      name: 'pull_request',
      ref: `refs/pull/${push.pull}/merge`,
      before: merge ?? push.before,
      baseBranch: base,
      pull: push.pull,
      action: NONE.test(push.before) ? 'opened' : 'synchronize',
      changedPaths: merge === undefined ? undefined : await changed(copy, merge, commit),
    }
  }
  if (!/^refs\/(heads|tags)\//.test(push.ref)) return undefined
  return { ...common, name: 'push', ref: push.ref, changedPaths: await changedBy(copy, push, commit) }
}

/** Of a new branch, what it adds to the others; of the repository's first commit, everything. */
async function changedBy(copy: SourceCopy, push: PushSeen, commit: string): Promise<readonly string[] | undefined> {
  if (!NONE.test(push.before)) return changed(copy, push.before, commit)
  if (push.ref.startsWith('refs/tags/')) return undefined
  const parent = await runGit(copy.folder, ['rev-parse', '--verify', '--quiet', `${commit}^1`])
  if (parent.code !== 0) return undefined
  const base = push.ref === 'refs/heads/main' ? undefined : await mergeBase(copy, 'refs/heads/main', commit)
  return changed(copy, base === undefined || base === commit ? parent.stdout.toString('utf8').trim() : base, commit)
}

async function changed(copy: SourceCopy, before: string, after: string): Promise<readonly string[] | undefined> {
  const argv = ['diff-tree', '-r', '-z', '--name-only', '--no-renames', '--end-of-options', before, after]
  const { code, stdout } = await runGit(copy.folder, argv)
  if (code !== 0) return undefined // history was rewritten and the old commit is gone: everything may have changed
  return stdout
    .toString('utf8')
    .split('\0')
    .filter((path) => path !== '')
}

async function mergeBase(copy: SourceCopy, ref: string, commit: string): Promise<string | undefined> {
  const { code, stdout } = await runGit(copy.folder, ['merge-base', '--end-of-options', ref, commit])
  return code === 0 ? stdout.toString('utf8').trim() : undefined
}

/** How a job wants its files. */
export type CheckoutOptions = {
  readonly workspace: string
  readonly commit: string
  readonly ref: string
  /** 0: all history with tags and branches. */
  readonly depth: number
  readonly clean: boolean
  /** Sent with every push of the job; undefined for jobs that may not write. */
  readonly authorization: string | undefined
}

/** Checks a commit out, as `actions/checkout` does: `origin`, the branch's name, tags when the whole history is wanted. */
export async function checkOut(copy: SourceCopy, options: CheckoutOptions): Promise<void> {
  const { workspace, commit, depth } = options
  mkdirSync(workspace, { recursive: true })
  if (options.clean) rmSync(join(workspace, '.git'), { recursive: true, force: true })
  const files = { env: { GIT_ALLOW_PROTOCOL: 'file' } }
  await git(workspace, ['init', '--quiet', '--template=', '-b', 'main', '.'])
  await git(workspace, ['config', 'remote.origin.url', copy.url])
  await git(workspace, ['config', 'remote.origin.fetch', '+refs/heads/*:refs/remotes/origin/*'])
  if (options.authorization !== undefined)
    await git(workspace, [
      'config',
      `http.${new URL(copy.url).origin}/.extraHeader`,
      `Authorization: ${options.authorization}`,
    ])
  const all = ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*']
  const what = depth === 0 ? [commit, ...all] : [commit]
  const limit = depth === 0 ? ['--no-tags'] : [`--depth=${depth}`, '--no-tags']
  const from = `file://${copy.folder}`
  await git(workspace, ['fetch', '--quiet', ...limit, '--end-of-options', from, ...what], files)
  const branch = /^refs\/heads\/(.+)$/.exec(options.ref)?.[1]
  const to = branch === undefined ? ['--detach', commit] : ['-B', branch, commit]
  await git(workspace, ['checkout', '--quiet', '--force', ...to, '--'])
}

function branchOf(push: PushSeen): string {
  return push.ref.replace(/^refs\/(for|heads)\//, '')
}

async function git(
  folder: string,
  argv: readonly string[],
  options: Parameters<typeof runGit>[2] = {},
): Promise<string> {
  const result: GitResult = await runGit(folder, argv, options)
  if (result.code === 0) return result.stdout.toString('utf8')
  throw new SluiceError(
    'GIT_FAILED',
    `git ${argv[0]} failed: ${result.stderr.trim().replace(/\/\/[^/@\s]*@/g, '//')}`,
    {
      retry: 'backoff',
    },
  )
}
