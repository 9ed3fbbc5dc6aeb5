import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Clone, Remote } from '../../lib/kustomize/files/remote.ts'
import type { RepoSpec } from '../../lib/kustomize/files/repo-spec.ts'
import { diskTree } from '../files/disk-tree.ts'
import { findProgram, runProgram } from './program.ts'
import { getUrl } from './get-url.ts'

/**
 * Brings remote bases with the machine's git, and remote files over HTTP.
 *
 * A clone is kept under its repository and commit, so that the same commit is stored once and a ref that is a commit is fetched once.
 * @param cache folder for the clones; safe for several processes at a time
 */
export function diskRemote(cache: string): Remote {
  return { clone: (spec) => clone(cache, spec), get: getUrl }
}

function clone(cache: string, spec: RepoSpec): Clone {
  refuseOptions(spec)
  const modules = spec.hasSubmodules ? 'modules' : 'plain'
  const shelf = join(cache, createHash('sha256').update(`${modules} ${spec.cloneUrl}`).digest('hex').slice(0, 32))
  const known = join(shelf, spec.ref)
  if (/^[0-9a-f]{40}$/.test(spec.ref) && existsSync(known)) return { tree: diskTree(), dir: known }
  mkdirSync(shelf, { recursive: true, mode: 0o700 })
  const fresh = mkdtempSync(join(shelf, 'fetch-'))
  try {
    fetchInto(fresh, spec)
    const commit = git(fresh, spec, ['rev-parse', 'HEAD']).trim()
    return { tree: diskTree(), dir: shelve(fresh, join(shelf, commit)) }
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

/** @throws SluiceError KUSTOMIZE_REMOTE for what git would read as an option */
export function refuseOptions({ ref, cloneUrl, raw }: RepoSpec): void {
  if (ref.startsWith('-') || cloneUrl.startsWith('-'))
    throw new SluiceError('KUSTOMIZE_REMOTE', `"${raw}" names an option of git, not a repository or a ref`)
}

/** Moves a clone to its place; another process may have been there first. */
function shelve(fresh: string, place: string): string {
  try {
    renameSync(fresh, place)
  } catch (error) {
    if (!existsSync(place)) throw error
  }
  return place
}

function fetchInto(dir: string, spec: RepoSpec): void {
  git(dir, spec, ['init'])
  git(dir, spec, ['remote', 'add', 'origin', spec.cloneUrl])
  git(dir, spec, ['fetch', '--depth=1', spec.cloneUrl, spec.ref || 'HEAD'])
  git(dir, spec, ['checkout', 'FETCH_HEAD'])
  if (spec.hasSubmodules) git(dir, spec, ['submodule', 'update', '--init', '--recursive'])
}

/** Runs git without hooks, prompts or protocols that run programs; messages show the command as the original has it. */
function git(dir: string, spec: RepoSpec, args: readonly string[]): string {
  const program = findProgram('git')
  if (program === undefined)
    throw new SluiceError(
      'KUSTOMIZE_REMOTE',
      `no 'git' program on path: exec: "git": executable file not found in $PATH`,
    )
  const isFile = spec.cloneUrl.startsWith('file://') || !spec.cloneUrl.includes(':')
  const safe = ['-c', 'core.hooksPath=/dev/null', '-c', 'protocol.ext.allow=never', '-c', 'core.fsmonitor=false']
  const { status, output, hasTimedOut } = runProgram(program, [...safe, ...args], {
    cwd: dir,
    timeoutMs: spec.timeoutMs,
    env: {
      GIT_TERMINAL_PROMPT: '0',
      GIT_SSH_COMMAND: process.env['GIT_SSH_COMMAND'] ?? 'ssh -oBatchMode=yes',
      ...(isFile ? {} : { GIT_ALLOW_PROTOCOL: 'http:https:ssh' }),
    },
  })
  const command = [program, ...args].join(' ')
  if (hasTimedOut)
    throw new SluiceError('KUSTOMIZE_REMOTE', `hit ${spec.timeoutMs / 1000}s timeout running '${command}'`, {
      retry: 'backoff',
      hint: 'allow more time with ?timeout=SECONDS',
    })
  if (status === 0) return output
  throw new SluiceError('KUSTOMIZE_REMOTE', `failed to run '${command}': ${output}: exit status ${status}`, {
    retry: 'backoff',
  })
}
