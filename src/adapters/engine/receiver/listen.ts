import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { describeError, SluiceError } from '../../../lib/error/sluice-error.ts'
import type { HookCall } from '../../../pipeline/receiver/request.ts'
import { findReceiver, handleHook, type HookTools } from './handle.ts'

/** A listener for hooks. */
export type HookListener = { readonly address: string; readonly close: () => Promise<void> }

/** The largest body that is read, as in Flux. */
const LARGEST_BODY = 3 * 1024 * 1024
const MOST_CONNECTIONS = 256

/**
 * Listens for hooks. Bodies are capped before anything looks at them, slow senders are dropped, and whatever is sent, the process stays.
 *
 * @throws SluiceError PORT_IN_USE
 */
export async function listenForHooks(listen: string, tools: HookTools): Promise<HookListener> {
  const limits = { maxHeaderSize: 64 * 1024, headersTimeout: 10_000, requestTimeout: 30_000 }
  const server = createServer(limits, (request, response) => {
    request.on('error', () => response.destroy())
    answer(tools, request, response).catch((error: unknown) => {
      tools.log(`hook: ${describeError(error)}`)
      if (!response.headersSent) end(response, 500)
    })
  })
  server.maxConnections = MOST_CONNECTIONS
  const colon = listen.lastIndexOf(':')
  const host = listen.slice(0, colon).replace(/^\[|\]$/g, '')
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(portFault(error, listen)))
    server.listen({ port: Number(listen.slice(colon + 1)), ...(host === '' ? {} : { host }) }, resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    address: `${listen.slice(0, colon) || '0.0.0.0'}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(tools: HookTools, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? ''
  if (!path.startsWith('/hook/')) {
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n')
    return
  }
  const receiver = findReceiver(tools, path)
  if (!receiver) return end(response, 404)
  const body = await readBody(request)
  if (body === undefined) return end(response, 413)
  const headers = Object.entries(request.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(',') : value,
  ])
  const call: HookCall = { headers: Object.fromEntries(headers), body }
  end(response, await handleHook(tools, receiver, call))
}

/** The body; undefined when it is larger than it may be. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue
    size += chunk.length
    if (size > LARGEST_BODY) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Answers without a body; what was not read is not waited for. */
function end(response: ServerResponse, status: number): void {
  const isWhole = response.req.complete
  response.writeHead(status, { 'content-length': 0, ...(isWhole ? {} : { connection: 'close' }) }).end()
}

function portFault(error: NodeJS.ErrnoException, listen: string): Error {
  if (error.code !== 'EADDRINUSE') return error
  const hint = 'choose another port, or 0 for a free one'
  return new SluiceError('PORT_IN_USE', `something listens on ${listen} already`, { hint, cause: error })
}
