import http, { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { Call } from '../request/call.ts'
import { Fault } from '../fault.ts'
import { rewriteLinks } from './proxy-links.ts'
import { renderHead, tie } from './tunnel.ts'

/** Where a request goes on. */
export type Backend = {
  /** With its query. */
  readonly path: string
  /** Path of the API below which the backend's root is. */
  readonly prefix: string
  readonly isTls: boolean
  /** What the backend is told as its host; and where it is, unless there is `dial`. */
  readonly address: { readonly host: string; readonly port: number }
  /** Opens a connection to it. */
  readonly dial?: () => Promise<Duplex>
  readonly key?: string
  readonly cert?: string
}

/** Headers that belong to one connection, or tell who the client is. */
const DROPPED =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|authorization|impersonate-.*|host)$/
const MAX_PAGE_BYTES = 4 * 1024 * 1024

/**
 * Sends a request on and its answer back, both as they come; an upgrade ties the two connections.
 *
 * @throws Fault 503 when the backend does not answer
 */
export function forwardHttp(call: Call, response: ServerResponse, backend: Backend): Promise<void> {
  const { req: incoming } = response
  return new Promise((resolve, reject) => {
    const outgoing = send(call, incoming, backend)
    const unreachable = (error: Error): void => {
      if (response.headersSent) return void response.destroy()
      reject(new Fault(503, 'ServiceUnavailable', `error trying to reach service: ${error.message}`))
    }
    outgoing.on('error', unreachable)
    response.once('close', () => {
      outgoing.destroy()
      resolve()
    })
    outgoing.on('upgrade', (answer, upstream, head) => {
      const { connection } = call
      if (connection === undefined) return void outgoing.destroy(new Error('the backend speaks another protocol'))
      response.detachSocket(connection.socket)
      connection.socket.write(renderHead(answer))
      tie(connection, upstream, head)
      resolve()
    })
    outgoing.on('response', (answer) => answerWith(response, answer, backend, unreachable))
    if (call.connection === undefined) incoming.pipe(outgoing)
    else outgoing.end()
  })
}

function send({ method, connection }: Call, incoming: IncomingMessage, backend: Backend): http.ClientRequest {
  const { address, isTls, dial, path, key, cert } = backend
  const headers: OutgoingHttpHeaders = { host: `${address.host}:${address.port}` }
  for (const [name, value] of Object.entries(incoming.headers)) if (!DROPPED.test(name)) headers[name] = value
  if (incoming.headers['transfer-encoding'] !== undefined) headers['transfer-encoding'] = 'chunked'
  if (connection !== undefined) Object.assign(headers, { connection: 'Upgrade', upgrade: incoming.headers.upgrade })
  headers['x-forwarded-uri'] = `${backend.prefix}${path}`
  headers['x-forwarded-host'] = incoming.headers.host
  headers['x-forwarded-proto'] = 'https'
  const tls = { rejectUnauthorized: false, ...(key === undefined ? {} : { key, cert }) }
  if (dial === undefined) return https.request({ ...address, ...tls, method, path, headers, agent: false })
  // TLS to a pod goes over the connection that is dialled: for http it is one like any other
  return http.request({
    ...address,
    method,
    path,
    headers,
    createConnection(_options, done) {
      dial().then(
        (stream) => done(null, isTls ? connectTls({ socket: stream, ...tls }) : stream),
        (error: Error) => done(error, undefined as never),
      )
      return undefined
    },
  })
}

/** Pages may name paths from the root of their host, which lies elsewhere here: their links are moved. */
function answerWith(
  response: ServerResponse,
  answer: IncomingMessage,
  { prefix }: Backend,
  failed: (error: Error) => void,
): void {
  const headers: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries(answer.headers))
    if (!/^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/.test(name)) headers[name] = value
  const { location } = answer.headers
  if (location?.startsWith('/') && !location.startsWith('//')) headers.location = prefix + location
  answer.on('error', failed)
  const isPage =
    /^text\/html\b/.test(answer.headers['content-type'] ?? '') && answer.headers['content-encoding'] === undefined
  if (!isPage || response.req.method === 'HEAD') {
    response.writeHead(answer.statusCode ?? 502, headers)
    answer.pipe(response)
    return
  }
  delete headers['content-length']
  response.writeHead(answer.statusCode ?? 502, headers)
  const chunks: Buffer[] = []
  let sizeBytes = 0
  const collect = (chunk: Buffer): void => {
    chunks.push(chunk)
    sizeBytes += chunk.length
    if (sizeBytes <= MAX_PAGE_BYTES) return
    // too large a page is shown as it is
    answer.removeListener('data', collect)
    for (const each of chunks.splice(0)) response.write(each)
    answer.pipe(response)
  }
  answer.on('data', collect)
  answer.on('end', () => {
    if (chunks.length > 0) response.write(rewriteLinks(Buffer.concat(chunks).toString('utf8'), prefix))
    response.end()
  })
}
