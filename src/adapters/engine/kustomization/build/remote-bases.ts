import { randomInt } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { LookupAddress } from 'node:dns'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import type { Clone, Remote } from '../../../../lib/kustomize/files/remote.ts'
import type { RepoSpec } from '../../../../lib/kustomize/files/repo-spec.ts'
import type { FileTree } from '../../../../lib/kustomize/files/tree.ts'
import type { Deadline } from '../../../../machine/deadlines.ts'
import { diskTree } from '../../../files/disk-tree.ts'
import { runGit } from '../../../git/git-process.ts'
import { findProgram } from '../../../kustomize/program.ts'
import { refuseOptions } from '../../../kustomize/remote.ts'
import { fetchFile, type FetchedFile } from '../../../net/guarded-file.ts'
import { checkReach, guardedLookup, type Reach } from '../../../net/reach.ts'
import type { EngineContext } from '../../context.ts'

const MOST_BYTES = 64 * 1024 * 1024
const MOST_PARTS = 100
const FILE_TIMEOUT_MS = 60_000

/** A remote base or file that is not here yet; the build is tried again when it is. */
export class MissingRemote extends Error {
  readonly bring: () => Promise<void>
  constructor(name: string, bring: () => Promise<void>) {
    super(`${name} is not fetched`)
    this.bring = bring
  }
}

/** What one build is brought from elsewhere: each part once, nothing is kept. */
export type RemoteBases = {
  /** Throws `MissingRemote` for what has not been asked for before. */
  readonly remote: Remote
  /** A build that used something from elsewhere is made anew each time: what is there may have changed. */
  readonly isUsed: () => boolean
  readonly close: () => void
}

type Brought<Value> = Map<string, Value | SluiceError>

/**
 * Brings remote bases by git over HTTP(S), and remote files over HTTP(S), to addresses that `--hook-reach` allows. A build is a plain function:
 * it stops at what is missing, and is run again.
 *
 * @see docs/adr/0135-remote-bases-of-kustomizations.md
 */
export function openRemoteBases({ hookReach, stateDir, within }: EngineContext, timeoutMs: number): RemoteBases {
  const folder = join(stateDir, 'remote-bases', String(randomInt(1e9, 1e10)))
  const clones: Brought<Clone> = new Map()
  const files: Brought<FetchedFile> = new Map()
  const refuseMore = (): void => {
    if (clones.size + files.size >= MOST_PARTS)
      throw new SluiceError('KUSTOMIZE_REMOTE', `a build is brought at most ${MOST_PARTS} remote bases and files`)
  }
  return {
    remote: {
      clone(spec) {
        const key = JSON.stringify([spec.cloneUrl, spec.ref])
        return take(clones, key, spec.raw, refuseMore, async () => {
          const place = join(folder, String(clones.size))
          await fetchInto(place, spec, { reach: hookReach, timeoutMs: Math.min(spec.timeoutMs, timeoutMs), within })
          return shownAt(place, `/tmp/kustomize-${1_000_000_000 + clones.size}`)
        })
      },
      get(url) {
        const fileMs = Math.min(FILE_TIMEOUT_MS, timeoutMs)
        const options = { reach: hookReach, timeoutMs: fileMs, within, mostBytes: MOST_BYTES }
        return take(files, url, url, refuseMore, () => fetchFile(url, options))
      },
    },
    isUsed: () => clones.size + files.size > 0,
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function take<Value>(
  brought: Brought<Value>,
  key: string,
  name: string,
  refuseMore: () => void,
  bring: () => Promise<Value>,
): Value {
  const found = brought.get(key)
  if (found instanceof SluiceError) throw found
  if (found !== undefined) return found
  refuseMore()
  throw new MissingRemote(name, async () => void brought.set(key, await bring().catch(asFault)))
}

function asFault(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error
  throw error
}

/** A clone as it lies in messages: always at the same place, so that a fault that stays says the same. */
function shownAt(place: string, dir: string): Clone {
  const disk = diskTree()
  const real = (path: string): string | undefined =>
    path === dir || path.startsWith(`${dir}/`) ? place + path.slice(dir.length) : undefined
  const tree: FileTree = {
    stat(path) {
      const at = real(path)
      if (at !== undefined) return disk.stat(at)
      return dir.startsWith(path === '/' ? '/' : `${path}/`) ? { kind: 'dir' } : undefined
    },
    readFile: (path) => disk.readFile(real(path) ?? place),
    readDir(path) {
      const at = real(path)
      return at === undefined ? [] : disk.readDir(at)
    },
  }
  return { tree, dir }
}

type FetchOptions = { readonly reach: Reach; readonly timeoutMs: number; readonly within: Deadline }

async function fetchInto(place: string, spec: RepoSpec, { reach, timeoutMs, within }: FetchOptions): Promise<void> {
  refuseOptions(spec)
  const config = await pinned(spec.cloneUrl, reach)
  mkdirSync(place, { recursive: true, mode: 0o700 })
  const run = async (argv: readonly string[]): Promise<void> => {
    const signal = within(timeoutMs)
    const done = await runGit(place, argv, { config, signal, env: { GIT_ALLOW_PROTOCOL: 'http:https' } }).catch(asEnded)
    const command = [findProgram('git') ?? 'git', ...argv].join(' ')
    if (signal.aborted) throw remoteFault(`hit ${timeoutMs / 1000}s timeout running '${command}'`)
    if (done.code !== 0) throw remoteFault(`failed to run '${command}': ${done.stderr}: exit status ${done.code}`)
  }
  await run(['init', '--quiet'])
  await run(['fetch', '--depth=1', spec.cloneUrl, spec.ref || 'HEAD'])
  await run(['checkout', '--quiet', 'FETCH_HEAD'])
}

function asEnded(error: unknown): { readonly code: number; readonly stderr: string } {
  return { code: 1, stderr: error instanceof Error ? error.message : String(error) }
}

function remoteFault(message: string): SluiceError {
  return new SluiceError('KUSTOMIZE_REMOTE', message, { retry: 'backoff' })
}

/** Git connects to the very address that was checked, runs no hook, and is led nowhere else by a redirect. */
async function pinned(address: string, reach: Reach): Promise<readonly (readonly [string, string])[]> {
  const safe = [
    ['core.hooksPath', '/dev/null'],
    ['core.fsmonitor', 'false'],
    ['http.followRedirects', 'false'],
  ] as const
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return safe
  const url = new URL(address)
  checkReach(url, reach)
  const addresses = await lookUp(url, reach)
  const host = `${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`
  return addresses.length === 0 ? safe : [...safe, ['http.curloptResolve', `${host}:${addresses.join(',')}`]]
}

function lookUp(url: URL, reach: Reach): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    guardedLookup(url, reach)(url.hostname.replace(/^\[|\]$/g, ''), { all: true }, (error, found) => {
      if (error instanceof SluiceError) return reject(error)
      if (error)
        return reject(remoteFault(`fatal: unable to access '${url.href}': Could not resolve host: ${url.hostname}`))
      const list: readonly LookupAddress[] = Array.isArray(found) ? found : []
      resolve(list.map(({ address }) => address))
    })
  })
}
