import type { IncomingMessage } from 'node:http'
import type { Connection } from '../request/call.ts'
import { badRequest, Fault } from '../fault.ts'

/** etcd takes no larger request by default; neither do we. */
const MAX_BODY_BYTES = 3 * 1024 * 1024

/** The body of a request. @throws Fault 413 when it is larger than 3 MiB, 400 when it is cut short */
export function readBody(request: IncomingMessage, connection: Connection | undefined): Promise<Buffer> {
  return connection === undefined ? readAll(request) : readAfter(request, connection)
}

/**
 * Reads a body by its events: an iterator over the stream costs more than the request that it brings.
 *
 * What is too long is refused at once and the rest dropped as it comes: a client that is cut off while it sends never sees why.
 */
function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((done, failed) => {
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= MAX_BODY_BYTES) return void chunks.push(chunk)
      chunks.length = 0
      failed(tooLarge())
    })
    request.on('end', () => done(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)))
    request.on('error', failed)
    request.on('close', () => {
      if (!request.complete) failed(new Fault(400, 'BadRequest', 'the connection ended before the request did'))
    })
  })
}

/** After a request for another protocol Node reads no more: the body, such as that of a client that would like HTTP/2, is left to us. */
async function readAfter(request: IncomingMessage, { socket, head }: Connection): Promise<Buffer> {
  const size = Number(request.headers['content-length'] ?? 0)
  if (!(size <= MAX_BODY_BYTES)) throw tooLarge()
  if (size === 0 || head.length >= size) return head.subarray(0, size)
  return new Promise((resolve, reject) => {
    let body = head
    const gone = (): void => reject(badRequest('the connection ended inside the body'))
    const take = (chunk: Buffer): void => {
      body = Buffer.concat([body, chunk])
      if (body.length < size) return
      socket.removeListener('data', take)
      socket.removeListener('close', gone)
      socket.pause()
      resolve(body.subarray(0, size))
    }
    socket.on('data', take)
    socket.once('close', gone)
  })
}

function tooLarge(): Fault {
  return new Fault(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${MAX_BODY_BYTES}`)
}
