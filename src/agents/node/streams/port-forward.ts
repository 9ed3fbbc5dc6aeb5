import type { IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'
import type { Headers } from '../../../lib/spdy/headers.ts'
import type { Dial, Forwarded } from '../driver.ts'
import type { Upgraded } from './command-streams.ts'
import { serveSpdy } from './spdy-connection.ts'
import { agree } from './upgrade.ts'
import { serveWebSocket } from './websocket-connection.ts'
import { FORWARD_PROTOCOLS, forwardByChannels, parsePorts } from './websocket-forward.ts'

const PROTOCOL = 'portforward.k8s.io'
const TUNNEL = `SPDY/3.1+${PROTOCOL}`
/** How long one stream of a pair may wait for the other, and a connection may be silent. @see the kubelet's DefaultStreamCreationTimeout */
const PAIR_MS = 30_000

/** Serves port-forward on a connection that asks to be upgraded: over SPDY, over SPDY inside a WebSocket, or by channels of a WebSocket. */
export async function servePortForward(
  dial: Dial,
  query: URLSearchParams,
  request: IncomingMessage,
  upgraded: Upgraded,
): Promise<void> {
  const ports = parsePorts(query)
  const websocket = ports === undefined ? [TUNNEL] : [TUNNEL, ...FORWARD_PROTOCOLS]
  const agreed = agree(request, upgraded.socket, { spdy: [PROTOCOL, ''], websocket })
  if (agreed === undefined) return
  if (agreed.carrier === 'websocket' && agreed.protocol !== TUNNEL)
    return forwardByChannels(upgraded, dial, ports ?? [], agreed.protocol)
  const carrier = agreed.carrier === 'websocket' ? { socket: tunnelOf(upgraded), head: Buffer.alloc(0) } : upgraded
  const pairs = new Map<string, Pair>()
  serveSpdy(carrier, (headers, stream) => take(pairs, dial, headers, stream))
}

type Pair = { readonly port: number; error?: Duplex; data?: Duplex; readonly timer: NodeJS.Timeout }

/** A connection is a pair of streams with the same `requestID`: one for its bytes, one for what went wrong. */
function take(pairs: Map<string, Pair>, dial: Dial, headers: Headers, stream: Duplex): boolean {
  const type = headers.get('streamtype')
  const port = Number(headers.get('port'))
  const id = headers.get('requestid') ?? ''
  if ((type !== 'error' && type !== 'data') || !(Number.isInteger(port) && port > 0 && port <= 65_535)) return false
  const pair = pairs.get(id) ?? newPair(pairs, id, port)
  if (pair[type] !== undefined || pair.port !== port) return false
  pair[type] = stream
  const { error, data } = pair
  if (error === undefined || data === undefined) {
    // who gives a stream up wants no connection any more
    stream.once('close', () => forget(pairs, id, pair))
    return true
  }
  clearTimeout(pair.timer)
  pairs.delete(id)
  error.resume()
  void connectPair(dial, port, data, error)
  return true
}

function forget(pairs: Map<string, Pair>, id: string, pair: Pair): void {
  if (pairs.get(id) !== pair) return
  clearTimeout(pair.timer)
  pairs.delete(id)
}

function newPair(pairs: Map<string, Pair>, id: string, port: number): Pair {
  const timer = setTimeout(() => {
    pairs.delete(id)
    const why = `timeout waiting for the other stream of request ${id}`
    pair.error?.end(why)
    pair.data?.destroy()
  }, PAIR_MS)
  timer.unref()
  const pair: Pair = { port, timer }
  pairs.set(id, pair)
  return pair
}

async function connectPair(dial: Dial, port: number, data: Duplex, error: Duplex): Promise<void> {
  try {
    const upstream = await dial(port)
    await splice(data, upstream)
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : String(fault)
    error.write(`error forwarding port ${port} to the pod: ${why}`)
  } finally {
    error.end()
    data.end()
  }
}

/** Ties two connections; resolves when both directions are over, rejects when either breaks. */
function splice(client: Duplex, { readable, writable }: Forwarded): Promise<void> {
  return new Promise((resolve, reject) => {
    readable.on('error', reject)
    writable.on('error', () => readable.destroy())
    readable.on('close', () => resolve())
    client.on('close', () => {
      writable.destroy()
      readable.destroy()
    })
    client.pipe(writable)
    readable.pipe(client)
  })
}

/** The bytes of SPDY that a WebSocket carries in its messages. */
function tunnelOf(upgraded: Upgraded): Duplex {
  let wake: () => void = () => undefined
  const tunnel = new Duplex({
    read: () => wake(),
    write: (chunk, _encoding, done) => connection.send('binary', chunk, done),
    final(done) {
      connection.close()
      done()
    },
    destroy(error, done) {
      wake()
      connection.close()
      done(error)
    },
  })
  const connection = serveWebSocket(upgraded, ({ payload }) => {
    if (tunnel.destroyed || tunnel.push(payload)) return undefined
    return new Promise((resolve) => (wake = resolve))
  })
  connection.gone.addEventListener('abort', () => tunnel.destroy(), { once: true })
  return tunnel.on('error', () => undefined)
}
