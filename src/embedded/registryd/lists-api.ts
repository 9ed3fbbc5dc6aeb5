import type { IncomingMessage, ServerResponse } from 'node:http'
import { MEDIA } from '../../lib/oci/media-types.ts'
import { Refusal, sendJson } from './answer.ts'
import { digestFrom } from './blobs-api.ts'
import type { Registry } from './registry.ts'

/** GET `/v2/<name>/tags/list`, sorted by code unit, paged by `n` and `last`, with a Link to the next page. */
export function answerTags(
  { store }: Registry,
  request: IncomingMessage,
  response: ServerResponse,
  repository: string,
  query: URLSearchParams,
): void {
  const tags = store.catalog.tags(repository)
  if (tags === undefined) throw new Refusal(404, 'NAME_UNKNOWN', `there is no repository "${repository.slice(0, 300)}"`)
  const { page, link } = pageOf(tags, query, `/v2/${repository}/tags/list`)
  sendJson(request, response, 200, { name: repository, tags: page }, link)
}

/** GET `/v2/_catalog`, paged in the same way. */
export function answerCatalog(
  { store }: Registry,
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
): void {
  const { page, link } = pageOf(store.catalog.repositories(), query, '/v2/_catalog')
  sendJson(request, response, 200, { repositories: page }, link)
}

/** GET `/v2/<name>/referrers/<digest>`: what points to a manifest as its subject. */
export function answerReferrers(
  { store }: Registry,
  request: IncomingMessage,
  response: ServerResponse,
  repository: string,
  digestText: string,
  query: URLSearchParams,
): void {
  const wanted = query.get('artifactType')
  const all = store.catalog.referrers(repository, digestFrom(digestText).text)
  const manifests = wanted === null ? all : all.filter(({ artifactType }) => artifactType === wanted)
  const headers = { 'content-type': MEDIA.index, ...(wanted === null ? {} : { 'oci-filters-applied': 'artifactType' }) }
  sendJson(request, response, 200, { schemaVersion: 2, mediaType: MEDIA.index, manifests }, headers)
}

function pageOf(
  sorted: readonly string[],
  query: URLSearchParams,
  path: string,
): { readonly page: readonly string[]; readonly link: Record<string, string> } {
  const last = query.get('last')
  const from = last === null ? 0 : firstAfter(sorted, last)
  const n = query.get('n')
  if (n === null) return { page: from === 0 ? sorted : sorted.slice(from), link: {} }
  if (!/^\d{1,9}$/.test(n)) throw new Refusal(400, 'UNSUPPORTED', `n is "${n.slice(0, 50)}", not a number`)
  const page = sorted.slice(from, from + Number(n))
  const end = page.at(-1)
  if (end === undefined || from + page.length >= sorted.length) return { page, link: {} }
  return { page, link: { link: `<${path}?${new URLSearchParams({ n, last: end })}>; rel="next"` } }
}

function firstAfter(sorted: readonly string[], last: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? '') <= last) low = middle + 1
    else high = middle
  }
  return low
}
