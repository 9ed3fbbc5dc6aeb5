import type { StdioOptions } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { ContainerLog } from './log.ts'
import type { ExecAnswer, ExecRequest, Exit, Kept, PipeRequest, RunRequest } from './messages.ts'
import { whenQuiet } from './quiet.ts'

/** The processes of the keeper. */
export type Supervisor = {
  readonly run: (request: RunRequest) => Kept
  readonly exec: (request: ExecRequest) => Promise<ExecAnswer>
  /** Signals the process `depth` generations below the one started (0: itself); false when there is none. */
  readonly signal: (key: string, signal: string, depth: number) => boolean
  /** Connects somebody to a stream of a process that runs: what it prints from now on, or its input. */
  readonly attach: (request: PipeRequest & { readonly of: string }, socket: Socket) => void
  readonly list: () => Kept[]
  readonly forget: (key: string) => void
}

/** The streams of a process that runs, for those who attach. */
type Streams = {
  readonly input: Writable | undefined
  readonly endsWithFirst: boolean
  readonly outputs: readonly (Output | undefined)[]
}

type Output = { readonly from: Readable; readonly listeners: Set<Socket>; readonly slow: Set<Socket> }

/**
 * Starts processes, keeps their logs and remembers how they ended. Runs inside the keeper: uses nothing of this module's surroundings but its own functions.
 */
export function makeSupervisor(o: {
  readonly openLog: (path: string, limitBytes: number) => ContainerLog
  readonly logLimitBytes: number
  readonly onExit: (kept: Kept) => void
}): Supervisor {
  const { spawn } = process.getBuiltinModule('node:child_process')
  const kept = new Map<string, Kept>()
  const streams = new Map<string, Streams>()
  return {
    run({ key, argv, env, cwd, log: path, stdin, meta }) {
      const existing = kept.get(key)
      if (existing !== undefined && existing.exit === undefined) return existing
      const log = path === undefined ? undefined : o.openLog(path, o.logLimitBytes)
      const output = log ? 'pipe' : 'ignore'
      const stdio: StdioOptions = [stdin ? 'pipe' : 'ignore', output, output]
      const child = unlessThrown(
        () => spawn(argv[0] ?? '', argv.slice(1), { env, cwd, detached: true, stdio }),
        () => log?.end(),
      )
      const entry: Kept = { key, pid: child.pid ?? 0, startedAtMs: Date.now(), meta }
      kept.set(key, entry)
      const ended = (exit: Exit): void => {
        if (kept.get(key)?.exit !== undefined || kept.get(key)?.pid !== entry.pid) return
        log?.end()
        letGo(streams.get(key))
        streams.delete(key)
        kept.set(key, { ...entry, exit })
        o.onExit({ ...entry, exit })
      }
      const outputs = [
        listenTo(child.stdout, (chunk) => log?.write('stdout', chunk)),
        listenTo(child.stderr, (chunk) => log?.write('stderr', chunk)),
      ]
      child.stdin?.on('error', () => undefined)
      streams.set(key, { input: child.stdin ?? undefined, endsWithFirst: stdin === 'once', outputs })
      child.on('error', (error) => {
        log?.write('stderr', Buffer.from(`sluice: cannot start: ${error.message}\n`))
        ended({ code: 127, signal: undefined, atMs: Date.now() })
      })
      let status: Exit | undefined
      child.on('exit', (code, signal) => {
        status = { code: exitCode(code, signal), signal: signal ?? undefined, atMs: Date.now() }
        whenQuiet({
          outputs: [child.stdout, child.stderr],
          isHeld: () => outputs.some((output) => (output?.slow.size ?? 0) > 0),
          mostMs: 10_000,
          done: () => status && ended(status),
        })
      })
      child.on('close', () => status && ended(status))
      return entry
    },
    exec: (request) => execute(request),
    attach: ({ of, fd }, socket) => attachTo(streams.get(of), fd, socket),
    signal: (key, signal, depth) => signalKept(kept.get(key), signal, depth),
    list: () => [...kept.values()],
    forget: (key) => void (kept.get(key)?.exit && kept.delete(key)),
  }
}

/** Words longer than the system allows are thrown, not told: what was opened for the process is closed again. */
function unlessThrown<T>(make: () => T, undo: () => void): T {
  try {
    return make()
  } catch (error) {
    undo()
    throw error
  }
}

