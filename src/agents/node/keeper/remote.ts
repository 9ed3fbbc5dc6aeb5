import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { PipeRequest, SpawnRequest } from './messages.ts'
import { whenQuiet } from './quiet.ts'
import type { Terminals } from './terminal.ts'

/** Processes that run for somebody who listens. */
export type Remotes = {
  /** Starts one; `socket` hears its id and its end, says sizes of its terminal, and ends it by closing. */
  readonly spawn: (request: SpawnRequest, socket: Socket) => void
  /** Connects a stream of one. */
  readonly pipe: (request: PipeRequest & { readonly of: number }, socket: Socket) => void
}

type Open = { readonly child: ChildProcess; readonly outputs: readonly (Readable | undefined)[] }

/**
 * Runs processes whose streams are connections. Nothing is kept of them: who does not read stops them, who goes away ends them.
 * Runs inside the keeper: uses nothing of this module's surroundings but its own functions.
 */
export function makeRemotes(terminals: Terminals): Remotes {
  const { spawn } = process.getBuiltinModule('node:child_process')
  const { PassThrough } = process.getBuiltinModule('node:stream')
  const os = process.getBuiltinModule('node:os')
  const open = new Map<number, Open>()
  let lastId = 0
  return {
    spawn({ argv, env, cwd, streams }, socket) {
      const id = ++lastId
      const stdio = streams.map((isWanted) => (isWanted ? ('pipe' as const) : ('ignore' as const)))
      const child = spawn(argv[0] ?? '', argv.slice(1), { env, cwd, detached: true, stdio })
      const tell = (news: object): void => void (socket.writable && socket.write(`${JSON.stringify(news)}\n`))
      // what nobody reads yet waits in here: Node throws it away when the process ends
      const ways = [child.stdout, child.stderr].map((from) => ({ from, to: from?.pipe(new PassThrough()) }))
      const outputs = ways.map(({ to }) => to)
      open.set(id, { child, outputs })
      let isOver = false
      child.once('spawn', () => tell({ id }))
      child.on('error', (error) => tell({ error: error.message }))
      child.on('exit', (code, signal) => {
        isOver = true
        tell({ exit: code ?? 128 + (signal ? os.constants.signals[signal] : 0) })
        for (const { from, to } of ways) if (from && to) endAfterLast(from, to)
      })
      hearSizes(socket, (size) => child.pid !== undefined && terminals.resize(child.pid, size))
      socket.on('end', () => socket.end())
      socket.on('close', () => {
        open.delete(id)
        if (!isOver && child.pid !== undefined) terminals.killTree(child.pid)
        for (const stream of [child.stdin, ...outputs]) stream?.destroy()
      })
    },
    pipe({ of, fd }, socket) {
      const one = open.get(of)
      if (fd === 0) return tieInput(socket, one?.child.stdin ?? undefined)
      const output = one?.outputs[fd - 1]
      if (output === undefined) return void socket.destroy()
      output.pipe(socket)
      socket.resume()
      socket.on('close', () => output.destroy())
    },
  }
}

/** The end of a process is the end of its output, for whoever reads it: however late, and after the last that was said. */
function endAfterLast(from: Readable, to: Writable): void {
  whenQuiet({
    outputs: [from],
    isHeld: () => to.writableNeedDrain,
    mostMs: Infinity,
    done() {
      if (from.readableEnded) return
      from.unpipe()
      from.destroy()
      to.end()
    },
  })
}

/** Copies what comes to a process; once it reads no more, the rest is dropped. */
function tieInput(socket: Socket, input: Writable | undefined): void {
  if (input === undefined) return void socket.destroy()
  const drop = (): void => void socket.resume()
  input.on('error', drop)
  input.on('close', drop)
  socket.pipe(input)
}

/** Each line is a size. */
function hearSizes(socket: Socket, onSize: (size: { columns: number; rows: number }) => void): void {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk) => {
    const lines = (rest + String(chunk)).split('\n')
    rest = (lines.pop() ?? '').slice(0, 4_096)
    const last = lines.at(-1)
    if (last !== undefined) onSize(JSON.parse(last))
  })
  socket.resume()
}

/** The functions that travel to the keeper; the first is the entrance. */
export const REMOTE_PARTS = [makeRemotes, endAfterLast, whenQuiet, tieInput, hearSizes]
