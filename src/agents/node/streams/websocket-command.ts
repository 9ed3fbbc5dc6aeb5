import { Readable, Writable } from 'node:stream'
import type { Message } from '../../../lib/websocket/message.ts'
import type { CommandOptions, CommandStreams, Upgraded } from './command-streams.ts'
import { renderStatus } from './status.ts'
import { serveWebSocket, type WebSocketConnection } from './websocket-connection.ts'

const CHANNELS = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const
/** In version 5 this channel closes the one that follows. */
const CLOSE = 255
const ZERO = 48

/** The subprotocols of remote commands over WebSocket, the best first; none means the first version. */
export const COMMAND_PROTOCOLS = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
  '',
] as const

/** The streams of a remote command over WebSocket: the first byte of each message names the stream, in base64 protocols as a digit. */
export function webSocketCommand(upgraded: Upgraded, options: CommandOptions, protocol: string): CommandStreams {
  const isBase64 = protocol.includes('base64.')
  const stdin = options.stdin ? input() : undefined
  const resize = options.tty ? input() : undefined
  const inputs = new Map([
    [CHANNELS.stdin as number, stdin],
    [CHANNELS.resize as number, resize],
  ])
  const connection = serveWebSocket(upgraded, (message) => take(inputs, message, protocol))
  connection.gone.addEventListener('abort', () => inputs.forEach((each) => each?.stream.destroy()), { once: true })
  const send = senderOf(connection, isBase64)
  const output = (channel: number): Writable =>
    new Writable({ decodeStrings: true, write: (chunk, _encoding, done) => send(channel, chunk, done) }).on(
      'error',
      () => undefined,
    )
  // the first message says that the command begins: an empty one of the first stream that goes to the client
  const first = options.stdout ? CHANNELS.stdout : options.stderr ? CHANNELS.stderr : CHANNELS.error
  send(first, Buffer.alloc(0), () => undefined)
  return {
    stdin: stdin?.stream,
    stdout: options.stdout ? output(CHANNELS.stdout) : undefined,
    stderr: options.stderr ? output(CHANNELS.stderr) : undefined,
    resize: resize?.stream,
    gone: connection.gone,
    close: connection.close,
    cut: connection.cut,
    sendStatus: (status) =>
      new Promise((resolve) => {
        const text = renderStatus(status, protocol)
        if (text === '') return resolve()
        send(CHANNELS.error, Buffer.from(text), () => resolve())
      }),
  }
}

type Input = { readonly stream: Readable; wake: () => void; isOver: boolean }

function input(): Input {
  const one: Input = { stream: new Readable({ read: () => one.wake() }), wake: () => undefined, isOver: false }
  one.stream.on('error', () => undefined)
  one.stream.on('close', () => one.wake())
  return one
}

/** Hands a message to its stream; resolves when the stream takes more. What names no stream of the client's is dropped, as a kubelet does. */
function take(
  inputs: ReadonlyMap<number, Input | undefined>,
  { payload }: Message,
  protocol: string,
): Promise<void> | undefined {
  const [channel] = payload
  if (channel === undefined) return undefined
  if (channel === CLOSE && protocol.startsWith('v5.')) return endInput(inputs.get(payload[1] ?? CLOSE))
  const isBase64 = protocol.includes('base64.')
  const target = inputs.get(isBase64 ? channel - ZERO : channel)
  const data = isBase64 ? Buffer.from(payload.toString('latin1', 1), 'base64') : payload.subarray(1)
  if (target === undefined || data.length === 0 || target.isOver || target.stream.destroyed) return undefined
  if (target.stream.push(data)) return undefined
  return new Promise((resolve) => (target.wake = resolve))
}

function endInput(target: Input | undefined): undefined {
  if (target === undefined || target.isOver) return
  target.isOver = true
  target.stream.push(null)
}

function senderOf({ send }: WebSocketConnection, isBase64: boolean) {
  return (channel: number, data: Buffer, done: (error?: Error | null) => void): void => {
    if (isBase64) return send('text', Buffer.from(`${channel}${data.toString('base64')}`), done)
    send('binary', Buffer.concat([Buffer.from([channel]), data]), done)
  }
}
