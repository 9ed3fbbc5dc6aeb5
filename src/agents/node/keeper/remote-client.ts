import { EventEmitter } from 'node:events'
import { connect, type Socket } from 'node:net'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { RemoteProgram, TerminalSize } from '../remote-program.ts'
import type { PipeRequest, SpawnNews, SpawnRequest } from './messages.ts'

type Wanted = SpawnRequest['streams']

/** Starts a process for somebody who listens. @throws SluiceError NODE_KEEPER when the keeper cannot start it */
export async function openRemote(socketPath: string, request: SpawnRequest): Promise<RemoteProgram> {
  const control = dial(socketPath, { spawn: request })
  const news = newsOf(control)
  const id = await news.id
  const streams = streamsOf(socketPath, id, request.streams)
  return {
    ...streams,
    resize: (size) => void (control.writable && control.write(`${JSON.stringify(size)}\n`)),
    exited: news.exit,
    end() {
      control.destroy()
      for (const stream of Object.values(streams)) stream?.destroy()
    },
  }
}

/** Listens to a process that the keeper keeps, from now on. */
export function attachRemote(
  socketPath: string,
  key: string,
  wanted: Wanted,
  resize: (size: TerminalSize) => void,
): RemoteProgram {
  const streams = streamsOf(socketPath, key, wanted)
  const open = Object.values(streams).flatMap((stream) => stream ?? [])
  const closed = open.map((stream) => new Promise<void>((resolve) => stream.once('close', resolve)))
  return {
    ...streams,
    resize,
    exited: Promise.all(closed).then(() => 0),
    end: () => open.forEach((stream) => stream.destroy()),
  }
}

function streamsOf(socketPath: string, of: PipeRequest['of'], [stdin, stdout, stderr]: Wanted) {
  const pipe = (fd: PipeRequest['fd']): Socket => dial(socketPath, { pipe: { of, fd } })
  return {
    stdin: stdin ? pipe(0) : undefined,
    stdout: stdout ? pipe(1) : undefined,
    stderr: stderr ? pipe(2) : undefined,
  }
}

function dial(socketPath: string, hello: object): Socket {
  const socket = connect({ path: socketPath })
  socket.on('error', () => socket.destroy())
  socket.write(`${JSON.stringify(hello)}\n`)
  return socket
}

/** What the keeper tells of a process; who cannot be started has no id, and a keeper that is gone has killed all. */
function newsOf(control: Socket): { readonly id: Promise<number>; readonly exit: Promise<number> } {
  const news = new EventEmitter()
  const id = new Promise<number>((resolve, reject) => {
    news.once('id', resolve)
    news.once('error', (why: string) => reject(new SluiceError('NODE_KEEPER', why, { retry: 'backoff' })))
  })
  const exit = new Promise<number>((resolve) => {
    news.once('exit', resolve)
    news.once('error', () => resolve(137))
  })
  news.on('error', () => undefined)
  let rest = ''
  control.setEncoding('utf8')
  control.on('data', (chunk) => {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const one: SpawnNews = JSON.parse(line)
      for (const [name, value] of Object.entries(one)) news.emit(name, value)
    }
  })
  control.on('close', () => news.emit('error', 'the process that keeps the pods let the program go'))
  return { id, exit }
}
