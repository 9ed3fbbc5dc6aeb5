import type { Socket } from 'node:dgram'
import type { Duplex } from 'node:stream'
import { frameDatagram, readDatagrams, sendDatagram } from './datagram.ts'
import type { ServicePortTable, Target } from './messages.ts'

/** Carries datagrams to the pods behind Services. */
export type DatagramBalancer = {
  readonly setPorts: (ports: readonly ServicePortTable[]) => void
  /** Whether a port of that key carries datagrams. */
  readonly has: (key: string) => boolean
  /** Serves one client whose datagrams come in a stream; its answers go back in it. */
  readonly serve: (key: string, stream: Duplex) => void
}

/** What one client and one pod say to each other. */
type Talk = { readonly socket: Socket; readonly target: Target; usedAtMs: number }

type Listener = {
  readonly server: Socket
  port: ServicePortTable
  /** By `address:port` of the client, the one that spoke last at the end. */
  readonly talks: Map<string, Talk>
}

/**
 * Balances datagrams over ready pods, client by client: who has spoken to a pod goes on with it until it is gone or 60 s were silent.
 * At most 1,000 clients a port, then the one that was silent longest is forgotten.
 * Runs inside the keeper: uses nothing of this module's surroundings but its own functions.
 */
export function makeDatagramBalancer(): DatagramBalancer {
  const dgram = process.getBuiltinModule('node:dgram')
  const listeners = new Map<string, Listener>()
  const known = new Map<string, ServicePortTable>()
  setInterval(() => {
    for (const { talks } of listeners.values()) forgetSilent(talks, Date.now() - 60_000)
  }, 10_000).unref()
  return {
    has: (key) => known.has(key),
    serve: (key, stream) => serveStream(dgram, () => known.get(key), stream),
    setPorts(ports) {
      known.clear()
      for (const port of ports) known.set(port.key, port)
      const wanted = new Map(
        ports.flatMap((port) => (port.listen ? [[`${port.listen.host}:${port.listen.port}`, port]] : [])),
      )
      for (const [name, listener] of listeners) {
        if (wanted.has(name)) continue
        close(listener)
        listeners.delete(name)
      }
      for (const [name, port] of wanted) {
        const listener = listeners.get(name)
        if (listener) listener.port = port
        else
          listeners.set(
            name,
            listenForDatagrams(dgram, port, () => listeners.delete(name)),
          )
      }
    },
  }
}

function listenForDatagrams(dgram: typeof import('node:dgram'), port: ServicePortTable, onFault: () => void): Listener {
  const server = dgram.createSocket('udp4')
  const listener: Listener = { server, port, talks: new Map() }
  server.on('error', () => {
    close(listener)
    onFault()
  })
  server.on('message', (message, from) => {
    const talk = talkOf(dgram, listener, from)
    if (talk !== undefined) sendDatagram(talk.socket, message, { address: talk.target.host, port: talk.target.port })
  })
  server.bind(port.listen?.port, port.listen?.host)
  return listener
}

function talkOf(
  dgram: typeof import('node:dgram'),
  { server, talks, port }: Listener,
  from: { readonly address: string; readonly port: number },
): Talk | undefined {
  const client = `${from.address}:${from.port}`
  const talk = goOn(dgram, talks.get(client), port, (message) => sendDatagram(server, message, from))
  talks.delete(client)
  if (talk === undefined) return undefined
  talks.set(client, talk)
  if (talks.size > 1_000) forgetSilent(talks, talks.values().next().value?.usedAtMs ?? 0)
  return talk
}

/** What a client and its pod have begun, as long as that pod may be chosen; else a talk with another one. */
function goOn(
  dgram: typeof import('node:dgram'),
  begun: Talk | undefined,
  { ready, serving }: Pick<ServicePortTable, 'ready' | 'serving'>,
  onAnswer: (message: Buffer) => void,
): Talk | undefined {
  const targets = ready.length > 0 ? ready : serving
  const isStill = begun && targets.some(({ host, port }) => host === begun.target.host && port === begun.target.port)
  if (begun && isStill) {
    begun.usedAtMs = Date.now()
    return begun
  }
  begun?.socket.close()
  const target = targets[Math.floor(Math.random() * targets.length)]
  if (target === undefined) return undefined
  const socket = dgram.createSocket('udp4')
  // an answer of the kernel that nobody listens says nothing that the client would hear
  socket.on('error', () => undefined)
  socket.on('message', onAnswer)
  return { socket, target, usedAtMs: Date.now() }
}

/** Datagrams may be lost: for a stream that is not read nothing is kept. */
function serveStream(
  dgram: typeof import('node:dgram'),
  portNow: () => ServicePortTable | undefined,
  stream: Duplex,
): void {
  let talk: Talk | undefined
  const answer = (message: Buffer): void => {
    if (stream.writable && !stream.writableNeedDrain) stream.write(frameDatagram(message))
  }
  const read = readDatagrams((message) => {
    talk = goOn(dgram, talk, portNow() ?? { ready: [], serving: [] }, answer)
    if (talk !== undefined) sendDatagram(talk.socket, message, { address: talk.target.host, port: talk.target.port })
  })
  stream.on('data', read)
  stream.on('end', () => stream.destroy())
  stream.on('error', () => stream.destroy())
  stream.on('close', () => talk?.socket.close())
  stream.resume()
}

function close({ server, talks }: Listener): void {
  for (const { socket } of talks.values()) socket.close()
  server.close()
}

function forgetSilent(talks: Map<string, Talk>, beforeMs: number): void {
  for (const [client, { socket, usedAtMs }] of talks) {
    if (usedAtMs > beforeMs) return
    socket.close()
    talks.delete(client)
  }
}

/** The functions that travel to the keeper; the first is the entrance. */
export const DATAGRAM_PARTS = [
  makeDatagramBalancer,
  listenForDatagrams,
  talkOf,
  goOn,
  serveStream,
  close,
  sendDatagram,
  frameDatagram,
  readDatagrams,
  forgetSilent,
]
