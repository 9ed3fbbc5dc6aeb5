import { Duplex } from 'node:stream'
import {
  readFrames,
  renderData,
  renderGoAway,
  renderPing,
  renderReset,
  renderSynReply,
  RESET,
  type Frame,
} from '../../../lib/spdy/frame.ts'
import { readHeaderBlocks, writeHeaderBlocks, type Headers } from '../../../lib/spdy/headers.ts'
import { endGently } from './end-gently.ts'
import { keepWatch } from './keep-watch.ts'
import { untilTaken } from './until-taken.ts'
import type { Upgraded } from './command-streams.ts'

/** A connection whose peer opens streams. */
export type SpdyConnection = {
  /** Aborted when the connection is over. */
  readonly gone: AbortSignal
  /** Says goodbye and ends the connection after everything that was written. */
  readonly close: () => void
  /** Ends the connection at once. */
  readonly cut: () => void
}

/** How many streams a peer may have open: a client of port-forward needs two a connection. */
const MAX_STREAMS = 2_000
/** What waits in one stream before the whole connection is no longer read: the protocol, as Kubernetes speaks it, has no windows. */
const MAX_WAITING_BYTES = 1024 * 1024

type Open = { readonly duplex: Duplex; isRemoteOver: boolean; isLocalOver: boolean; wake: () => void }

type Connection = {
  readonly socket: Duplex
  readonly streams: Map<number, Open>
  readonly blocks: ReturnType<typeof readHeaderBlocks>
  readonly renderBlock: (headers: Headers) => Buffer
  readonly onStream: (headers: Headers, stream: Duplex) => boolean
  lastStream: number
}

/**
 * Serves SPDY/3.1 on an upgraded connection. `onStream` takes each stream that the peer opens; false refuses it.
 *
 * A fault of the peer ends the connection.
 */
export function serveSpdy(
  { socket, head }: Upgraded,
  onStream: (headers: Headers, stream: Duplex) => boolean,
): SpdyConnection {
  const gone = new AbortController()
  const connection: Connection = {
    socket,
    streams: new Map(),
    blocks: readHeaderBlocks(),
    renderBlock: writeHeaderBlocks(),
    onStream,
    lastStream: 0,
  }
  socket.on('error', () => socket.destroy())
  socket.once('close', () => gone.abort())
  let ping = 0
  // a server's pings have even numbers
  keepWatch(socket, () => renderPing((ping += 2)))
  if (head.length > 0) socket.unshift(head)
  void receive(connection)
    .catch(() => undefined)
    .finally(() => {
      connection.blocks.close()
      for (const { duplex } of connection.streams.values()) duplex.destroy()
      socket.destroy()
      gone.abort()
    })
  return {
    gone: gone.signal,
    close: () => endGently(socket, renderGoAway(connection.lastStream)),
    cut: () => void socket.destroy(),
  }
}

async function receive(connection: Connection): Promise<void> {
  const read = readFrames()
  for await (const chunk of connection.socket)
    for (const frame of read(chunk)) {
      await take(connection, frame)
      if (frame.kind === 'ping' || frame.kind === 'synStream') await untilTaken(connection.socket)
    }
}

async function take(connection: Connection, frame: Frame): Promise<void> {
  const { socket, streams, blocks } = connection
  switch (frame.kind) {
    case 'synStream':
      return open(connection, frame.stream, await blocks.read(frame.block), frame.isLast)
    case 'headers':
    case 'synReply':
      // of no use to us, but the next block cannot be read without this one
      await blocks.read(frame.block)
      return
    case 'data':
      return receiveData(connection, frame)
    case 'reset':
      return abandon(streams.get(frame.stream))
    case 'ping':
      if (frame.id % 2 === 1) socket.write(renderPing(frame.id))
      return
    case 'goAway':
    case 'other':
      return
  }
}

function open(connection: Connection, id: number, headers: Headers, isLast: boolean): void {
  const { socket, streams } = connection
  if (id % 2 === 0 || id <= connection.lastStream) return void socket.write(renderReset(id, RESET.protocolError))
  connection.lastStream = id
  if (streams.size >= MAX_STREAMS) return void socket.write(renderReset(id, RESET.refused))
  const stream: Open = {
    duplex: duplexOf(connection, id),
    isRemoteOver: false,
    isLocalOver: false,
    wake: () => undefined,
  }
  streams.set(id, stream)
  if (!connection.onStream(headers, stream.duplex)) {
    abandon(stream)
    return void socket.write(renderReset(id, RESET.refused))
  }
  socket.write(renderSynReply(id, connection.renderBlock(new Map())))
  if (isLast) endInput(stream)
}

function duplexOf({ socket, streams }: Connection, id: number): Duplex {
  const duplex = new Duplex({
    read: () => streams.get(id)?.wake(),
    write: (chunk, _encoding, done) => void socket.write(renderData(id, chunk, false), done),
    final(done) {
      const stream = streams.get(id)
      if (stream) stream.isLocalOver = true
      socket.write(renderData(id, Buffer.alloc(0), true), done)
    },
    destroy(error, done) {
      const stream = streams.get(id)
      streams.delete(id)
      stream?.wake()
      if (stream && !(stream.isLocalOver && stream.isRemoteOver) && socket.writable)
        socket.write(renderReset(id, RESET.cancel))
      done(error)
    },
  })
  return duplex.on('error', () => undefined)
}

/** Hands data on; resolves when more may be read from the connection. */
async function receiveData(
  { streams }: Connection,
  { stream: id, data, isLast }: Frame & { readonly kind: 'data' },
): Promise<void> {
  const stream = streams.get(id)
  if (stream === undefined || stream.isRemoteOver) return
  if (data.length > 0) stream.duplex.push(data)
  if (isLast) return endInput(stream)
  while (stream.duplex.readableLength > MAX_WAITING_BYTES && !stream.duplex.destroyed)
    await new Promise<void>((resolve) => (stream.wake = resolve))
}

function endInput(stream: Open): void {
  stream.isRemoteOver = true
  stream.duplex.push(null)
}

/** Ends a stream that the peer has given up. */
function abandon(stream: Open | undefined): void {
  if (stream === undefined) return
  stream.isRemoteOver = true
  stream.isLocalOver = true
  stream.duplex.destroy()
}
