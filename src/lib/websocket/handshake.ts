import { createHash } from 'node:crypto'

/** Headers of a request, as Node gives them: names in lower case. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** The answer to `Sec-WebSocket-Key`. @see https://www.rfc-editor.org/rfc/rfc6455#section-4.2.2 */
export function acceptKey(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64')
}

/** Whether a request asks for a WebSocket. */
export function isWebSocket(headers: Headers): boolean {
  return String(headers['upgrade'] ?? '').toLowerCase() === 'websocket'
}

/** What is wrong with the handshake of a client; undefined when it is sound. */
export function handshakeFault(method: string, headers: Headers): string | undefined {
  if (method !== 'GET') return 'a WebSocket begins with GET'
  if (headers['sec-websocket-version'] !== '13') return 'only version 13 of WebSocket is spoken here'
  const key = headers['sec-websocket-key']
  if (typeof key !== 'string' || Buffer.from(key, 'base64').length !== 16)
    return 'Sec-WebSocket-Key is not the base64 of 16 bytes'
  return undefined
}

/** The subprotocols that a client offers, its favourite first; none is `['']`. */
export function offeredProtocols(headers: Headers): readonly string[] {
  const offered = String(headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  return offered.length === 0 ? [''] : offered
}

/** The head of the answer that accepts a handshake; `protocol` may be empty. */
export function renderAccept(key: string, protocol: string): string {
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptKey(key)}`,
    ...(protocol === '' ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}
