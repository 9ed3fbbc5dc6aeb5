import type { IncomingMessage, ServerResponse } from 'node:http'
import { attributesOf, authorize } from '../authorization/authorize.ts'
import type { Call, Connection, User } from '../call.ts'
import type { Environment } from '../environment.ts'
import { badRequest, Fault, methodNotAllowed, unknownResource } from '../fault.ts'
import { sendFault } from '../negotiation/respond.ts'
import { dispatch } from '../verbs/dispatch.ts'
import { authenticate } from './authenticate.ts'
import { plainNotFound, serveDocument } from './documents.ts'
import { readWriteOptions } from './options.ts'
import { parseRoute } from './route.ts'

/** etcd takes no larger request by default; neither do we. */
const MAX_BODY_BYTES = 3 * 1024 * 1024
/** Answers one HTTP request, whose connection may become another protocol's. Never rejects. */
export async function handle(
  env: Environment,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
  connection?: Connection,
): Promise<void> {
  const accept = request.headers.accept ?? ''
  const warnings: string[] = []
  try {
    const user = authenticate(env, request, token)
    await route(env, user, warnings, request, response, connection)
  } catch (error) {
    if (response.headersSent) response.destroy()
    else if (error instanceof Fault) sendFault(response, error, accept, warnings)
    else if (isTooDeep(error)) sendFault(response, badRequest('the object is nested too deeply for kubed'), accept)
    else {
      env.log(
        `kubed: ${request.method ?? ''} ${request.url ?? ''}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      )
      sendFault(
        response,
        new Fault(
          500,
          'InternalError',
          `Internal error occurred: ${error instanceof Error ? error.message : String(error)}`,
        ),
      )
    }
  }
}

/** Free fields may be 10,000 levels deep, which is more than a stack has room for in some places. Nothing is stored before all of them. */
const isTooDeep = (error: unknown): boolean => error instanceof RangeError && /call stack/.test(error.message)

async function route(
  env: Environment,
  user: User,
  warnings: string[],
  request: IncomingMessage,
  response: ServerResponse,
  connection: Connection | undefined,
): Promise<void> {
  const target = request.url ?? '/'
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1))
  const found = parseRoute(path)
  const method = request.method ?? 'GET'
  authorize(env, user, attributesOf(found, path, method, query))
  if (found.kind !== 'resource') return serveDocument(env, found, request, response)
  refuseWithoutDisk(env)
  const resource = env.registry.find(found.group, found.version, found.plural)
  if (resource === undefined) {
    if (!env.registry.all().some(({ group }) => group === found.group)) return plainNotFound(response)
    throw unknownResource()
  }
  if (found.namespace === '' && resource.isNamespaced && found.name !== '') throw unknownResource()
  if (found.subresource !== '' && !resource.subresources.has(found.subresource)) throw unknownResource()
  if (!/^(GET|POST|PUT|PATCH|DELETE)$/.test(method)) throw methodNotAllowed()
  if (found.isWatchPath) query.set('watch', 'true')
  const body = method === 'GET' || method === 'HEAD' ? Buffer.alloc(0) : await readAll(request)
  const contentType = (request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? ''
  const call: Call = {
    method,
    path,
    query,
    accept: request.headers.accept ?? '',
    contentType,
    body,
    user,
    resource,
    namespace: resource.isNamespaced ? found.namespace : '',
    name: found.name,
    subresource: found.subresource,
    rest: found.rest,
    // A DELETE with a body takes its options from there alone.
    ...readWriteOptions(
      method,
      method === 'DELETE' && body.length > 0 ? new URLSearchParams() : query,
      contentType,
      request.headers['user-agent'] ?? '',
    ),
    connection,
    warnings,
  }
  await dispatch(env, call, response)
}

/** What cannot become durable is not begun, and what is not durable is not shown. */
function refuseWithoutDisk({ store }: Environment): void {
  const fault = store.fault()
  if (fault === undefined) return
  const message = `the state of the server cannot be written (${fault}): free space on its disk`
  throw new Fault(503, 'ServiceUnavailable', message, { retryAfterSeconds: 1 })
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
      failed(new Fault(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${MAX_BODY_BYTES}`))
    })
    request.on('end', () => done(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)))
    request.on('error', failed)
    request.on('close', () => {
      if (!request.complete) failed(new Fault(400, 'BadRequest', 'the connection ended before the request did'))
    })
  })
}
