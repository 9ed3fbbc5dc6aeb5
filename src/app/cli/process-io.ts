import { fstatSync, writeFileSync } from 'node:fs'
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
  const fail = SERVERS.includes(process.argv[2] ?? '') ? () => undefined : endByFault
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
    out: writerTo(process.stdout, STDOUT, fail),
    err: writerTo(process.stderr, STDERR, fail),
    env: process.env,
    cwd: process.cwd(),
    isTty: process.stdout.isTTY === true,
    screen: screenOf(process.stdout),
    signal: stop.signal,
  }
}

const [STDOUT, STDERR] = [1, 2]

type OnFault = (error: NodeJS.ErrnoException, stream: NodeJS.WriteStream) => void

/**
 * Messages, names and logs are from outside: to a terminal they say what they say, and do nothing. A server works on without its log, which may
 * be the log's own fault (journald that ends, a full disk); a command ends.
 */
function writerTo(stream: NodeJS.WriteStream, fd: number, fail: OnFault): (text: string) => void {
  stream.on('error', (error) => fail(error, stream))
  if (stream.isTTY) return (text) => stream.write(`${cleanLines(text)}\n`)
  if (!isFile(fd)) return (text) => stream.write(`${text}\n`)
  return (text) => {
    try {
      writeFileSync(fd, `${text}\n`) // all of it: the stream takes it for written when there is room for a part
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)), stream)
    }
  }
}

/** A pipe takes what comes when it can; a file takes it at once, or refuses. */
function isFile(fd: number): boolean {
  const found = fstatSync(fd)
  return found.isFile() || found.isCharacterDevice()
}

/** Who reads no further (`| head`) has seen enough, and a terminal that is gone says EIO: a command ends as others do then, without a word. */
function endByFault({ code, message }: NodeJS.ErrnoException, stream: NodeJS.WriteStream): void {
  if (code === 'EPIPE' || (code === 'EIO' && stream.isTTY)) process.exit(BROKEN_PIPE)
  try {
    writeFileSync(STDERR, `error: the output cannot be written: ${message}\n`)
  } finally {
    process.exit(FAILED)
  }
}

/** So long the parents' copies of a SIGHUP may take. */
const ECHO_S = 1

/** What a shell says of a program that SIGHUP ended. */
const HUNG_UP = 129

/** What a shell says of a program that SIGPIPE ended: 128 and the number of the signal. */
const BROKEN_PIPE = 141

/** What a command ends with that failed. */
const FAILED = 3

const SERVERS = ['up', 'serve', 'engine', 'node']

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
