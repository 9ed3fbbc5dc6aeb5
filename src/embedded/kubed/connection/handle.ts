import type { IncomingMessage, ServerResponse } from 'node:http'
import { attributesOf, authorize } from '../authorization/authorize.ts'
import type { Call, Connection, User } from '../call.ts'
import type { Environment } from '../environment.ts'
import { badRequest, Fault, methodNotAllowed, unknownResource } from '../fault.ts'
import { checkAccept, SERVED_BY_LISTS } from '../negotiation/accept.ts'
import { isPrettyWanted, makePretty, sendFault } from '../negotiation/respond.ts'
import { dispatch } from '../verbs/dispatch.ts'
import { authenticate } from './authenticate.ts'
import { readBody } from './body.ts'
import { serveDocument } from './documents.ts'
import { readWriteOptions } from './options.ts'
import { plainNotFound } from './plain.ts'
import { parseRoute } from './route.ts'

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
  if (isPrettyWanted(request)) makePretty(response)
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
  if (found.kind !== 'resource') return serveDocument(env, found, query, request, response)
  refuseWithoutDisk(env)
  const resource = env.registry.find(found.group, found.version, found.plural)
  if (resource === undefined) {
    if (!env.registry.all().some(({ group }) => group === found.group)) return plainNotFound(response)
    throw unknownResource()
  }
  const isAstray = resource.isNamespaced ? found.namespace === '' && found.name !== '' : found.namespace !== ''
  if (isAstray && resource.custom !== undefined) return plainNotFound(response)
  if (isAstray) throw unknownResource()
  if (found.subresource !== '' && !resource.subresources.has(found.subresource)) throw unknownResource()
  const isProxy = found.subresource === 'proxy'
  if (!isProxy && !/^(GET|POST|PUT|PATCH|DELETE)$/.test(method)) throw methodNotAllowed()
  if (resource.custom === undefined && !isProxy)
    checkAccept(request.headers.accept ?? '', method === 'GET' && found.name === '' ? SERVED_BY_LISTS : undefined)
  if (found.isWatchPath) query.set('watch', 'true')
  // what goes on to somebody else has no body that we read
  const hasBody = method !== 'GET' && method !== 'HEAD' && !isProxy
  const body = hasBody ? await readBody(request, connection) : Buffer.alloc(0)
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
