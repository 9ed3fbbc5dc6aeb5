import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import { renderPing, renderSynStream } from '../../../lib/spdy/frame.ts'
import { writeHeaderBlocks } from '../../../lib/spdy/headers.ts'
import { renderFrame } from '../../../lib/websocket/frame.ts'
import { serveSpdy } from './spdy-connection.ts'
import { serveWebSocket } from './websocket-connection.ts'

/** A connection whose peer sends one piece without end, and reads nothing: answers how much was taken of it. */
function deafPeer(piece: Buffer): { readonly socket: Duplex; readonly taken: () => number } {
  let taken = 0
  const socket = new Duplex({
    write: () => undefined,
    read() {
      taken += piece.length
      setImmediate(() => this.push(piece))
    },
  })
  return { socket, taken: () => taken }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

function synStreams(count: number): Buffer {
  const block = writeHeaderBlocks()
  // each opens the same stream again, which is refused with a frame
  return Buffer.concat(Array.from({ length: count }, () => renderSynStream(1, block(new Map([['a', 'b']])))))
}

const peers: { it: string; piece: Buffer; serve: (socket: Duplex) => void }[] = [
  {
    it: 'pings of a WebSocket',
    piece: Buffer.concat(Array.from({ length: 100 }, () => renderFrame('ping', Buffer.alloc(100), Buffer.alloc(4)))),
    serve: (socket) => void serveWebSocket({ socket, head: Buffer.alloc(0) }, () => undefined),
  },
  {
    it: 'pings of SPDY',
    piece: Buffer.concat(Array.from({ length: 1_000 }, () => renderPing(1))),
    serve: (socket) => void serveSpdy({ socket, head: Buffer.alloc(0) }, () => true),
  },
]
for (const { it, piece, serve } of peers)
  test(`a peer that sends ${it} and reads no answer is not read on`, async () => {
    const { socket, taken } = deafPeer(piece)
    serve(socket)
    await turns(2_000)
    assert.ok(taken() < 40 * piece.length, `${taken() / piece.length} pieces`)
    assert.ok(socket.writableLength < 1 << 20, String(socket.writableLength))
    socket.destroy()
    await turns(10)
  })

test('refused streams of a peer that reads nothing are not answered without end', async () => {
  const socket = new Duplex({ read: () => undefined, write: () => undefined })
  serveSpdy({ socket, head: Buffer.alloc(0) }, () => false)
  socket.push(synStreams(20_000))
  await turns(5_000)
  assert.ok(socket.writableLength < 1 << 17, String(socket.writableLength))
  socket.destroy()
  await turns(10)
})
