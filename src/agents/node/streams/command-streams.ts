import type { Duplex, Readable, Writable } from 'node:stream'
import type { CommandStatus } from './status.ts'

/** Which streams a client wants, from the query of its request. */
export type CommandOptions = {
  readonly stdin: boolean
  readonly stdout: boolean
  /** Never with a terminal, which has one stream of output. */
  readonly stderr: boolean
  readonly tty: boolean
}

/** The streams of one exec or attach, whatever carries them. Each holds little: who is slow is waited for. */
export type CommandStreams = {
  readonly stdin: Readable | undefined
  readonly stdout: Writable | undefined
  readonly stderr: Writable | undefined
  /** Sizes of the client's terminal as JSON objects, one after the other. */
  readonly resize: Readable | undefined
  /** The last word; resolves once it is sent, or the client is gone. */
  readonly sendStatus: (status: CommandStatus) => Promise<void>
  /** Aborted when the client is gone. */
  readonly gone: AbortSignal
  /** Ends the connection after everything that was written. */
  readonly close: () => void
  /** Ends the connection at once, whatever still waits for the client. */
  readonly cut: () => void
}

/** A connection that was upgraded: bytes that came with the request are in `head`. */
export type Upgraded = { readonly socket: Duplex; readonly head: Buffer }

/**
 * Reads `input`, `output`, `error` and `tty` as a kubelet does.
 *
 * @returns a text when nothing is asked for
 */
export function parseCommandOptions(query: URLSearchParams): CommandOptions | string {
  const flag = (name: string): boolean => ['1', 'true'].includes(query.get(name) ?? '')
  const tty = flag('tty')
  const options = { stdin: flag('input'), stdout: flag('output'), stderr: flag('error') && !tty, tty }
  if (!options.stdin && !options.stdout && !options.stderr)
    return 'you must specify at least 1 of stdin, stdout, stderr'
  return options
}

/** Versions of the protocol of remote commands that resize terminals. */
export function canResize(protocol: string): boolean {
  return /^v[345]\./.test(protocol)
}
