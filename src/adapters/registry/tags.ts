import { SluiceError } from '../../lib/error/sluice-error.ts'
import { LIMITS } from '../../lib/oci/limits.ts'
import type { Repository } from '../../lib/oci/reference.ts'
import { addressIn } from './endpoint.ts'
import { expectStatus, nameOf } from './expect-status.ts'
import { discard, readAnswer } from './http.ts'
import type { Session } from './session.ts'

const PAGE = 1000

/**
 * Lists every tag of a repository, page by page.
 *
 * Tolerant, because registries differ: Debian's ignores `n`, does not sort and sends no Link; some send a Link that leads back to
 * where we were. So pages are taken until there is no Link or nothing new comes, and the answer is sorted here.
 * @returns undefined when the registry does not know the repository
 */
export async function listTags(
  session: Session,
  of: Repository,
  signal: AbortSignal | undefined,
): Promise<string[] | undefined> {
  const tags = new Set<string>()
  const what = `tags of ${nameOf(of)}`
  let path: string | URL | undefined = `${of.repository}/tags/list?n=${PAGE}`
  for (let first = true; path !== undefined; first = false) {
    const answer = await session.ask({ method: 'GET', path, scope: `repository:${of.repository}:pull`, signal })
    if (answer.statusCode === 404 && first) {
      discard(answer)
      return undefined
    }
    await expectStatus(answer, [200], what)
    const before = tags.size
    for (const tag of readTags(await readAnswer(answer, 32 * 1024 * 1024, what), what)) tags.add(tag)
    if (tags.size > LIMITS.tags)
      throw new SluiceError('REGISTRY_LIMIT', `${what}: more than ${LIMITS.tags}`, { retry: 'backoff' })
    path = tags.size === before ? undefined : nextPage(answer.headers.link, path, session)
  }
  return [...tags].sort()
}

function readTags(body: Buffer, what: string): string[] {
  try {
    const { tags } = JSON.parse(body.toString('utf8')) as { tags?: unknown }
    if (tags === null || tags === undefined) return []
    if (Array.isArray(tags)) return tags.filter((tag): tag is string => typeof tag === 'string')
  } catch {
    // falls through to the error below
  }
  throw new SluiceError('REGISTRY_REFUSED', `${what}: the answer is not a list of tags`, { retry: 'backoff' })
}

function nextPage(link: string | string[] | undefined, path: string | URL, { endpoint }: Session): URL | undefined {
  const text = Array.isArray(link) ? link.join(',') : (link ?? '')
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(text)?.[1]
  if (target === undefined) return undefined
  const next = addressIn(target, path instanceof URL ? path : new URL(`/v2/${path}`, endpoint.base), endpoint)
  // Behind a proxy registries write their own idea of the host: only path and query count.
  return new URL(next.pathname + next.search, endpoint.base)
}
