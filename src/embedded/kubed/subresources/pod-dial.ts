import { randomBytes } from 'node:crypto'
import { request } from 'node:https'
import { Duplex } from 'node:stream'
import { readFrames, renderFrame } from '../../../lib/websocket/frame.ts'
import { joinFrames, type Message } from '../../../lib/websocket/message.ts'
import type { Environment } from '../environment.ts'
import { kubeletOf } from './kubelet.ts'

const MAX_MESSAGE_BYTES = 4 * 1024 * 1024
const DIAL_MS = 10_000

/** Which port of which pod, on which node. */
export type PodPort = {
  readonly namespace: string
  readonly pod: string
  readonly nodeName: string
  readonly port: number
}

/**
 * Opens a connection to a port of a pod through the kubelet API of its node, by the channels of its port-forward: addresses of pods
 * exist inside the node's network only. What the kubelet says on the channel of errors ends the connection with it.
 *
 * @throws Fault when the node is not there; Error with the reason when the kubelet cannot be reached
 */
export function dialPod(env: Environment, { namespace, pod, nodeName, port }: PodPort): Promise<Duplex> {
  const path = `/portForward/${encodeURIComponent(namespace)}/${encodeURIComponent(pod)}?port=${port}`
  const outgoing = request({
    ...kubeletOf(env, nodeName),
    ...env.kubeletTls,
    path,
    rejectUnauthorized: false,
    agent: false,
    timeout: DIAL_MS,
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.from(env.random(16)).toString('base64'),
      'sec-websocket-protocol': 'v4.channel.k8s.io',
    },
  })
  return new Promise((resolve, reject) => {
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer of the kubelet')))
    outgoing.on('error', reject)
    outgoing.on('response', (answer) => {
      answer.resume()
      reject(new Error(`the kubelet answers ${answer.statusCode}`))
    })
    outgoing.on('upgrade', (_answer, socket, head) => {
      socket.setTimeout(0)
      if (head.length > 0) socket.unshift(head)
      resolve(connectionOver(socket))
    })
    outgoing.end()
  })
}

/** The bytes of channel 0, in both directions. */
function connectionOver(socket: Duplex): Duplex {
  const read = readFrames('server', MAX_MESSAGE_BYTES)
  const join = joinFrames(MAX_MESSAGE_BYTES)
  const seen = new Set<number>()
  const connection = new Duplex({
    read: () => void socket.resume(),
    write: (chunk: Buffer, _encoding, done) =>
      void socket.write(renderFrame('binary', Buffer.concat([Buffer.from([0]), chunk]), randomBytes(4)), done),
    // the protocol cannot say that one direction is over
    final: (done) => done(),
    destroy(error, done) {
      socket.destroy()
      done(error)
    },
  })
  const take = ({ kind, payload }: Message): void => {
    if (kind === 'close') return void connection.push(null)
    if (kind === 'ping') return void socket.write(renderFrame('pong', payload, randomBytes(4)))
    const channel = payload[0] ?? 0
    // the first message of each channel is its port
    if (kind !== 'binary' || !seen.has(channel)) return void seen.add(channel)
    if (channel === 1) return void connection.destroy(new Error(payload.toString('utf8', 1)))
    if (!connection.push(payload.subarray(1))) socket.pause()
  }
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const frame of read(chunk)) {
        const message = join(frame)
        if (message !== undefined && !connection.destroyed) take(message)
      }
    } catch (error) {
      connection.destroy(error instanceof Error ? error : undefined)
    }
  })
  socket.on('error', () => connection.destroy())
  socket.on('close', () => !connection.readableEnded && !connection.destroyed && connection.push(null))
  return connection
}
