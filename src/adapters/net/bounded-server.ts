import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { closeServer } from '../../machine/close-server.ts'
import { describeError } from '../../lib/error/sluice-error.ts'
import { listenFault } from '../../machine/listen-fault.ts'

/** A listener for requests of strangers. */
export type BoundedServer = { readonly address: string; readonly close: () => Promise<void> }

/** Answers one request; what it throws is logged, and answered by 500. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<void>

const MOST_CONNECTIONS = 256

/**
 * Listens for requests of strangers: slow senders are dropped, connections counted, and whatever is sent, the process stays.
 *
 * @param listen `host:port`; port 0 for a free one
 * @param of what is listened for, in the log
 * @throws SluiceError PORT_IN_USE, PORT_REFUSED
 */
export async function serveBounded(
  listen: string,
  of: string,
  log: (line: string) => void,
  answer: Answer,
): Promise<BoundedServer> {
  const limits = { maxHeaderSize: 64 * 1024, headersTimeout: 10_000, requestTimeout: 30_000 }
  const server = createServer(limits, (request, response) => {
    request.on('error', () => response.destroy())
    answer(request, response).catch((error: unknown) => {
      log(`${of}: ${describeError(error)}`)
      if (!response.headersSent) endEmpty(response, 500)
    })
  })
  server.maxConnections = MOST_CONNECTIONS
  const colon = listen.lastIndexOf(':')
  const host = listen.slice(0, colon).replace(/^\[|\]$/g, '')
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenFault(listen, error)))
    server.listen({ port: Number(listen.slice(colon + 1)), ...(host === '' ? {} : { host }) }, resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    address: `${listen.slice(0, colon) || '0.0.0.0'}:${port}`,
    close: () => closeServer(server),
  }
}

/** A body that is too large is still read so many times over, so that its sender comes to read the answer. */
const DRAINED_TIMES = 4

/** The body; undefined when it is larger than it may be. */
export async function readCapped(request: IncomingMessage, largestBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue
    size += chunk.length
    if (size <= largestBytes) chunks.push(chunk)
    if (size > largestBytes * DRAINED_TIMES) break
  }
  return size > largestBytes ? undefined : Buffer.concat(chunks)
}

/** Answers without a body; what was not read is not waited for. */
export function endEmpty(response: ServerResponse, status: number): void {
  const isWhole = response.req.complete
  response.writeHead(status, { 'content-length': 0, ...(isWhole ? {} : { connection: 'close' }) }).end()
}
