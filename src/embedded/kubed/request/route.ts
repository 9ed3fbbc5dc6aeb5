import { trimOf } from '../../../lib/value/trim-end.ts'

/** What a path names. */
export type Route =
  | {
      readonly kind: 'resource'
      readonly group: string
      readonly version: string
      readonly namespace: string
      readonly plural: string
      readonly name: string
      readonly subresource: string
      readonly rest: string
      readonly isWatchPath: boolean
    }
  | { readonly kind: 'versions'; readonly root: 'api' | 'apis' }
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'resources'; readonly group: string; readonly version: string }
  | { readonly kind: 'other'; readonly path: string }

/** Subresources of namespaces, which look like resources in one. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize'])

/** Reads a path of the API. Percent-decoded first. */
export function parseRoute(path: string): Route {
  // A slash is one, however it is written.
  const segments = trimOf(decode(path), '/').split('/')
  const [root, ...rest] = segments
  if (root === 'api') {
    if (rest.length === 0) return { kind: 'versions', root }
    return inVersion('', rest[0] ?? '', rest.slice(1))
  }
  if (root === 'apis') {
    if (rest.length === 0) return { kind: 'versions', root }
    if (rest.length === 1) return { kind: 'group', group: rest[0] ?? '' }
    return inVersion(rest[0] ?? '', rest[1] ?? '', rest.slice(2))
  }
  return { kind: 'other', path }
}

function decode(path: string): string {
  if (!path.includes('%')) return path
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function inVersion(group: string, version: string, segments: readonly string[]): Route {
  if (segments.length === 0) return { kind: 'resources', group, version }
  const isWatchPath = segments[0] === 'watch'
  const own = segments.includes('') ? [] : isWatchPath ? segments.slice(1) : segments
  const isInNamespace =
    own[0] === 'namespaces' && own.length > 2 && !(own.length === 3 && NAMESPACE_SUBRESOURCES.has(own[2] ?? ''))
  const namespace = isInNamespace ? (own[1] ?? '') : ''
  const [plural = '', name = '', subresource = '', ...rest] = isInNamespace ? own.slice(2) : own
  return { kind: 'resource', group, version, namespace, plural, name, subresource, rest: rest.join('/'), isWatchPath }
}
