import { SluiceError } from '../../lib/error/sluice-error.ts'

/** An address of a repository that git may be given: never an option, never a command. */
export type GitUrl = {
  readonly transport: 'http' | 'ssh' | 'local'
  /** Without user and password, fit for messages and for git's command line. */
  readonly url: string
  /** `host:port`; '' when local. */
  readonly host: string
  readonly username: string | undefined
  readonly password: string | undefined
}

const USER = /^[\w.+~-]+$/
const HOST = /^[A-Za-z0-9_[][A-Za-z0-9._:[\]-]*$/

/**
 * Reads `https://`, `http://`, `ssh://` and `user@host:path`; with `allowLocal` also `file://` and absolute paths.
 *
 * Refused: `ext::` and other helpers, options in disguise (`--upload-pack=…`, hosts and paths that begin with `-`), control characters.
 * @throws SluiceError GIT_URL_REFUSED; the message never holds the password
 */
export function parseGitUrl(text: string, options: { readonly allowLocal?: boolean } = {}): GitUrl {
  if (text.length > 2048 || /[\s\0-\x1f\x7f]/.test(text) || text.startsWith('-') || text === '') throw refused(text)
  const scp = /^(?:([A-Za-z0-9._-]+)@)?([A-Za-z0-9][A-Za-z0-9.-]*):(?!\/\/|:)([^-].*)$/.exec(text)
  if (scp?.[1] !== undefined) return ssh(text, `${scp[2] ?? ''}`, `/${scp[3] ?? ''}`, scp[1], text)
  if (text.startsWith('/')) return local(text, text, options)
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'file:') return local(text, decoded(url.pathname, text), options)
  if (url === undefined || !HOST.test(url.hostname) || url.pathname.startsWith('/-')) throw refused(text)
  const [username, password] = [url.username, url.password].map((part) => decoded(part, text) || undefined)
  if (username?.startsWith('-')) throw refused(text)
  // git decodes the whole address before it looks for the host
  if (url.protocol === 'ssh:' && username !== undefined && !USER.test(username)) throw refused(text)
  if (url.protocol === 'ssh:')
    return ssh(`ssh://${username ?? 'git'}@${url.host}${url.pathname}`, url.host, url.pathname, username, text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refused(text)
  url.username = ''
  url.password = ''
  return { transport: 'http', url: url.href.replace(/\/$/, ''), host: url.host, username, password }
}

function decoded(part: string, text: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw refused(text)
  }
}

function ssh(url: string, host: string, path: string, username: string | undefined, text: string): GitUrl {
  if (!HOST.test(host) || path.startsWith('/-')) throw refused(text)
  return { transport: 'ssh', url, host, username, password: undefined }
}

function local(text: string, path: string, options: { readonly allowLocal?: boolean }): GitUrl {
  if (options.allowLocal !== true) throw refused(text)
  return { transport: 'local', url: path, host: '', username: undefined, password: undefined }
}

function refused(text: string): SluiceError {
  const shown = text
    .replace(/\/\/.*@/s, '//')
    .replace(/[\0-\x1f\x7f]/g, '?')
    .slice(0, 200)
  return new SluiceError('GIT_URL_REFUSED', `"${shown}" is not an address that git may be given`, {
    hint: 'use https://, http:// or ssh://',
  })
}

/** An address for messages that leave the cluster, in the form of Go's library: its password is not told, nor a token that stands for name and password. */
export function maskPassword(url: string): string {
  return url.replace(/^([a-z]+:\/\/[^/@:]*):[^/]*@/i, '$1:***@').replace(/^(https?:\/\/)[^/@:]+@/i, '$1***@')
}
