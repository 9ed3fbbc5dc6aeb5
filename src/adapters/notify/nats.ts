import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import { codeOf } from '../../lib/error/code-of.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { type NatsInfo, type NatsServer, parseNatsInfo, renderNatsConnect } from '../../lib/nats/handshake.ts'
import type { NatsPublish } from '../../pipeline/notify/hook-request.ts'
import { type GuardOptions, tlsOf } from '../net/guarded-request.ts'
import { checkReach, guardedLookup } from '../net/reach.ts'

const LONGEST_LINE = 1 << 20

/**
 * Publishes one message to a subject of NATS, by the first server that lets us in, and waits until that server has taken it.
 *
 * @throws SluiceError NOTIFY_ADDRESS when an address may not be reached, NATS_INVALID for a key that is none, NOTIFY_FAILED (retry: backoff) else
 */
export async function publishToNats(order: NatsPublish, options: GuardOptions): Promise<void> {
  const signal = options.within(options.timeoutMs)
  let last: unknown
  for (const server of order.servers) {
    try {
      return await publishTo(server, order, { ...options, signal })
    } catch (error) {
      last = error
    }
  }
  throw last instanceof SluiceError && last.code !== 'NOTIFY_FAILED'
    ? last
    : failed(`error publishing event to subject ${order.subject}: ${reasonOf(last, options.timeoutMs)}`)
}

type Limits = GuardOptions & { readonly signal: AbortSignal }

async function publishTo(server: NatsServer, order: NatsPublish, limits: Limits): Promise<void> {
  const url = new URL(`http://${server.host.includes(':') ? `[${server.host}]` : server.host}:${server.port}`)
  checkReach(url, limits.reach)
  const { host, port } = server
  const plain = connect({ host, port, lookup: guardedLookup(url, limits.reach), signal: limits.signal })
  try {
    await once(plain, 'connect', { signal: limits.signal })
    const greeted = await greet(plain, server, limits)
    await talk(greeted, server, order)
  } finally {
    plain.destroy()
  }
}

type Greeted = { readonly socket: Socket; readonly lines: Lines; readonly info: NatsInfo; readonly isTls: boolean }

/** Reads who the server is, and goes on under TLS where the address or the server wants it. */
async function greet(plain: Socket, server: NatsServer, limits: Limits): Promise<Greeted> {
  const lines = linesOf(plain)
  const info = parseNatsInfo(await nextLine(lines))
  if (!info) throw failed('error connecting to server: nats: expected INFO')
  if (!server.isTls && !info.wantsTls) return { socket: plain, lines, info, isTls: false }
  await lines.return(undefined)
  const socket = tlsConnect({
    socket: plain,
    host: server.host,
    ...(/^[\d.]+$|:/.test(server.host) ? {} : { servername: server.host }),
    ...tlsOf(limits),
  })
  await once(socket, 'secureConnect', { signal: limits.signal })
  return { socket, lines: linesOf(socket), info, isTls: true }
}

async function talk({ socket, lines, info, isTls }: Greeted, server: NatsServer, order: NatsPublish): Promise<void> {
  const { subject, payload, login } = order
  socket.write(`${renderNatsConnect(server.login ?? login, info, isTls)}PING\r\n`)
  await pong(socket, lines, 'error connecting to server')
  const bytes = Buffer.byteLength(payload)
  if (bytes > info.maxPayloadBytes) throw failed('error publishing message to server: nats: maximum payload exceeded')
  socket.write(`PUB ${subject} ${bytes}\r\n${payload}\r\nPING\r\n`)
  await pong(socket, lines, 'error publishing message to server')
  socket.end()
}

/** Waits until the server answers our ping: then it has worked off all that was said before. */
async function pong(socket: Socket, lines: Lines, doing: string): Promise<void> {
  for (;;) {
    const line = await nextLine(lines)
    if (line === 'PONG') return
    if (line === 'PING') socket.write('PONG\r\n')
    if (line.startsWith('-ERR')) throw failed(`${doing}: nats: ${line.replace(/^-ERR\s+'?|'$/g, '').toLowerCase()}`)
  }
}

type Lines = AsyncGenerator<string, void, undefined>

async function* linesOf(socket: Socket): Lines {
  let rest = ''
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    rest += Buffer.isBuffer(chunk) ? chunk.toString('latin1') : ''
    const lines = rest.split('\r\n')
    rest = lines.pop() ?? ''
    if (rest.length > LONGEST_LINE) throw failed('error connecting to server: nats: a line that does not end')
    yield* lines
  }
}

async function nextLine(lines: Lines): Promise<string> {
  const { value } = await lines.next()
  if (value === undefined) throw failed('error connecting to server: nats: connection closed')
  return value
}

function failed(reason: string): SluiceError {
  return new SluiceError('NOTIFY_FAILED', reason, { retry: 'backoff' })
}

/** Why it failed, without the address. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof SluiceError) return error.message
  if (!(error instanceof Error)) return 'unknown'
  if (codeOf(error) === 'ECONNREFUSED') return 'error connecting to server: nats: no servers available for connection'
  const reason = /Timeout|Abort/.test(error.name)
    ? `no answer within ${timeoutMs / 1000}s`
    : codeOf(error) || error.name
  return `error connecting to server: ${reason}`
}
