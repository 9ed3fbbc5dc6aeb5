import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { parseRequestTarget } from '../../lib/net/request-target.ts'
import { closeServer } from '../../machine/close-server.ts'
import { describeError, SluiceError } from '../../lib/error/sluice-error.ts'
import { listenFault } from '../../machine/listen-fault.ts'
import { isForLoopback } from '../../lib/net/loopback.ts'
import { matchRoute, problem, type Route } from './route.ts'

/** Where the page listens, and how it stops. */
export type PageServer = { readonly url: string; readonly close: () => Promise<void> }

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-%'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
}

/**
 * Serves the page and its API on loopback. A request for another host name is refused: a web page elsewhere must not read this one (DNS rebinding).
 *
 * @throws SluiceError PORT_IN_USE, PORT_REFUSED
 * @param scriptHash base64 SHA-256 of the page's one script; nothing else may run in it
 */
export async function servePage(
  port: number,
  routes: readonly Route[],
  scriptHash: string,
  log: (line: string) => void,
): Promise<PageServer> {
  const server = createServer((req, res) => {
    answer(req, routes)
      .then((response) => send(response, scriptHash, req, res))
      .catch((error: unknown) => {
        log(`page: ${req.url}: ${describeError(error)}`)
        res.destroy()
      })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenFault(`127.0.0.1:${port}`, error)))
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  const actual = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `http://127.0.0.1:${actual}/`,
    close: () => closeServer(server),
  }
}

async function answer(req: IncomingMessage, routes: readonly Route[]): Promise<Response> {
  if (!isForLoopback(req.headers.host))
    return problem(421, 'HOST_UNKNOWN', `this server is not "${req.headers.host ?? ''}"`)
  const url = parseRequestTarget(req.url)
  if (url === undefined) return problem(404, 'NOT_FOUND', `${req.url} is no path`)
  const found = matchRoute(routes, req.method === 'HEAD' ? 'GET' : (req.method ?? ''), url.pathname)
  if (found === undefined) return problem(404, 'NOT_FOUND', `nothing is served at ${url.pathname}`)
  try {
    const headers = { authorization: req.headers.authorization ?? '' }
    return await found.route.handle(new Request(url, { method: found.route.method, headers }), found.params)
  } catch (error) {
    if (error instanceof SluiceError) return problem(400, error.code, describeError(error))
    throw error
  }
}

async function send(response: Response, scriptHash: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const headers = { ...HEADERS, ...Object.fromEntries(response.headers) }
  res.writeHead(response.status, {
    ...headers,
    'content-security-policy': HEADERS['content-security-policy'].replace('%', scriptHash),
  })
  if (req.method === 'HEAD') await response.body?.cancel()
  if (response.body === null || req.method === 'HEAD') return void res.end()
  await pump(response.body.getReader(), res)
}

/** @throws what the body ends with when it cannot be made to its end */
async function pump(reader: ReadableStreamDefaultReader<Uint8Array>, res: ServerResponse): Promise<void> {
  // a body that has failed says so to who reads it, and again here
  res.on('close', () => void reader.cancel().catch(() => undefined))
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (!res.write(value)) await drained(res)
  }
  res.end()
}

function drained(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      res.off('drain', settle).off('close', settle)
      resolve()
    }
    res.on('drain', settle).on('close', settle)
    if (res.destroyed) settle()
  })
}
