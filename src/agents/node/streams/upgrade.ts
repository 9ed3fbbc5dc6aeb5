import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { handshakeFault, isWebSocket, offeredProtocols, renderAccept } from '../../../lib/websocket/handshake.ts'

/** What a request to upgrade agreed on. */
export type Agreed =
  { readonly carrier: 'spdy'; readonly protocol: string } | { readonly carrier: 'websocket'; readonly protocol: string }

/**
 * Agrees on a carrier and a protocol, and says so to the client; or refuses and ends the connection.
 *
 * @param spdy protocols that are spoken over SPDY/3.1, none of them named by an old client means `''`
 */
export function agree(
  { method = '', headers }: IncomingMessage,
  socket: Duplex,
  spoken: { readonly spdy: readonly string[]; readonly websocket: readonly string[] },
): Agreed | undefined {
  if (isWebSocket(headers)) {
    const fault = handshakeFault(method, headers)
    if (fault !== undefined) return refuse(socket, '400 Bad Request', fault)
    const offered = offeredProtocols(headers)
    const protocol = offered.find((name) => spoken.websocket.includes(name))
    if (protocol === undefined)
      return refuse(socket, '400 Bad Request', `requested protocol(s) are not supported: [${offered.join(' ')}]`)
    socket.write(renderAccept(String(headers['sec-websocket-key']), protocol))
    return { carrier: 'websocket', protocol }
  }
  if (String(headers.upgrade ?? '').toLowerCase() !== 'spdy/3.1')
    return refuse(socket, '400 Bad Request', 'unable to upgrade: missing upgrade headers in request')
  const offered = String(headers['x-stream-protocol-version'] ?? '')
    .split(',')
    .map((name) => name.trim())
  const protocol = offered.find((name) => spoken.spdy.includes(name))
  if (protocol === undefined) {
    const why = `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${spoken.spdy.join(' ')}]`
    const accepted = spoken.spdy.map((name) => `X-Accepted-Stream-Protocol-Versions: ${name}`)
    return refuse(socket, '403 Forbidden', why, accepted)
  }
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: SPDY/3.1']
  if (protocol !== '') lines.push(`X-Stream-Protocol-Version: ${protocol}`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  return { carrier: 'spdy', protocol }
}

/** Answers a request that is not upgraded. */
export function refuse(socket: Duplex, status: string, why: string, headers: readonly string[] = []): undefined {
  const body = Buffer.from(`${why}\n`)
  const lines = [
    `HTTP/1.1 ${status}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
    'Connection: close',
    ...headers,
  ]
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body.toString('utf8')}`)
}
