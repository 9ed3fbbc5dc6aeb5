import type { Socket } from 'node:dgram'
import { sendDatagram } from './datagram.ts'
import type { ServicePortTable, Target } from './messages.ts'

/** Carries datagrams to the pods behind Services. */
export type DatagramBalancer = { readonly setPorts: (ports: readonly ServicePortTable[]) => void }

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
  setInterval(() => {
    for (const { talks } of listeners.values()) forgetSilent(talks, Date.now() - 60_000)
  }, 10_000).unref()
  return {
    setPorts(ports) {
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
  { server, talks, ...listener }: Listener,
  from: { readonly address: string; readonly port: number },
): Talk | undefined {
  const client = `${from.address}:${from.port}`
  const targets = listener.port.ready.length > 0 ? listener.port.ready : listener.port.serving
  const known = talks.get(client)
  talks.delete(client)
  const isStill = known && targets.some(({ host, port }) => host === known.target.host && port === known.target.port)
  if (known && isStill) {
    known.usedAtMs = Date.now()
    talks.set(client, known)
    return known
  }
  known?.socket.close()
  const target = targets[Math.floor(Math.random() * targets.length)]
  if (target === undefined) return undefined
  const socket = dgram.createSocket('udp4')
  // an answer of the kernel that nobody listens says nothing that the client would hear
  socket.on('error', () => undefined)
  socket.on('message', (message) => sendDatagram(server, message, from))
  const talk = { socket, target, usedAtMs: Date.now() }
  talks.set(client, talk)
  if (talks.size > 1_000) forgetSilent(talks, talks.values().next().value?.usedAtMs ?? 0)
  return talk
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
export const DATAGRAM_PARTS = [makeDatagramBalancer, listenForDatagrams, talkOf, close, sendDatagram, forgetSilent]
