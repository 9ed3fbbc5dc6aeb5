import { once } from 'node:events'
import type { Writable } from 'node:stream'
import type { Upgraded } from './command-streams.ts'
import type { Dial } from '../driver.ts'
import { serveWebSocket, type WebSocketConnection } from './websocket-connection.ts'

/** The subprotocols of port-forward by WebSocket alone; the ports are in the query. */
export const FORWARD_PROTOCOLS = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io', ''] as const

const ZERO = 48
const MAX_PORTS = 100

type Open = { readonly target: Promise<Writable | undefined> }

/** The ports of a query; undefined when there are none, or what stands there is no port. */
export function parsePorts(query: URLSearchParams): readonly number[] | undefined {
  const ports = query
    .getAll('port')
    .flatMap((text) => text.split(','))
    .map(Number)
  const areSound = ports.every((port) => Number.isInteger(port) && port > 0 && port <= 65_535)
  return ports.length > 0 && ports.length <= MAX_PORTS && areSound ? ports : undefined
}

/**
 * Serves one connection to each port: its bytes are channel 2n, what went wrong is said on channel 2n + 1; each channel begins with its
 * port in two bytes, the lower one first. Ends when all connections are over.
 */
export function forwardByChannels(upgraded: Upgraded, dial: Dial, ports: readonly number[], protocol: string): void {
  const isBase64 = protocol.includes('base64.')
  const open: Open[] = []
  const connection = serveWebSocket(upgraded, async ({ payload }) => {
    const first = payload[0] ?? 0
    const channel = isBase64 ? first - ZERO : first
    const target = await open[channel / 2]?.target
    const data = isBase64 ? Buffer.from(payload.toString('latin1', 1), 'base64') : payload.subarray(1)
    if (target === undefined || !target.writable || data.length === 0 || target.write(data)) return
    await Promise.race([once(target, 'drain'), once(target, 'close')]).catch(() => undefined)
  })
  const send = (channel: number, data: Buffer, done: (error?: Error | null) => void = () => undefined): void =>
    isBase64
      ? connection.send('text', Buffer.from(`${channel}${data.toString('base64')}`), done)
      : connection.send('binary', Buffer.concat([Buffer.from([channel]), data]), done)
  const over = ports.map((port, index) => {
    const head = Buffer.alloc(2)
    head.writeUInt16LE(port)
    for (const channel of [2 * index, 2 * index + 1]) send(channel, head)
    const { target, ended } = connect(connection, dial, port, (data, done) => send(2 * index, data, done))
    open.push({ target })
    return ended.catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error)
      send(2 * index + 1, Buffer.from(`error forwarding port ${port} to the pod: ${why}`))
    })
  })
  void Promise.all(over).then(() => connection.close())
}

function connect(
  { gone }: WebSocketConnection,
  dial: Dial,
  port: number,
  send: (data: Buffer, done: (error?: Error | null) => void) => void,
): { readonly target: Promise<Writable | undefined>; readonly ended: Promise<void> } {
  const dialled = dial(port)
  const ended = dialled.then(
    ({ readable, writable }) =>
      new Promise<void>((resolve, reject) => {
        const end = (): void => {
          writable.destroy()
          readable.destroy()
        }
        gone.addEventListener('abort', end, { once: true })
        if (gone.aborted) end()
        writable.on('error', end)
        readable.on('error', reject)
        // channels cannot say that one direction is over: the other ends with it
        readable.on('end', () => writable.end())
        readable.on('close', resolve)
        readable.on('data', (chunk: Buffer) => {
          readable.pause()
          send(chunk, (error) => (error ? end() : readable.resume()))
        })
        readable.resume()
      }),
  )
  return { target: dialled.then(({ writable }) => writable).catch(() => undefined), ended }
}
