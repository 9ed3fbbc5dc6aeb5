import http from 'node:http'
import { isIPv6 } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Driver } from '../../driver.ts'
import type { Target } from '../../keeper/messages.ts'
import type { HttpGet } from '../shapes.ts'
import type { ActionResult } from './probe-state.ts'

const MOST_HOPS = 10
const MOST_HEAD = 16_384

/**
 * Asks a page as a kubelet does: 200 to 399 is well. It is led on within the same host only; who is sent elsewhere is well, and said to be odd.
 *
 * @see k8s.io/kubernetes/pkg/probe/http
 */
export async function checkHttp(driver: Driver, get: HttpGet, at: Target, timeoutMs: number): Promise<ActionResult> {
  const endsAtMs = performance.now() + timeoutMs
  let url = urlOf(get, at)
  try {
    for (let hop = 0; hop < MOST_HOPS; hop++) {
      const { status, location } = await ask(driver, url, get, endsAtMs - performance.now())
      const next = location === undefined ? undefined : new URL(location, url)
      if (next !== undefined && next.hostname === url.hostname) url = next
      else return judge(status)
    }
    throw new Error('stopped after 10 redirects')
  } catch (error) {
    return { ok: false, message: `Get "${url}": ${inGo(error, portOfUrl(url))}` }
  }
}

/** What is wrong with a connection, as a program in Go says it. */
export function inGo(error: unknown, { host, port }: Target): string {
  const text = error instanceof Error ? error.message : String(error)
  const why = [...FAULTS].find(([code]) => text.includes(code))?.[1]
  if (why !== undefined) return `dial tcp ${hostOf(host)}:${port}: connect: ${why}`
  return text === 'connection closed' || text.includes('ECONNRESET') ? 'EOF' : text
}

const FAULTS = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['EHOSTUNREACH', 'no route to host'],
  ['ENETUNREACH', 'network is unreachable'],
])

function judge(status: number): ActionResult {
  if (status >= 300 && status < 400)
    return { ok: true, isOdd: true, message: 'Probe terminated redirects, Response body: ' }
  if (status >= 200 && status < 300) return { ok: true, message: '' }
  return { ok: false, message: `HTTP probe failed with statuscode: ${status}` }
}

function urlOf(get: HttpGet, { host, port }: Target): URL {
  const scheme = get.scheme?.toUpperCase() === 'HTTPS' ? 'https' : 'http'
  return new URL(`${scheme}://${hostOf(host)}:${port}${pathOf(get.path)}`)
}

function hostOf(host: string): string {
  return isIPv6(host) ? `[${host}]` : host
}

function portOfUrl({ hostname, port, protocol }: URL): Target {
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (protocol === 'https:' ? 443 : 80)) }
}

/**
 * The request of a probe; the action's headers stand in the place of ours, each as often as it is named, but for an empty `Accept` or `User-Agent`, which
 * is none. Throws when a header would say more than itself.
 */
export function renderGet(get: HttpGet, at: Target): string {
  const given = get.httpHeaders ?? []
  const host = given.find(({ name }) => isHost(name))
  // of several hosts the first counts, and an empty one is none
  const own = given.filter((each) => !isHost(each.name) || (each === host && each.value !== ''))
  for (const { name, value } of given) {
    http.validateHeaderName(name)
    http.validateHeaderValue(name, value)
  }
  const ours = [
    { name: 'Host', value: `${at.host}:${at.port}` },
    { name: 'User-Agent', value: 'kube-probe/1.37' },
    { name: 'Accept', value: '*/*' },
    { name: 'Connection', value: 'close' },
  ].filter(({ name }) => !own.some((each) => each.name.toLowerCase() === name.toLowerCase()))
  const said = [...ours, ...own].filter(({ name, value }) => value !== '' || !/^(accept|user-agent)$/i.test(name))
  const lines = said.map(({ name, value }) => `${name}: ${value}`)
  return [`GET ${pathOf(get.path)} HTTP/1.1`, ...lines, '', ''].join('\r\n')
}

const isHost = (name: string): boolean => name.toLowerCase() === 'host'

function pathOf(path = '/'): string {
  return `/${path.replace(/^\//, '')}`.replace(/[^\x21-\x7e]+/g, encodeURIComponent)
}

type Head = { readonly status: number; readonly location: string | undefined }

/** The first line is all that is read of most answers; where one leads elsewhere it is asked again for its head. */
async function ask(driver: Driver, url: URL, get: HttpGet, timeoutMs: number): Promise<Head> {
  const at = portOfUrl(url)
  const request = renderGet({ ...get, path: url.pathname + url.search }, at)
  const isTls = url.protocol === 'https:'
  if (!isTls) {
    const status = statusOf(await driver.greet(at, request, timeoutMs))
    if (status < 300 || status >= 400) return { status, location: undefined }
  }
  const head = await readHead(driver, at, { request, isTls, timeoutMs })
  const [line = '', ...fields] = head.split(/\r?\n/)
  const location = fields.find((field) => /^location:/i.test(field))?.replace(/^location:\s*/i, '')
  const status = statusOf(line)
  return { status, location: [301, 302, 303, 307, 308].includes(status) ? location?.trimEnd() : undefined }
}

function statusOf(line: string): number {
  const status = Number(/^HTTP\/1\.\d (\d{3})\b/.exec(line)?.[1])
  if (Number.isNaN(status)) throw new Error(`malformed HTTP response ${JSON.stringify(line.slice(0, 100))}`)
  return status
}

async function readHead(
  driver: Driver,
  at: Target,
  o: { readonly request: string; readonly isTls: boolean; readonly timeoutMs: number },
): Promise<string> {
  return withTimeout(o.timeoutMs, async (signal) => {
    const plain = await driver.connect(at)
    const socket = o.isTls ? connectTls({ socket: plain, rejectUnauthorized: false }) : plain
    signal.addEventListener('abort', () => socket.destroy())
    socket.write(o.request, 'latin1')
    try {
      let text = ''
      for await (const chunk of socket) {
        text += Buffer.from(chunk).toString('latin1')
        if (/\r?\n\r?\n/.test(text) || text.length > MOST_HEAD) break
      }
      return text
    } finally {
      socket.destroy()
    }
  })
}

async function withTimeout<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => {
        stop.abort()
        reject(new Error(TOO_LATE))
      },
      Math.max(timeoutMs, 1),
    )
  })
  const result = work(stop.signal)
  result.catch(() => undefined)
  return Promise.race([result, late]).finally(() => clearTimeout(timer))
}

const TOO_LATE = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
