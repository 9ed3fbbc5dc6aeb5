import { connect, type Socket } from 'node:net'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { RemoteProgram } from '../remote-program.ts'
import type {
  ExecAnswer,
  ExecRequest,
  Kept,
  NetworkTable,
  Question,
  RunRequest,
  SpawnRequest,
  Target,
} from './messages.ts'
import { attachRemote, openRemote } from './remote-client.ts'

type Asked = Question extends infer Q ? (Q extends Question ? Omit<Q, 'id'> : never) : never

/** A connection to the keeper. Calls throw SluiceError NODE_KEEPER when it is gone. */
export type KeeperClient = {
  readonly run: (request: RunRequest) => Promise<Kept>
  readonly exec: (request: ExecRequest) => Promise<ExecAnswer>
  readonly signal: (key: string, signal: string, depth: number) => Promise<boolean>
  readonly list: () => Promise<readonly Kept[]>
  readonly forget: (key: string) => Promise<void>
  readonly setNetwork: (table: NetworkTable) => Promise<void>
  readonly serveDns: (host: string) => Promise<void>
  readonly drain: (host: string, timeoutMs: number) => Promise<void>
  /** Opens a connection to a pod, says `request`, answers the first line; rejects with the reason. */
  readonly greet: (target: Target, request: string, timeoutMs: number) => Promise<string>
  /** Starts a process for somebody who listens. */
  readonly spawn: (request: SpawnRequest) => Promise<RemoteProgram>
  /** Listens to a process that the keeper keeps. */
  readonly attach: (key: string, streams: SpawnRequest['streams']) => RemoteProgram
  /** Ends the keeper and everything it runs. */
  readonly stop: () => Promise<void>
  /** A stream to a pod; rejects with the reason when the pod does not take it. */
  readonly streamTo: (target: Target) => Promise<Socket>
  /** A stream to a port of a Service, of one client's datagrams where it is for those; the keeper chooses the pod. */
  readonly serviceStream: (key: string) => Socket
  readonly close: () => void
}

/** Connects to a keeper; rejects when nobody listens. `onGone` is called when the connection ends without `close`. */
export async function connectKeeper(o: {
  readonly socketPath: string
  readonly onExit: (kept: Kept) => void
  readonly onGone: () => void
}): Promise<KeeperClient> {
  const control = await open(o.socketPath, { control: true })
  const pending = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  let nextId = 0
  let isClosed = false
  readLines(control, (message) => {
    if ('exited' in message) return o.onExit(message.exited)
    const waiting = pending.get(message.id)
    pending.delete(message.id)
    if ('error' in message) waiting?.reject(new SluiceError('NODE_KEEPER', message.error, { retry: 'backoff' }))
    else waiting?.resolve(message.ok)
  })
  control.on('close', () => {
    for (const waiting of pending.values()) waiting.reject(gone())
    pending.clear()
    if (!isClosed) o.onGone()
  })
  const ask = <T>(question: Asked): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (control.destroyed) return reject(gone())
      const id = nextId++
      pending.set(id, { resolve, reject })
      control.write(`${JSON.stringify({ ...question, id })}\n`)
    })
  return {
    run: (request) => ask({ ask: 'run', ...request }),
    exec: (request) => ask({ ask: 'exec', ...request }),
    signal: (key, signal, depth) => ask({ ask: 'signal', key, signal, depth }),
    list: () => ask({ ask: 'list' }),
    forget: (key) => ask({ ask: 'forget', key }),
    setNetwork: (table) => ask({ ask: 'network', table }),
    serveDns: (host) => ask({ ask: 'dns', host }),
    drain: (host, timeoutMs) => ask({ ask: 'drain', host, timeoutMs }),
    greet: (target, request, timeoutMs) => ask({ ask: 'greet', target, request, timeoutMs }),
    spawn: (request) => openRemote(o.socketPath, request),
    attach: (key, streams) =>
      attachRemote(o.socketPath, key, streams, (size) => void ask({ ask: 'resize', key, size }).catch(() => undefined)),
    async stop() {
      isClosed = true
      await ask({ ask: 'stop' }).catch(() => undefined)
      await new Promise<void>((resolve) => (control.destroyed ? resolve() : control.once('close', () => resolve())))
    },
    streamTo: (target) => streamTo(o.socketPath, target),
    serviceStream(key) {
      const socket = connect({ path: o.socketPath, allowHalfOpen: true })
      socket.write(`${JSON.stringify({ service: key })}\n`)
      return socket
    },
    close() {
      isClosed = true
      control.destroy()
    },
  }
}

type Message =
  | { readonly exited: Kept }
  | { readonly id: number; readonly ok: never }
  | { readonly id: number; readonly error: string }

function readLines(socket: Socket, onMessage: (message: Message) => void): void {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk) => {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onMessage(JSON.parse(line))
  })
}

function open(socketPath: string, hello: object): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: socketPath, allowHalfOpen: true })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.removeListener('error', reject)
      socket.on('error', () => socket.destroy())
      socket.on('end', () => socket.end())
      socket.write(`${JSON.stringify(hello)}\n`)
      resolve(socket)
    })
  })
}

async function streamTo(socketPath: string, target: Target): Promise<Socket> {
  const socket = connect({ path: socketPath, allowHalfOpen: true })
  socket.write(`${JSON.stringify({ stream: target })}\n`)
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      socket.destroy()
      reject(new Error(why))
    }
    socket.once('error', (error) => fail(error.message))
    socket.once('end', () => fail('connection closed'))
    socket.once('data', (first: Buffer) => {
      const end = first.indexOf(10)
      if (first[0] !== 43) return fail(first.toString('utf8', 1, end < 0 ? undefined : end))
      socket.pause()
      socket.removeAllListeners('error')
      socket.removeAllListeners('end')
      socket.on('error', () => socket.destroy())
      if (end + 1 < first.length) socket.unshift(first.subarray(end + 1))
      resolve(socket)
      // whoever waits for the stream has set its listeners by then
      setImmediate(() => socket.resume())
    })
  })
}

function gone(): SluiceError {
  return new SluiceError('NODE_KEEPER', 'the process that keeps the pods is gone', { retry: 'backoff' })
}
