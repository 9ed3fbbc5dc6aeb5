/** What a request asks for: one of the three addresses of git's smart HTTP protocol. */
export type GitRoute = {
  readonly repository: string
  readonly service: 'git-upload-pack' | 'git-receive-pack'
  /** `advertise` answers `info/refs`, `call` takes the posted request. */
  readonly step: 'advertise' | 'call'
}

const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/

/**
 * Reads a repository name: one to four segments of letters, digits, `.`, `_` and `-`, without the `.git` ending.
 *
 * @returns undefined for whatever could leave the root or hit git's own files (`..`, `.git`, `x.lock`, empty segments)
 */
export function parseRepositoryName(text: string): string | undefined {
  const name = text.endsWith('.git') ? text.slice(0, -4) : text
  const segments = name.split('/')
  if (segments.length > 4) return undefined
  const good = segments.every(
    (segment) => SEGMENT.test(segment) && !segment.includes('..') && !/\.(git|lock)$|\.$/i.test(segment),
  )
  return good ? name : undefined
}

/** Reads method, path and query; undefined for anything that is not smart HTTP (the dumb protocol included). */
export function parseGitRoute(method: string, path: string, query: URLSearchParams): GitRoute | undefined {
  const match = /^\/(.+)\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(path)
  const repository = parseRepositoryName(match?.[1] ?? '')
  if (!match || repository === undefined) return undefined
  const last = match[2] ?? ''
  if (last === 'info/refs') {
    const service = query.get('service')
    if (method !== 'GET' || (service !== 'git-upload-pack' && service !== 'git-receive-pack')) return undefined
    return { repository, service, step: 'advertise' }
  }
  if (method !== 'POST') return undefined
  return { repository, service: last === 'git-upload-pack' ? last : 'git-receive-pack', step: 'call' }
}
