import type { IncomingMessage, ServerResponse } from 'node:http'
import { posix } from 'node:path'
import type { HookCall } from '../../../pipeline/receiver/request.ts'
import { type BoundedServer, endEmpty, readCapped, serveBounded } from '../../net/bounded-server.ts'
import { findReceiver, handleHook, type HookTools } from './handle.ts'

/** The largest body that is read, as in Flux. */
const LARGEST_BODY = 3 * 1024 * 1024

/**
 * Listens for hooks. Bodies are capped before anything looks at them.
 *
 * @throws SluiceError PORT_IN_USE
 */
export function listenForHooks(listen: string, tools: HookTools): Promise<BoundedServer> {
  return serveBounded(listen, 'hook', tools.log, (request, response) => answer(tools, request, response))
}

const NOTHING = '404 page not found\n'

async function answer(tools: HookTools, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? ''
  const clean = cleanPath(path)
  if (clean !== path) {
    response.writeHead(307, { location: clean, 'content-length': 0 }).end()
    return
  }
  if (!path.startsWith('/hook/')) {
    response
      .writeHead(404, { 'content-type': 'text/plain; charset=utf-8', 'content-length': NOTHING.length })
      .end(NOTHING)
    return
  }
  const receiver = findReceiver(tools, path)
  if (!receiver) return endEmpty(response, 404)
  const body = await readCapped(request, LARGEST_BODY)
  if (body === undefined) return endEmpty(response, 413)
  const headers = Object.entries(request.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(',') : value,
  ])
  const call: HookCall = { headers: Object.fromEntries(headers), body }
  endEmpty(response, await handleHook(tools, receiver, call))
}

/** As Go's router has it: without doubled slashes and dots, and `/hook` with the slash that is below it. */
function cleanPath(path: string): string {
  const [, name = '', query = ''] = /^([^?]*)(.*)$/s.exec(path) ?? []
  const clean = name.startsWith('/') ? posix.normalize(name) : name
  return (clean === '/hook' ? '/hook/' : clean) + query
}
