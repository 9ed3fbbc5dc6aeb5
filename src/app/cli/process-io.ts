import type { Screen } from '../terminal/live.ts'
import { cleanLines } from '../terminal/text-width.ts'
import type { Io } from './command.ts'

/**
 * The outside of this process, as a command sees it. Once in a process: the first Ctrl-C aborts, the second one ends it.
 *
 * Takes back from the environment what the launcher meant for this process alone: children (of workflows, of pods) see what the person has set.
 */
export function ioOfProcess(): Io {
  takeBackLauncherVariables()
  for (const stream of [process.stdout, process.stderr]) endWithReader(stream, SERVERS.includes(process.argv[2] ?? ''))
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(130)
      stop.abort(signal)
    })
  }
  // The terminal is gone. Several parents pass it on at once: only what comes later is a second one.
  let hungUpAtS = Number.POSITIVE_INFINITY
  process.on('SIGHUP', () => {
    if (process.uptime() - hungUpAtS >= ECHO_S) process.exit(HUNG_UP)
    hungUpAtS = Math.min(hungUpAtS, process.uptime())
    stop.abort('SIGHUP')
  })
  return {
    out: (text) => writeTo(process.stdout, text),
    err: (text) => writeTo(process.stderr, text),
    env: process.env,
    cwd: process.cwd(),
    isTty: process.stdout.isTTY === true,
    screen: screenOf(process.stdout),
    signal: stop.signal,
  }
}

/**
 * Who reads no further (`| head`) has seen enough: a command ends as others do then, without a word. A server works on without its log,
 * which may be the log's own fault (journald that ends); a terminal that is gone says EIO.
 */
function endWithReader(stream: NodeJS.WriteStream, isServer: boolean): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
    if (!isServer) process.exit(BROKEN_PIPE)
  })
}

/** So long the parents' copies of a SIGHUP may take. */
const ECHO_S = 1

/** What a shell says of a program that SIGHUP ended. */
const HUNG_UP = 129

/** What a shell says of a program that SIGPIPE ended: 128 and the number of the signal. */
const BROKEN_PIPE = 141

const SERVERS = ['up', 'serve', 'engine', 'node']

/** Messages, names and logs are from outside: to a terminal they say what they say, and do nothing. */
function writeTo(stream: NodeJS.WriteStream, text: string): void {
  stream.write(`${stream.isTTY ? cleanLines(text) : text}\n`)
}

function takeBackLauncherVariables(): void {
  for (const name of ['MALLOC_ARENA_MAX', 'MALLOC_MMAP_THRESHOLD_', 'MALLOC_TRIM_THRESHOLD_']) delete process.env[name]
  const { SLUICE_EXTRA_CA_CERTS: extraCerts } = process.env
  if (extraCerts !== undefined) process.env['NODE_EXTRA_CA_CERTS'] = extraCerts
  delete process.env['SLUICE_EXTRA_CA_CERTS']
}

function screenOf(stdout: NodeJS.WriteStream): Screen | undefined {
  if (!stdout.isTTY || process.env['TERM'] === 'dumb') return undefined
  return {
    write: (text) => stdout.write(text),
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    onResize(resized) {
      stdout.on('resize', resized)
      return () => stdout.off('resize', resized)
    },
    showsErrors: process.stderr.isTTY,
    hasColour: !process.env['NO_COLOR'],
  }
}
