import { STATUS_CODES } from 'node:http'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Endpoint } from './endpoint.ts'
import { discard, type Transport } from './http.ts'

/** How long HTTPS may be silent before plain HTTP is tried beside it, as in Flux's library. */
const HEAD_START_MS = 300

/**
 * Finds out which of both a registry speaks, HTTPS first; no login is sent for it.
 *
 * @throws SluiceError REGISTRY_UNREACHABLE whose cause is an AggregateError with why not by HTTPS, and why not by HTTP
 */
export async function chooseScheme(
  { base, plain = base, isLoopback }: Endpoint,
  transport: Transport,
): Promise<Endpoint> {
  const answers = async (url: URL): Promise<Endpoint> => {
    const asked = new URL('/v2/', url)
    const answer = await transport.send({ method: 'GET', url: asked })
    discard(answer)
    const { statusCode = 0 } = answer
    if (statusCode === 200 || statusCode === 401) return { base: url, isLoopback }
    const said = `${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trim()
    throw new SluiceError('REGISTRY_REFUSED', `GET ${asked.href}: unexpected status code ${said}`, { retry: 'backoff' })
  }
  const secure = answers(base)
  const otherwise = silence(secure).then(() => answers(plain))
  try {
    return await Promise.any([secure, otherwise])
  } catch (cause) {
    const { errors } = cause as AggregateError
    const why = errors.map((error) => (error instanceof Error ? error.message : String(error))).join('; ')
    throw new SluiceError('REGISTRY_UNREACHABLE', why, { retry: 'backoff', cause })
  }
}

/** Resolves when an attempt has failed, or has said nothing for a while; never when it went well. */
function silence(attempt: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, HEAD_START_MS)
    attempt.then(
      () => clearTimeout(late),
      () => {
        clearTimeout(late)
        resolve()
      },
    )
  })
}
