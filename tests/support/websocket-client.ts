import { randomBytes } from 'node:crypto'
import { request } from 'node:https'
import { readFrames, renderFrame } from '../../src/lib/websocket/frame.ts'
import { joinFrames, type Message } from '../../src/lib/websocket/message.ts'

/** A WebSocket as a client library holds it. */
export type Client = {
  readonly protocol: string
  readonly send: (kind: 'text' | 'binary', payload: Buffer) => void
  /** All messages, once the server has said goodbye. */
  readonly messages: Promise<readonly Message[]>
  /** Reads no more for now. */
  readonly pause: () => void
  readonly destroy: () => void
}

/** Opens a WebSocket to an API server; rejects with the answer when it is refused. */
export function openWebSocket(
  to: { readonly server: string; readonly token: string },
  path: string,
  protocols: readonly string[],
): Promise<Client> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${to.server}${path}`, {
      rejectUnauthorized: false,
      agent: false,
      headers: {
        authorization: `Bearer ${to.token}`,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
        ...(protocols.length === 0 ? {} : { 'sec-websocket-protocol': protocols.join(', ') }),
      },
    })
    outgoing.on('error', reject)
    outgoing.on('response', (answer) => {
      let text = ''
      answer.on('data', (chunk) => (text += String(chunk)))
      answer.on('end', () => reject(new Error(`${answer.statusCode} ${text}`)))
    })
    outgoing.on('upgrade', (answer, socket, head) => {
      socket.on('error', () => undefined)
      if (head.length > 0) socket.unshift(head)
      const messages = new Promise<readonly Message[]>((done) => {
        const found: Message[] = []
        const read = readFrames('server', 10_000_000)
        const join = joinFrames(10_000_000)
        socket.on('data', (chunk: Buffer) => {
          for (const frame of read(chunk)) {
            const message = join(frame)
            if (message?.kind === 'close') socket.destroy()
            else if (message) found.push(message)
          }
        })
        socket.on('close', () => done(found))
      })
      resolve({
        protocol: String(answer.headers['sec-websocket-protocol'] ?? ''),
        send: (kind, payload) => void socket.write(renderFrame(kind, payload, randomBytes(4))),
        messages,
        pause: () => void socket.pause(),
        destroy: () => void socket.destroy(),
      })
    })
    outgoing.end()
  })
}