/** Hands what a process prints to its log and to those who attached. */
function listenTo(from: Readable | null, keep: (chunk: Buffer) => void): Output | undefined {
  if (from === null) return undefined
  const output: Output = { from, listeners: new Set(), slow: new Set() }
  from.on('data', (chunk: Buffer) => {
    keep(chunk)
    for (const listener of output.listeners) if (!listener.write(chunk)) waitFor(output, listener)
  })
  return output
}

/** A process waits for a listener that is slow, but for no longer than 30 s: then the listener is let go, not the process. */
function waitFor({ from, slow }: Output, listener: Socket): void {
  if (slow.has(listener)) return
  slow.add(listener)
  from.pause()
  const timer = setTimeout(() => listener.destroy(), 30_000)
  const goOn = (): void => {
    clearTimeout(timer)
    listener.removeListener('drain', goOn)
    listener.removeListener('close', goOn)
    slow.delete(listener)
    if (slow.size === 0) from.resume()
  }
  listener.on('drain', goOn)
  listener.on('close', goOn)
}

function attachTo(streams: Streams | undefined, fd: 0 | 1 | 2, socket: Socket): void {
  if (fd === 0) {
    const input = streams?.input
    if (input === undefined || input.destroyed) return void socket.destroy()
    input.on('close', () => socket.destroy())
    socket.on('end', () => socket.end())
    return void socket.pipe(input, { end: streams?.endsWithFirst === true })
  }
  const listeners = streams?.outputs[fd - 1]?.listeners
  if (listeners === undefined) return void socket.destroy()
  listeners.add(socket)
  socket.on('close', () => listeners.delete(socket))
  socket.on('end', () => socket.end())
  socket.resume()
}

/** The process is over: whoever listened hears the end. */
function letGo(streams: Streams | undefined): void {
  streams?.input?.destroy()
  for (const output of streams?.outputs ?? []) for (const listener of output?.listeners ?? []) listener.end()
}

function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  const os = process.getBuiltinModule('node:os')
  return code ?? 128 + (signal ? os.constants.signals[signal] : 0)
}

function signalKept(entry: Kept | undefined, signal: string, depth: number): boolean {
  const fs = process.getBuiltinModule('node:fs')
  if (entry === undefined || entry.exit !== undefined || entry.pid === 0) return false
  let pid = entry.pid
  try {
    for (let level = 0; level < depth; level++) {
      const [child] = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
      if (!child) return false
      pid = Number(child)
    }
    return process.kill(depth === 0 ? -pid : pid, signal)
  } catch {
    return false
  }
}

function execute({ argv, env, input, timeoutMs }: ExecRequest): Promise<ExecAnswer> {
  const { spawn } = process.getBuiltinModule('node:child_process')
  return new Promise((resolve) => {
    const child = spawn(argv[0] ?? '', argv.slice(1), { env: env ?? process.env, detached: true, stdio: 'pipe' })
    let output = ''
    let timedOut = false
    const collect = (chunk: Buffer): void => {
      if (output.length < 65_536) output += chunk.toString('utf8')
    }
    const done = (code: number): void => {
      clearTimeout(timer)
      resolve({ code, output: output.slice(0, 65_536), timedOut })
    }
    const timer = setTimeout(() => {
      timedOut = true
      try {
        process.kill(-(child.pid ?? 0), 'SIGKILL')
      } catch {
        // ended by itself
      }
    }, timeoutMs)
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.on('error', (error) => {
      output += error.message
      done(127)
    })
    child.on('exit', (code, signal) =>
      whenQuiet({
        outputs: [child.stdout, child.stderr],
        isHeld: () => false,
        mostMs: 10_000,
        done: () => done(exitCode(code, signal)),
      }),
    )
    child.on('close', (code, signal) => done(exitCode(code, signal)))
    child.stdin.on('error', () => undefined)
    child.stdin.end(input ?? '')
  })
}

/** The functions that travel to the keeper; the first is the entrance. */
export const SUPERVISE_PARTS = [
  makeSupervisor,
  unlessThrown,
  listenTo,
  waitFor,
  attachTo,
  letGo,
  exitCode,
  signalKept,
  execute,
  whenQuiet,
]
