import { posix } from 'node:path'
import { parseGoDuration } from '../../go-duration/go-duration.ts'

/** A Git repository, and a folder in it, as a kustomization names them. */
export type RepoSpec = {
  /** The URL as it was written. */
  readonly raw: string
  /** What Git is given. */
  readonly cloneUrl: string
  /** The folder inside of the repository, '' for its root. */
  readonly path: string
  /** Branch, tag or commit; '' for the repository's own default. */
  readonly ref: string
  readonly timeoutMs: number
  readonly hasSubmodules: boolean
}

const DEFAULT_TIMEOUT_MS = 27_000
const SCHEMES = ['ssh://', 'https://', 'http://', 'file://']

/**
 * Reads a URL of a repository: `github.com/org/repo//folder?ref=v1`, `git@host:org/repo.git/folder`, `https://host/org/_git/repo`.
 *
 * @returns undefined when kustomize would not take it for one
 * @see https://github.com/kubernetes-sigs/kustomize/blob/master/api/internal/git/repospec.go
 */
export function parseRepoSpec(raw: string): RepoSpec | undefined {
  if (raw.startsWith('/')) return undefined
  const question = raw.indexOf('?')
  const url = question < 0 ? raw : raw.slice(0, question)
  const host = splitHost(url)
  if (!host) return undefined
  const parts = splitRepo(host.rest, host.isFile)
  if (!parts || parts.repo === '') return undefined
  if (posix.normalize(parts.path.replace(/^\//, '')).split('/')[0] === '..') return undefined
  return {
    raw,
    cloneUrl: host.host + parts.repo,
    path: parts.path.replace(/^\//, ''),
    ...parseQuery(question < 0 ? '' : raw.slice(question + 1)),
  }
}

type Host = { readonly host: string; readonly rest: string; readonly isFile: boolean }

function splitHost(url: string): Host | undefined {
  const plain = /^git::/i.test(url) ? url.slice(5) : url
  const scheme = SCHEMES.find((one) => plain.toLowerCase().startsWith(one)) ?? ''
  const behindScheme = plain.slice(scheme.length)
  const username = /^[a-zA-Z][a-zA-Z0-9-]*@/.exec(behindScheme)?.[0] ?? ''
  const rest = behindScheme.slice(username.length)
  const isGithub = /^github\.com[/:]/i.test(rest)
  const isScp = scheme === '' && (username !== '' || isGithub)
  if (scheme === '' && !isScp) return undefined
  if (scheme === 'file://') return { host: scheme, rest: username + rest, isFile: true }
  const at = separatorOf(rest, isScp)
  const [name, path] = at < 0 ? [rest, ''] : [rest.slice(0, at + 1), rest.slice(at + 1)]
  if (!isGithub) return name === '' ? undefined : { host: scheme + username + name, rest: path, isFile: false }
  const overSsh = scheme === 'ssh://' || username !== ''
  return { host: overSsh ? `${username}github.com:` : 'https://github.com/', rest: path, isFile: false }
}

/** The slash behind the host, or the colon of `git@host:path`. */
function separatorOf(rest: string, isScp: boolean): number {
  const slash = rest.indexOf('/')
  const colon = isScp ? rest.indexOf(':') : -1
  return slash === -1 || (colon > 0 && colon < slash) ? (isScp ? colon : slash) : slash
}

function splitRepo(rest: string, isFile: boolean): { readonly repo: string; readonly path: string } | undefined {
  const azure = rest.indexOf('_git/')
  if (azure >= 0) {
    const [name = '', ...path] = rest.slice(azure + 5).split('/')
    return { repo: rest.slice(0, azure + 5) + name, path: path.join('/') }
  }
  const double = rest.indexOf('//')
  if (double >= 0) return { repo: rest.slice(0, double), path: rest.slice(double + 2) }
  const suffix = rest.indexOf('.git')
  if (suffix >= 0) return { repo: rest.slice(0, suffix + 4), path: rest.slice(suffix + 4) }
  if (isFile) return { repo: rest, path: '' }
  const segments = rest.split('/')
  if (segments.length < 2) return undefined
  return { repo: segments.slice(0, 2).join('/'), path: segments.slice(2).join('/') }
}

function parseQuery(query: string): Pick<RepoSpec, 'ref' | 'timeoutMs' | 'hasSubmodules'> {
  const values = new URLSearchParams(query)
  const isFalse = ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(values.get('submodules') ?? '')
  return {
    ref: values.get('ref') || values.get('version') || '',
    timeoutMs: parseTimeout(values.get('timeout') ?? ''),
    hasSubmodules: !isFalse,
  }
}

/** Seconds, or a duration as Go spells it; anything else is the default. */
function parseTimeout(text: string): number {
  if (/^[+]?\d+$/.test(text) && Number(text) > 0) return Number(text) * 1000
  const duration = parseGoDuration(text)
  return 'ns' in duration && duration.ns > 0n ? Number(duration.ns) / 1e6 : DEFAULT_TIMEOUT_MS
}
