import http from 'node:http'
import https from 'node:https'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { RemoteRef } from '../../pipeline/source/select-ref.ts'
import { type HttpProxy, proxyOptions } from '../net/http-proxy.ts'
import { tlsOptions, type TlsTrust } from '../net/tls-trust.ts'
import { connectFault } from '../net/connect-fault.ts'
import { maskPassword } from './url.ts'

/** How to log in at a Git host over HTTP. */
export type HttpLogin = {
  /** The value of the Authorization header. */
  readonly authorization?: string
  readonly trust?: TlsTrust
  readonly proxy?: HttpProxy
}

const LARGEST_LIST_BYTES = 64 * 1024 * 1024

/**
 * Lists the refs of a repository over smart HTTP: one request, no process. Annotated tags answer with the commit they point at.
 *
 * Redirects are followed on the same host only, so that a login never travels to another one.
 * @param traps with `flux` a slash at the end of the address counts, and most hosts then have no such repository
 * @throws SluiceError GIT_REMOTE (retry: backoff) when the host does not answer, refuses the login or has no such repository
 */
export async function listRemoteRefs(
  url: string,
  login: HttpLogin,
  signal: AbortSignal,
  traps: 'safe' | 'flux' = 'safe',
): Promise<RemoteRef[]> {
  const base = traps === 'flux' ? url : url.replace(/\/$/, '')
  const address = new URL(`${base}/info/refs?service=git-upload-pack`)
  const shown = maskPassword(address.href)
  address.username = ''
  address.password = ''
  return parseAdvertisement(await get(address, shown, login, signal, 5))
}

async function get(url: URL, shown: string, login: HttpLogin, signal: AbortSignal, hops: number): Promise<Buffer> {
  const { status, headers, body } = await request(url, shown, login, signal)
  if (status >= 300 && status < 400 && headers.location !== undefined && hops > 0) {
    const { location } = headers
    if (!URL.canParse(location, url.href))
      throw remoteError(`redirected to "${location.slice(0, 200)}", which is no address`)
    const next = new URL(location, url)
    if (next.hostname !== url.hostname || (next.port !== url.port && next.protocol === url.protocol))
      throw remoteError(`redirected to another host: ${next.host}`)
    if (next.protocol !== 'https:' && next.protocol !== url.protocol)
      throw remoteError(
        `redirected from ${url.protocol.slice(0, -1)} to ${next.protocol}//, where a login would be read by everybody on the way`,
      )
    return get(next, shown, login, signal, hops - 1)
  }
  if (status === 401) throw remoteError('authentication required: Unauthorized')
  if (status === 403) throw remoteError('authorization failed: Forbidden')
  if (status === 404) throw remoteError('repository not found: ')
  if (status !== 200)
    throw remoteError(`unexpected client error: unexpected requesting "${shown}" status code: ${status}`)
  return body
}

type Answer = { readonly status: number; readonly headers: http.IncomingHttpHeaders; readonly body: Buffer }

function request(url: URL, shown: string, login: HttpLogin, signal: AbortSignal): Promise<Answer> {
  const { authorization, trust = {}, proxy } = login
  const route = proxy ? proxyOptions(proxy, url, trust) : { agent: false as const, ...tlsOptions(trust) }
  const headers = {
    'user-agent': 'git/2.40.0 (sluice)',
    accept: '*/*',
    ...(authorization === undefined ? {} : { authorization }),
    ...route.headers,
  }
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      const why = connectFault(error, { url: proxy?.url ?? url, isProxy: proxy !== undefined })
      reject(remoteError(`Get "${shown}": ${why}`, error))
    }
    const options = { ...route, headers, signal }
    const sent = (url.protocol === 'https:' ? https : http).get(url, options, (answer) => {
      const chunks: Buffer[] = []
      let size = 0
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > LARGEST_LIST_BYTES) sent.destroy(new Error('the list of refs is larger than 64 MiB'))
        else chunks.push(chunk)
      })
      answer.on('error', fail)
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
      )
    })
    sent.on('error', fail)
  })
}

/** A fault at the remote: another try may help. */
export function remoteError(message: string, cause?: unknown): SluiceError {
  return new SluiceError('GIT_REMOTE', message, { retry: 'backoff', cause })
}

/**
 * Reads the ref advertisement of protocol 0: pkt-lines, `<hash> <name>`, capabilities after a NUL in the first. Without the flush at its end it is
 * a part of one, which HTTP does not show where the end of the connection ends the answer.
 */
function parseAdvertisement(body: Buffer): RemoteRef[] {
  const lines = [...pktLines(body)]
  const list = lines[0]?.startsWith('# service=') ? lines.slice(lines.indexOf(undefined) + 1) : lines
  if (list.length === 0 || list.at(-1) !== undefined)
    throw remoteError('unexpected EOF: the list of refs of the host has no end')
  return peelRefs(
    list.flatMap((line) => {
      const [, hash, name] = /^([0-9a-f]{40,64}) ([^\0\n]+)/.exec(line ?? '') ?? []
      return hash === undefined || name === undefined || name === 'capabilities^{}' ? [] : [{ name, hash }]
    }),
  )
}

/** Joins each ref with its `^{}` line: what an annotated tag points at, beside the tag itself. */
export function peelRefs(lines: readonly { readonly name: string; readonly hash: string }[]): RemoteRef[] {
  const refs = new Map<string, RemoteRef>()
  for (const { name, hash } of lines) {
    const plain = name.replace(/\^\{\}$/, '')
    const tag = refs.get(plain)?.commit
    refs.set(
      plain,
      plain === name || tag === undefined ? { name: plain, commit: hash } : { name: plain, commit: hash, tag },
    )
  }
  return [...refs.values()]
}

/** The lines that are there as a whole, and `undefined` for the flush that ends a list of them. */
function* pktLines(body: Buffer): Generator<string | undefined> {
  for (let at = 0; at + 4 <= body.length;) {
    const length = Number.parseInt(body.toString('latin1', at, at + 4), 16)
    if (!(length >= 0)) throw remoteError('the host does not speak the Git protocol')
    const end = at + Math.max(length, 4)
    if (end > body.length) return
    yield length === 0 ? undefined : body.toString('utf8', at + 4, end)
    at = end
  }
}
