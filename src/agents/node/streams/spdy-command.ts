import type { Duplex } from 'node:stream'
import { canResize, type CommandOptions, type CommandStreams, type Upgraded } from './command-streams.ts'
import { serveSpdy } from './spdy-connection.ts'
import { renderStatus } from './status.ts'

/** How long a client may take to open its streams. @see DefaultStreamCreationTimeout of the kubelet */
const CREATION_MS = 30_000

/**
 * The streams of a remote command over SPDY: the client opens them, each named by its header `streamType`.
 *
 * @returns undefined when the client opens others, or is too slow
 */
export function spdyCommand(
  upgraded: Upgraded,
  options: CommandOptions,
  protocol: string,
): Promise<CommandStreams | undefined> {
  const wanted = new Set(['error'])
  for (const name of ['stdin', 'stdout', 'stderr'] as const) if (options[name]) wanted.add(name)
  if (options.tty && canResize(protocol)) wanted.add('resize')
  const streams = new Map<string, Duplex>()
  return new Promise((resolve) => {
    const connection = serveSpdy(upgraded, (headers, stream) => {
      const type = headers.get('streamtype') ?? ''
      if (!wanted.has(type) || streams.has(type)) return false
      streams.set(type, stream)
      if (streams.size === wanted.size) {
        clearTimeout(timer)
        resolve(commandOf(streams, connection, protocol))
      }
      return true
    })
    const giveUp = (): void => {
      clearTimeout(timer)
      connection.close()
      resolve(undefined)
    }
    const timer = setTimeout(giveUp, CREATION_MS)
    connection.gone.addEventListener('abort', giveUp, { once: true })
  })
}

function commandOf(
  streams: ReadonlyMap<string, Duplex>,
  { gone, close, cut }: ReturnType<typeof serveSpdy>,
  protocol: string,
): CommandStreams {
  const error = streams.get('error')
  // what the client may send on streams that only go to it is of no use
  for (const name of ['error', 'stdout', 'stderr']) streams.get(name)?.resume()
  return {
    stdin: streams.get('stdin'),
    stdout: streams.get('stdout'),
    stderr: streams.get('stderr'),
    resize: streams.get('resize'),
    gone,
    close,
    cut,
    sendStatus: (status) =>
      new Promise((resolve) => {
        if (error === undefined || error.destroyed) return resolve()
        error.once('close', resolve)
        error.end(renderStatus(status, protocol), () => resolve())
      }),
  }
}
