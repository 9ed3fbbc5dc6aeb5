import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { readList, readText } from '../../../lib/kube/read.ts'
import { guardedRequest } from '../../net/guarded-request.ts'
import type { EngineContext } from '../context.ts'

const GOOGLE_KEYS = 'https://www.googleapis.com/oauth2/v3/certs'
const KEEP_MS = 10 * 60_000
const TIMEOUT_MS = 10_000
const MOST_ISSUERS = 100

type Means = Pick<EngineContext, 'clock' | 'hookReach' | 'within'>

/**
 * Fetches the public keys of issuers of tokens (`google` for Google's own), each at most once in ten minutes.
 *
 * @throws SluiceError JWT_INVALID when an issuer does not say its keys
 */
export function openSigningKeys(means: Means): (issuer: string) => Promise<readonly unknown[]> {
  const known = new Map<string, { readonly untilMs: number; readonly keys: Promise<readonly unknown[]> }>()
  return (issuer) => {
    const found = known.get(issuer)
    if (found && found.untilMs > means.clock.monotonicMs()) return found.keys
    const keys = fetchKeys(issuer, means)
    if (known.size >= MOST_ISSUERS) known.clear()
    known.set(issuer, { untilMs: means.clock.monotonicMs() + KEEP_MS, keys })
    keys.catch(() => known.delete(issuer))
    return keys
  }
}

async function fetchKeys(issuer: string, means: Means): Promise<readonly unknown[]> {
  if (issuer === 'google') return readList(await fetchJson(GOOGLE_KEYS, means), 'keys')
  const discovery = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, means)
  if (readText(discovery, 'issuer') !== issuer)
    throw new SluiceError('JWT_INVALID', `the issuer "${issuer}" names itself "${readText(discovery, 'issuer')}"`)
  return readList(await fetchJson(readText(discovery, 'jwks_uri'), means), 'keys')
}

async function fetchJson(url: string, { hookReach, within }: Means): Promise<unknown> {
  const options = { reach: hookReach, timeoutMs: TIMEOUT_MS, within }
  try {
    const { status, text } = await guardedRequest({ method: 'GET', url, headers: {} }, options)
    if (status !== 200) throw new SluiceError('JWT_INVALID', `the issuer answered ${status}`)
    return JSON.parse(text)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new SluiceError('JWT_INVALID', `the keys of the issuer cannot be fetched: ${why}`, { cause: error })
  }
}
