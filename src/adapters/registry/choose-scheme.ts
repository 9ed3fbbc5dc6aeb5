import { type IncomingMessage, STATUS_CODES } from 'node:http'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { Endpoint } from './endpoint.ts'
import { discard, type Transport } from './http.ts'
import { pauseOf } from './pause.ts'

/** How long HTTPS may be silent before plain HTTP is tried beside it, as in Flux's library. */
const HEAD_START_MS = 300

/** The cause of a REGISTRY_UNREACHABLE: why not by HTTPS, and why not by HTTP. */
export class NeitherScheme extends Error {
  readonly attempts: readonly unknown[]
  constructor(attempts: readonly unknown[]) {
    super(attempts.map((error) => (error instanceof Error ? error.message : String(error))).join('; '))
    this.attempts = attempts
  }
}

/** Where a registry answers, and what. */
type Found = { readonly base: URL; readonly answer: IncomingMessage }

/**
 * Finds out which of both a registry speaks, HTTPS first; no login is sent for it. One that wants to be left alone is found, too.
 *
 * @throws SluiceError REGISTRY_UNREACHABLE whose cause is a NeitherScheme; the fault of HTTPS where HTTP may not be tried after it
 */
export async function chooseScheme({ base, plain = base, isGuess }: Endpoint, transport: Transport): Promise<Found> {
  const answers = async (url: URL): Promise<Found> => {
    const asked = new URL('/v2/', url)
    const answer = await transport.send({ method: 'GET', url: asked })
    discard(answer)
    const { statusCode = 0 } = answer
    if (statusCode === 200 || statusCode === 401 || pauseOf(answer) !== undefined) return { base: url, answer }
    const said = `${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trim()
    throw new SluiceError('REGISTRY_REFUSED', `GET ${asked.href}: unexpected status code ${said}`, { retry: 'backoff' })
  }
  const secure = answers(base)
  const otherwise = silence(secure, (error) => isGuess !== true || speaksNoTls(error)).then(() => answers(plain))
  try {
    return await Promise.any([secure, otherwise])
  } catch (error) {
    const { errors } = error as AggregateError
    if (errors[0] === errors[1]) throw errors[0]
    const cause = new NeitherScheme(errors)
    throw new SluiceError('REGISTRY_UNREACHABLE', cause.message, { retry: 'backoff', cause })
  }
}

/** Resolves when an attempt has failed so that another may follow, or has said nothing for a while; never when it went well. */
function silence(attempt: Promise<unknown>, mayFollow: (error: unknown) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(resolve, HEAD_START_MS)
    attempt.then(
      () => clearTimeout(late),
      (error: unknown) => {
        clearTimeout(late)
        if (mayFollow(error)) resolve()
        else reject(error)
      },
    )
  })
}

/** Whether nobody spoke TLS there. A certificate that is not trusted, or an answer, says that somebody does. */
function speaksNoTls(error: unknown): boolean {
  if (!(error instanceof SluiceError) || !(error.cause instanceof Error)) return false
  const { code = '', message } = error.cause as NodeJS.ErrnoException
  return (
    /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT)$/.test(code) || /wrong version number|packet length too long/.test(message)
  )
}
