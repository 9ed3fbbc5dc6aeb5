import type { IncomingMessage, ServerResponse } from 'node:http'
import { attributesOf, authorize } from '../authorization/authorize.ts'
import type { Call, User } from '../call.ts'
import { aggregated, groupDocument, groupList, resourceList } from '../discovery/documents.ts'
import { openapiIndex, openapiV2, openapiV3 } from '../discovery/openapi.ts'
import type { Environment } from '../environment.ts'
import { Fault, methodNotAllowed, unknownResource } from '../fault.ts'
import { parseAccept } from '../negotiation/accept.ts'
import { send, sendFault } from '../negotiation/respond.ts'
import { dispatch } from '../verbs/dispatch.ts'
import { authenticate } from './authenticate.ts'
import { discoveryDocument } from './signing.ts'
import { readWriteOptions } from './options.ts'
import { parseRoute, type Route } from './route.ts'

/** etcd takes no larger request by default; neither do we. */
const MAX_BODY_BYTES = 3 * 1024 * 1024
/** What kubed says that it is: the Kubernetes whose behaviour it follows. */
export const VERSION = {
  major: '1',
  minor: '33',
  gitVersion: 'v1.33.0+kubed',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'none',
  platform: 'linux/amd64',
}

/** Answers one HTTP request. Never rejects. */
export async function handle(
  env: Environment,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const accept = request.headers.accept ?? ''
  const warnings: string[] = []
  try {
    const user = authenticate(env, request, token)
    await route(env, user, warnings, request, response)
  } catch (error) {
    if (response.headersSent) response.destroy()
    else if (error instanceof Fault) sendFault(response, error, accept, warnings)
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

async function route(
  env: Environment,
  user: User,
  warnings: string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const target = request.url ?? '/'
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1))
  const found = parseRoute(path)
  const method = request.method ?? 'GET'
  authorize(env, user, attributesOf(found, path, method, query))
  if (found.kind !== 'resource') return document(env, found, request, response)
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
    warnings,
  }
  await dispatch(env, call, response)
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES)
      throw new Fault(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${MAX_BODY_BYTES}`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function plainNotFound(response: ServerResponse): void {
  response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' })
  response.end('404 page not found\n')
}

function plain(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' })
  response.end(text)
}

function document(
  env: Environment,
  found: Exclude<Route, { kind: 'resource' }>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { registry } = env
  switch (found.kind) {
    case 'versions': {
      const wanted = aggregatedVersion(request.headers.accept ?? '')
      if (wanted !== undefined)
        return sendAggregated(response, aggregated(registry, found.root === 'api', wanted), wanted)
      return send(
        response,
        200,
        found.root === 'apis'
          ? groupList(registry)
          : {
              kind: 'APIVersions',
              versions: ['v1'],
              serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: request.headers.host ?? '' }],
            },
      )
    }
    case 'group': {
      const group = groupDocument(registry, found.group)
      return group === undefined ? plainNotFound(response) : send(response, 200, group)
    }
    case 'resources': {
      const resources = resourceList(registry, found.group, found.version)
      if (resources !== undefined) return send(response, 200, resources)
      if (!registry.all().some(({ group }) => group === found.group)) return plainNotFound(response)
      throw unknownResource()
    }
    default:
      return other(env, found.path, request, response)
  }
}

function aggregatedVersion(accept: string): string | undefined {
  for (const { type, parameters } of parseAccept(accept)) {
    const version = parameters.get('v') ?? ''
    if (
      type === 'application/json' &&
      parameters.get('as') === 'APIGroupDiscoveryList' &&
      parameters.get('g') === 'apidiscovery.k8s.io' &&
      /^v2(beta1)?$/.test(version)
    )
      return version
    if (parameters.get('as') === undefined && (type === 'application/json' || type === '*/*')) return undefined
  }
  return undefined
}

function sendAggregated(response: ServerResponse, body: object, version: string): void {
  response.writeHead(200, {
    'content-type': `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
    'cache-control': 'no-cache, private',
    vary: 'Accept',
  })
  response.end(JSON.stringify(body))
}

function other(env: Environment, path: string, request: IncomingMessage, response: ServerResponse): void {
  if (path === '/version' || path === '/version/') return send(response, 200, VERSION)
  if (/^\/(healthz|livez|readyz)(\/.*)?$/.test(path)) return plain(response, 'ok')
  if (path === '/openapi/v3') return send(response, 200, openapiIndex(env.registry))
  if (path.startsWith('/openapi/v3/')) {
    const body = openapiV3(env.registry, path.slice('/openapi/v3/'.length))
    return body === undefined ? plainNotFound(response) : send(response, 200, body)
  }
  if (path === '/.well-known/openid-configuration')
    return send(response, 200, discoveryDocument(`https://${request.headers.host ?? ''}`))
  if (path === '/openid/v1/jwks') return sendKeys(env, response)
  if (path === '/openapi/v2') return openapiV2(env.registry, request, response)
  if (path === '/')
    return send(response, 200, {
      paths: ['/api', '/api/v1', '/apis', '/healthz', '/livez', '/openapi/v2', '/openapi/v3', '/readyz', '/version'],
    })
  plainNotFound(response)
}

/** The keys with which anybody can check the accounts' tokens. */
function sendKeys({ signer }: Environment, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/jwk-set+json', 'cache-control': 'public, max-age=3600' })
  response.end(JSON.stringify({ keys: [signer.publicKey] }))
}
