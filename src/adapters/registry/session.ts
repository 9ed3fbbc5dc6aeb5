import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { parseChallenge, type Challenge } from '../../lib/oci/challenge.ts'
import { LIMITS } from '../../lib/oci/limits.ts'
import { chooseScheme } from './choose-scheme.ts'
import { addressIn, checkTarget, type Endpoint, publicLookup } from './endpoint.ts'
import { discard, readAnswer, StaleConnection, type Call, type Transport } from './http.ts'
import { createPause, type Pause, pauseOf } from './pause.ts'

/** A user's name and password (or token) for one registry. */
export type Credentials = { readonly username: string; readonly password: string }

/** A request to a registry, path relative to its `/v2/`. */
export type Ask = {
  readonly method: string
  readonly path: string | URL
  readonly scope: string
  readonly headers?: OutgoingHttpHeaders
  /** Made anew for every attempt, since a stream can be read only once. */
  readonly body?: () => Call['body']
  readonly signal?: AbortSignal | undefined
}

/** Speaks to one registry: authenticates when asked to, follows redirects without the credentials. */
export type Session = {
  readonly endpoint: Endpoint
  readonly ask: (ask: Ask) => Promise<IncomingMessage>
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** Opens a session; nothing is sent before the first `ask`. Who logs in or out meanwhile is heard: `credentials` is asked each time. */
export function openSession(
  wished: Endpoint,
  transport: Transport,
  credentials: () => Credentials | undefined,
): Session {
  if (wished.plain === undefined) return openAt(wished, transport, credentials)
  let endpoint = wished
  let opening: Promise<Session> | undefined
  const open = async (): Promise<Session> => {
    const { isGuess = false, isLoopback } = wished
    if (isGuess && credentials() !== undefined) {
      endpoint = { base: wished.base, isLoopback }
      return openAt(endpoint, transport, credentials)
    }
    const { base, answer } = await chooseScheme(wished, transport)
    endpoint = { base, isLoopback }
    // Who logs in later is not told in the open, either.
    const mayTell = !isGuess || base.protocol === 'https:'
    return openAt(endpoint, transport, mayTell ? credentials : () => undefined, createPause(endpoint, pauseOf(answer)))
  }
  return {
    get endpoint() {
      return endpoint
    },
    async ask(ask) {
      ask.signal?.throwIfAborted()
      opening ??= open().catch((error: unknown) => {
        opening = undefined
        throw error
      })
      try {
        // Others may wait for the same answer: who gives up leaves it to them.
        return await (await orAborted(opening, ask.signal)).ask(ask)
      } catch (error) {
        // It may come back with the other one.
        if (error instanceof SluiceError && error.code === 'REGISTRY_UNREACHABLE') opening = undefined
        throw error
      }
    },
  }
}

/** What comes of some work, unless the signal comes first. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

/** Opens a session with a registry of which is known what it speaks. */
function openAt(
  endpoint: Endpoint,
  transport: Transport,
  credentials: () => Credentials | undefined,
  pause: Pause = createPause(endpoint),
): Session {
  const keys = createKeys(endpoint, transport, credentials)
  const target = (path: string | URL): URL => (path instanceof URL ? path : new URL(`/v2/${path}`, endpoint.base))

  const isOwn = (ask: Ask): boolean => target(ask.path).origin === endpoint.base.origin
  const attemptOnce = (ask: Ask, authorization: string | undefined): Promise<IncomingMessage> => {
    const url = target(ask.path)
    checkTarget(endpoint, url)
    return transport.send({
      method: ask.method,
      url,
      headers: { ...ask.headers, ...(authorization === undefined ? {} : { authorization }) },
      ...bodyOf(ask),
      signal: ask.signal,
      lookup: isOwn(ask) || endpoint.isLoopback ? undefined : publicLookup,
    })
  }

  const attempt = (ask: Ask, key: string | undefined): Promise<IncomingMessage> =>
    retryStale(ask, () => attemptOnce(ask, key))

  return {
    endpoint,
    async ask(ask) {
      pause.check()
      const key = isOwn(ask) ? keys.of(ask.scope) : undefined
      let answer = await attempt(ask, key)
      pause.heed(answer)
      if (answer.statusCode === 401 && isOwn(ask)) {
        if (await keys.get(ask, answer, key)) {
          discard(answer)
          answer = await attempt(ask, keys.of(ask.scope))
          pause.heed(answer)
        }
      }
      return follow(ask, answer, endpoint, transport)
    },
  }
}

/** What opens the registry, by scope. */
function createKeys(endpoint: Endpoint, transport: Transport, credentials: () => Credentials | undefined) {
  const authorizations = new Map<string, string>()
  let owner = credentials()
  /** What was got with another login opens nothing any more. */
  const login = (): Credentials | undefined => {
    const now = credentials()
    if (now?.username !== owner?.username || now?.password !== owner?.password) authorizations.clear()
    return (owner = now)
  }
  const of = (scope: string): string | undefined => {
    login()
    return authorizations.get(scope) ?? authorizations.get('')
  }
  const answerChallenge = async (ask: Ask, header: string | undefined, sent: string | undefined): Promise<boolean> => {
    const challenge = parseChallenge(header)
    if (challenge === undefined) return false
    const before = of(ask.scope)
    // Another request was refused in the same moment, and has got the key meanwhile.
    if (before !== undefined && before !== sent) return true
    const known = login()
    if (challenge.scheme === 'basic') {
      if (known === undefined || before !== undefined) return false
      authorizations.set('', basic(known))
      return true
    }
    const token = await fetchToken(endpoint, transport, challenge, ask, known)
    if (token === undefined) return false
    authorizations.set(ask.scope, `Bearer ${token}`)
    return `Bearer ${token}` !== before
  }
  return {
    of,
    /** Gets what a refusal of a request with the key `sent` asks for; false when there is nothing more to try, and the refusal is the answer. */
    async get(ask: Ask, refusal: IncomingMessage, sent: string | undefined): Promise<boolean> {
      try {
        return await answerChallenge(ask, refusal.headers['www-authenticate'], sent)
      } catch (error) {
        discard(refusal)
        throw error
      }
    },
  }
}

/** A kept connection may have been closed before it saw the request; then it is asked once more. */
async function retryStale(ask: Ask, once: (ask: Ask) => Promise<IncomingMessage>): Promise<IncomingMessage> {
  try {
    return await once(ask)
  } catch (error) {
    const isStale = error instanceof SluiceError && error.cause instanceof StaleConnection
    if (!isStale || ask.method === 'PATCH') throw error
    return once(ask)
  }
}

/** Follows up to five redirects of a GET or HEAD; the credentials stay with the registry. */
async function follow(
  ask: Ask,
  first: IncomingMessage,
  endpoint: Endpoint,
  transport: Transport,
): Promise<IncomingMessage> {
  let answer = first
  let url = ask.path instanceof URL ? ask.path : new URL(`/v2/${ask.path}`, endpoint.base)
  for (let hops = 0; REDIRECTS.has(answer.statusCode ?? 0) && answer.headers.location !== undefined; hops++) {
    if (ask.method !== 'GET' && ask.method !== 'HEAD') return answer
    discard(answer)
    if (hops === 5)
      throw new SluiceError('REGISTRY_REFUSED', `registry ${endpoint.base.host} redirects in circles`, {
        retry: 'backoff',
      })
    url = addressIn(answer.headers.location, url, endpoint)
    checkTarget(endpoint, url)
    const lookup = endpoint.isLoopback || url.host === endpoint.base.host ? undefined : publicLookup
    const { accept, range } = ask.headers ?? {}
    const headers = { ...(accept === undefined ? {} : { accept }), ...(range === undefined ? {} : { range }) }
    answer = await transport.send({ method: ask.method, url, headers, signal: ask.signal, lookup })
  }
  return answer
}

async function fetchToken(
  endpoint: Endpoint,
  transport: Transport,
  challenge: Extract<Challenge, { scheme: 'bearer' }>,
  ask: Ask,
  credentials: Credentials | undefined,
): Promise<string | undefined> {
  const url = addressIn(challenge.realm, endpoint.base, endpoint)
  checkTarget(endpoint, url)
  if (challenge.service !== undefined) url.searchParams.set('service', challenge.service)
  const scope = ask.scope || challenge.scope
  if (scope) url.searchParams.set('scope', scope)
  const mayKnow = credentials !== undefined && isSameOwner(endpoint.base, url)
  if (mayKnow) url.searchParams.set('account', credentials.username)
  const answer = await transport.send({
    method: 'GET',
    url,
    headers: { accept: 'application/json', ...(mayKnow ? { authorization: basic(credentials) } : {}) },
    signal: ask.signal,
    lookup: endpoint.isLoopback || url.host === endpoint.base.host ? undefined : publicLookup,
  })
  const body = await readAnswer(answer, LIMITS.answerBytes, `token of ${url.host}`)
  if (answer.statusCode !== 200) return undefined
  return readToken(body)
}

function readToken(body: Buffer): string | undefined {
  try {
    const value = JSON.parse(body.toString('utf8')) as Record<string, unknown>
    const token = value['token'] ?? value['access_token']
    return typeof token === 'string' && /^[\x21-\x7e]+$/.test(token) ? token : undefined
  } catch {
    return undefined
  }
}

/** Credentials go to a token server only when it is the registry itself or shares its last two labels (auth.docker.io). */
function isSameOwner(registry: URL, realm: URL): boolean {
  const owner = (hostname: string): string =>
    hostname
      .split('.')
      .slice(/\.[a-z]{2,3}\.[a-z]{2}$/.test(hostname) ? -3 : -2)
      .join('.')
  if (registry.hostname === realm.hostname) return true
  if (/^[\d.]+$|:/.test(registry.hostname) || realm.protocol !== 'https:') return false
  return registry.hostname.includes('.') && owner(registry.hostname) === owner(realm.hostname)
}

function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function bodyOf(ask: Ask): Pick<Call, 'body'> {
  const body = ask.body?.()
  return body === undefined ? {} : { body }
}
