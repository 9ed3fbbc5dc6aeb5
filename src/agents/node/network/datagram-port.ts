import { createSocket, type RemoteInfo, type Socket as DatagramSocket } from 'node:dgram'
import { isIPv6, type Socket } from 'node:net'
import { frameDatagram, readDatagrams, sendDatagram } from '../keeper/datagram.ts'
import type { NodePort } from './node-ports.ts'

/** A client and the stream that its datagrams go by. */
type Talk = { readonly stream: Socket; usedAtMs: number }

/** By `address:port` of the client, the one that spoke last at the end. */
type Talks = Map<string, Talk>

/** As long as the keeper remembers which pod a client speaks to. */
const SILENT_MS = 60_000
const LOOK_MS = 10_000
const MOST_TALKS = 1_000

/**
 * Opens a port of this machine for datagrams: those of each client go to a pod by a stream of their own, and its answers back. At most 1,000
 * clients, then the one that was silent longest is forgotten; everybody after a minute of silence.
 *
 * @param streamOf a new stream of framed datagrams to the pods behind the port; undefined where there is nothing to connect to
 * @returns what closes the port, or why it cannot be opened
 */
export function openDatagramPort(
  { host, port }: Pick<NodePort, 'host' | 'port'>,
  streamOf: () => Socket | undefined,
): Promise<(() => void) | string> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  const talks: Talks = new Map()
  const look = setInterval(() => forgetSilent(talks, performance.now() - SILENT_MS), LOOK_MS).unref()
  const close = (): void => {
    clearInterval(look)
    socket.close()
    forgetSilent(talks, Infinity)
  }
  socket.on('message', (message, from) => {
    const stream = streamFor(socket, talks, from, streamOf)
    // datagrams may be lost: for a stream that is not read nothing is kept
    if (stream?.writable && !stream.writableNeedDrain) stream.write(frameDatagram(message))
  })
  return new Promise((resolve) => {
    const fail = (error: Error): void => {
      close()
      resolve(error.message)
    }
    socket.once('error', fail)
    socket.bind({ port, address: host, exclusive: true }, () => {
      socket.removeListener('error', fail)
      // what goes wrong with one datagram is the end of that one
      socket.on('error', () => undefined)
      socket.unref()
      resolve(close)
    })
  })
}

function streamFor(
  socket: DatagramSocket,
  talks: Talks,
  from: RemoteInfo,
  streamOf: () => Socket | undefined,
): Socket | undefined {
  const client = `${from.address}:${from.port}`
  const stream = talks.get(client)?.stream ?? streamOf()
  if (stream === undefined) return undefined
  if (!talks.has(client)) {
    stream.on(
      'data',
      readDatagrams((answer) => sendDatagram(socket, answer, from)),
    )
    stream.on('error', () => stream.destroy())
    stream.on('end', () => stream.destroy())
    stream.on('close', () => talks.get(client)?.stream === stream && talks.delete(client))
  }
  talks.delete(client)
  talks.set(client, { stream, usedAtMs: performance.now() })
  if (talks.size > MOST_TALKS) forgetSilent(talks, talks.values().next().value?.usedAtMs ?? 0)
  return stream
}

function forgetSilent(talks: Talks, beforeMs: number): void {
  for (const [client, { stream, usedAtMs }] of talks) {
    if (usedAtMs > beforeMs) return
    talks.delete(client)
    stream.destroy()
  }
}
