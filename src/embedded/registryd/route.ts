/** What a request is about. */
export type Route =
  | { readonly at: 'ping' }
  | { readonly at: 'catalog' }
  | { readonly at: 'contents' }
  | { readonly at: 'manifests'; readonly repository: string; readonly version: string }
  | { readonly at: 'blobs'; readonly repository: string; readonly digest: string }
  | { readonly at: 'uploads'; readonly repository: string; readonly id: string | undefined }
  | { readonly at: 'tags'; readonly repository: string }
  | { readonly at: 'referrers'; readonly repository: string; readonly digest: string }

/** Reads the path of a request (without the query). Repository names may hold slashes, so the end decides. */
export function parseRoute(path: string): Route | undefined {
  if (path === '/v2/' || path === '/v2') return { at: 'ping' }
  if (!path.startsWith('/v2/')) return undefined
  const rest = path.slice(4)
  if (rest === '_catalog') return { at: 'catalog' }
  if (rest === '_sluice/contents') return { at: 'contents' }
  const last = rest.lastIndexOf('/')
  const end = rest.slice(last + 1)
  const before = rest.lastIndexOf('/', last - 1)
  const word = rest.slice(before + 1, last)
  const head = before < 0 ? '' : rest.slice(0, before)
  if (word === 'uploads' && head.endsWith('/blobs'))
    return { at: 'uploads', repository: head.slice(0, -6), id: end === '' ? undefined : end }
  if (end === 'uploads' && word === 'blobs') return { at: 'uploads', repository: head, id: undefined }
  if (head === '') return undefined
  if (word === 'manifests') return { at: 'manifests', repository: head, version: end }
  if (word === 'blobs') return { at: 'blobs', repository: head, digest: end }
  if (word === 'tags' && end === 'list') return { at: 'tags', repository: head }
  if (word === 'referrers') return { at: 'referrers', repository: head, digest: end }
  return undefined
}
