import { exclusionsOf, type ScanOutcome } from '../../../controllers/image-repository.ts'
import type { ImageRepository } from '../../../kinds/image.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { parseRepository, type Repository } from '../../../lib/oci/reference.ts'
import { summarizeScan } from '../../../pipeline/image/scan.ts'
import type { Deadline } from '../../../machine/deadlines.ts'
import { ApiError } from '../../kube/api-error.ts'
import type { RegistryClient } from '../../registry/client.ts'
import { RetryAfter } from '../../registry/pause.ts'
import type { Registries } from '../registries.ts'
import { registryFault, requestLine, TAG_LIST } from '../registry-fault.ts'

/** Scans the tags of an ImageRepository. Never throws for what the registry or the Secrets have done wrong. */
export async function scanRepository(
  registries: Registries,
  repository: ImageRepository,
  within: Deadline,
): Promise<ScanOutcome> {
  const target = parseRepository(repository.image)
  if (!target) return readFailed(`could not parse reference: ${repository.image}`)
  const asked = { ...target, path: TAG_LIST }
  let client: RegistryClient
  try {
    client = await registries.clientFor(repository, target)
  } catch (error) {
    if (!(error instanceof SluiceError) && !(error instanceof ApiError)) throw error
    const message = `failed to configure authentication options: ${error.message}`
    return { kind: 'failed', reason: 'AuthenticationFailed', message }
  }
  const askedBy = () => ({ ...repository, scheme: client.schemeOf(target.host) })
  try {
    const tags = await sharedListing(client, target, { timeoutMs: repository.timeoutMs, within })
    if (!tags)
      return readFailed(
        `${requestLine(asked, askedBy())}: NAME_UNKNOWN: repository name not known to registry; map[name:${target.repository}]`,
      )
    return { kind: 'scanned', result: summarizeScan(tags, exclusionsOf(repository)) }
  } catch (error) {
    if (error instanceof SluiceError) {
      const retryAfterMs = error.cause instanceof RetryAfter ? error.cause.afterMs : undefined
      return readFailed(registryFault(error, asked, askedBy()), retryAfterMs)
    }
    if (error instanceof Error && /abort|timeout/i.test(error.name))
      return readFailed(`${requestLine(asked, askedBy())}: context deadline exceeded`)
    throw error
  }
}

const underWay = new WeakMap<RegistryClient, Map<string, Promise<string[] | undefined>>>()

/** Many objects may name one image with one login: what is being asked already is not asked again. */
function sharedListing(
  client: RegistryClient,
  target: Repository,
  { timeoutMs, within }: { readonly timeoutMs: number; readonly within: Deadline },
): Promise<string[] | undefined> {
  const listings = underWay.get(client) ?? new Map<string, Promise<string[] | undefined>>()
  underWay.set(client, listings)
  const key = `${target.host}/${target.repository} ${timeoutMs}`
  const listing =
    listings.get(key) ?? client.listTags(target, { signal: within(timeoutMs) }).finally(() => listings.delete(key))
  listings.set(key, listing)
  return listing
}

function readFailed(why: string, retryAfterMs?: number): ScanOutcome {
  const message = `scan failed: ${why}`
  return {
    kind: 'failed',
    reason: 'ReadOperationFailed',
    message,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
}
