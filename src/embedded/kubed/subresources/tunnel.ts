import type { IncomingMessage, ServerResponse } from 'node:http'
import { request } from 'node:https'
import type { Duplex } from 'node:stream'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { badRequest, Fault } from '../fault.ts'
import type { Kubelet } from './kubelet.ts'

/** Headers that agree on what the connection becomes; no other header of a client reaches a kubelet. */
const KEPT = /^(upgrade|sec-websocket-(key|version|protocol|extensions)|x-stream-protocol-version)$/
const ANSWER_MS = 30_000
const LINGER_MS = 5_000
/** As long as a kubelet lets a connection be on which nothing moves: a client that stops reading holds up everything behind it. */
const IDLE_MS = 4 * 3_600_000

/**
 * Asks a kubelet to upgrade a connection as the client asked us, then ties the two byte for byte: each waits for the other, neither is read
 * ahead. What the kubelet answers instead of an upgrade is the client's answer.
 *
 * @throws Fault 400 when the client does not ask for an upgrade, 500 when the kubelet cannot be reached
 */
export function tunnel(
  env: Environment,
  { method, connection }: Call,
  target: Kubelet & { readonly path: string },
  response: ServerResponse,
): Promise<void> {
  if (connection === undefined) throw badRequest('Upgrade request required')
  const headers = Object.fromEntries(
    Object.entries(connection.headers).filter(([name]) => KEPT.test(name) && connection.headers[name] !== undefined),
  )
  return new Promise((resolve, reject) => {
    const outgoing = request({
      ...target,
      ...env.kubeletTls,
      method,
      headers: { ...headers, connection: 'Upgrade' },
      rejectUnauthorized: false,
      agent: false,
      timeout: ANSWER_MS,
    })
    const giveUp = (): void => void outgoing.destroy()
    connection.socket.once('close', giveUp)
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer after 30 s')))
    outgoing.on('error', (error) => reject(new Fault(500, 'InternalError', `error dialing backend: ${error.message}`)))
    outgoing.on('upgrade', (answer, upstream, head) => {
      connection.socket.removeListener('close', giveUp)
      response.detachSocket(connection.socket)
      upstream.setTimeout(IDLE_MS, () => upstream.destroy())
      connection.socket.write(renderHead(answer))
      tie(connection, upstream, head)
      resolve()
    })
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, { 'content-type': answer.headers['content-type'] ?? 'text/plain' })
      answer.pipe(response)
      answer.on('error', () => response.destroy())
      answer.on('end', resolve)
    })
    outgoing.end()
  })
}

/** The head of an answer as it came. */
export function renderHead({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`]
  for (let index = 0; index < rawHeaders.length; index += 2)
    lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** Ties a client's connection to another byte for byte; `first` came with the answer. */
export function tie(
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
  upstream: Duplex,
  first: Buffer,
): void {
  if (head.length > 0) upstream.write(head)
  if (first.length > 0) socket.write(first)
  for (const [one, other] of [
    [socket, upstream],
    [upstream, socket],
  ] as const) {
    one.on('error', () => one.destroy())
    one.once('close', () => (one.readableEnded ? endAfterLast(other) : other.destroy()))
    one.pipe(other)
  }
}

/** The other side said all it had to say, and part of that may still wait for a slow reader; after it, who does not hang up is cut off. */
function endAfterLast(socket: Duplex): void {
  const destroy = (): void => void socket.destroy()
  let timer = setTimeout(destroy, IDLE_MS).unref()
  const cutOff = (): void => {
    clearTimeout(timer)
    timer = setTimeout(destroy, LINGER_MS).unref()
  }
  socket.once('close', () => clearTimeout(timer))
  if (socket.writableFinished) cutOff()
  else socket.once('finish', cutOff).end()
}
