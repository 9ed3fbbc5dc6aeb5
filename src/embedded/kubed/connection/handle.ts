import type { IncomingMessage, ServerResponse } from 'node:http'
import { attributesOf, authorize } from '../authorization/authorize.ts'
import { mediaTypeOf } from '../request/media-type.ts'
import type { Call, Connection } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { badRequest, Fault, unknownResource } from '../fault.ts'
import { isPrettyWanted, makePretty, sendFault } from '../negotiation/respond.ts'
import type { Resource } from '../resources/resource.ts'
import { dispatch } from '../dispatch/dispatch.ts'
import { authenticate } from '../authentication/authenticate.ts'
import { readBody } from './body.ts'
import { serveDocument } from './documents.ts'
import { readWriteOptions } from '../request/write-options.ts'
import { plainNotFound } from './plain.ts'
import { checkTimeout } from '../request/query.ts'
import { checkHead } from './refuse.ts'
import { parseRoute, type Route } from '../request/route.ts'
import { refuseWithoutDisk } from '../storage/durable.ts'

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
    await route(env, token, warnings, request, response, connection)
  } catch (error) {
    const log = (what: unknown): void =>
      env.log(`kubed: ${request.method ?? ''} ${request.url ?? ''}: ${traceOf(what)}`)
    try {
      if (response.headersSent) response.destroy()
      else if (error instanceof Fault) sendFault(response, error, accept, warnings)
      else if (isTooDeep(error)) sendFault(response, badRequest('the object is nested too deeply for kubed'), accept)
      else {
        log(error)
        const why = error instanceof Error ? error.message : String(error)
        sendFault(response, new Fault(500, 'InternalError', `Internal error occurred: ${why}`))
      }
    } catch (unsendable) {
      log(unsendable)
      response.destroy()
    }
  }
}

const traceOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))

/** Free fields may be 10,000 levels deep, which is more than a stack has room for in some places. Nothing is stored before all of them. */
const isTooDeep = (error: unknown): boolean => error instanceof RangeError && /call stack/.test(error.message)

async function route(
  env: Environment,
  token: string,
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
  const contentType = mediaTypeOf(request.headers['content-type'] ?? '', request.method ?? 'GET')
  const asked = attributesOf(found, path, request.method ?? 'GET', query)
  env.meter.follow({ method: request.method ?? 'GET', found, verb: asked.verb, query, contentType }, response)
  checkTimeout(found, query)
  const user = authenticate(env, request, token)
  authorize(env, user, asked)
  if (found.kind !== 'resource') return serveDocument(env, found, query, request, response)
  refuseWithoutDisk(env.store)
  const resource = resourceOf(env, found)
  if (resource === undefined) return plainNotFound(response)
  // A HEAD is a GET of a custom resource, and no method of others.
  const method = request.method === 'HEAD' && resource.custom !== undefined ? 'GET' : (request.method ?? 'GET')
  const accept = request.headers.accept ?? ''
  checkHead(resource, { method, found, accept, contentType, query, warnings })
  // what goes on to somebody else has no body that we read
  const hasBody = method !== 'GET' && method !== 'HEAD' && found.subresource !== 'proxy'
  const body = hasBody ? await readBody(request, connection) : Buffer.alloc(0)
  const call: Call = {
    method,
    path,
    query,
    isWatchPath: found.isWatchPath,
    accept,
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

/** The resource that a path names; undefined where a path leads nowhere at all. @throws Fault 404 */
function resourceOf({ registry }: Environment, found: Extract<Route, { kind: 'resource' }>): Resource | undefined {
  const { group, version, plural } = found
  const resource = registry.find(group, version, plural)
  if (resource === undefined) {
    const inVersion = registry.all().filter((each) => each.group === group && each.version === version)
    const isOfDefinitions = inVersion.every(({ custom }) => custom !== undefined)
    if (isOfDefinitions && !registry.all().some((each) => each.group === group && each.custom === undefined))
      return undefined
    throw unknownResource()
  }
  const isAstray = resource.isNamespaced ? found.namespace === '' && found.name !== '' : found.namespace !== ''
  if (!isAstray) return resource
  if (resource.custom !== undefined) return undefined
  throw unknownResource()
}
