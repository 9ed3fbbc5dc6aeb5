import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JsonObject } from '../../../lib/kube/json.ts'
import { aggregated, groupDocument, groupList, resourceList } from '../discovery/documents.ts'
import { openapiIndex, openapiV3 } from '../discovery/openapi.ts'
import { serveOpenapiV2 } from '../discovery/serve-v2.ts'
import type { Environment } from '../environment.ts'
import { methodNotAllowed, unknownResource } from '../fault.ts'
import {
  aggregatedTypeOf,
  checkAccept,
  type ContentType,
  notAcceptable,
  parseAccept,
  plainTypeOf,
} from '../negotiation/accept.ts'
import { serveExposition, serveSlis } from './exposition.ts'
import { makePretty, send, written } from '../negotiation/respond.ts'
import { isHealthPath, serveHealth } from './health.ts'
import { plain, plainNotFound } from './plain.ts'
import { flagsPage, statusPage } from './status-page.ts'
import { VERSION } from './version.ts'
import { serveZPage } from './z-pages.ts'
import type { Route } from '../request/route.ts'
import type { Registry } from '../resources/registry.ts'
import { discoveryDocument } from '../authentication/signing.ts'

/** Answers what is no resource: discovery, OpenAPI, health, version, keys. @throws Fault 404, 406 */
export function serveDocument(
  env: Environment,
  found: Exclude<Route, { kind: 'resource' }>,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { registry } = env
  const accept = request.headers.accept ?? ''
  switch (found.kind) {
    case 'versions': {
      if (found.root === 'api') checkRoute(request)
      const aggregatedType = aggregatedTypeOf(accept)
      if (aggregatedType !== undefined)
        return sendAggregated(request, response, aggregated(registry, found.root === 'api'), aggregatedType)
      return sendDocument(
        response,
        accept,
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
      return group === undefined ? plainNotFound(response) : sendDocument(response, accept, group)
    }
    case 'resources': {
      const resources = resourceList(registry, found.group, found.version)
      // the routes of definitions are not among those that refuse by themselves
      if (isBuiltIn(registry, found)) checkRoute(request)
      if (resources !== undefined) return sendDocument(response, accept, resources)
      if (!isBuiltInGroup(registry, found.group)) return plainNotFound(response)
      throw unknownResource()
    }
    default:
      return other(env, found.path, query, request, response)
  }
}

const isBuiltIn = (registry: Registry, { group, version }: { group: string; version: string }): boolean =>
  registry.all().some((each) => each.group === group && each.version === version && each.custom === undefined)

const isBuiltInGroup = (registry: Registry, group: string): boolean =>
  registry.all().some((each) => each.group === group && each.custom === undefined)

/** A document of discovery, which has no other form than its own. @throws Fault 406 */
function sendDocument(response: ServerResponse, accept: string, body: JsonObject): void {
  const contentType = plainTypeOf(accept)
  if (contentType === undefined) throw notAcceptable()
  send(response, 200, body, contentType)
}

/** What a route refuses before it is asked. @throws Fault 405, 406 */
function checkRoute({ method, headers }: IncomingMessage, served?: readonly string[]): void {
  if (method !== 'GET') throw methodNotAllowed()
  checkAccept(headers.accept ?? '', served)
}

/** The aggregated form of discovery, which clients keep for as long as its tag is the same. */
function sendAggregated(
  request: IncomingMessage,
  response: ServerResponse,
  body: JsonObject,
  contentType: ContentType,
): void {
  const etag = `"${createHash('sha512').update(JSON.stringify(body)).digest('hex').toUpperCase()}"`
  const headers = { etag, vary: 'Accept', 'cache-control': 'public' }
  if (request.headers['if-none-match'] === etag) return void response.writeHead(304, headers).end()
  response.writeHead(200, {
    ...headers,
    'content-type': `${contentType};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList`,
  })
  response.end(written(response, JSON.stringify(body), contentType))
}

function other(
  env: Environment,
  path: string,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (path === '/version' || path === '/version/') return sendVersion(request, response)
  if (isHealthPath(path)) return serveHealth(env, path, query, response)
  // The real server sends its index without saying that it is JSON.
  if (path === '/openapi/v3') return plain(response, JSON.stringify(openapiIndex(env.registry)))
  if (path.startsWith('/openapi/v3/')) return sendOpenapiV3(env, path.slice('/openapi/v3/'.length), request, response)
  if (path === '/.well-known/openid-configuration')
    return send(response, 200, discoveryDocument(`https://${request.headers.host ?? ''}`))
  if (path === '/metrics') return serveExposition(env, response)
  if (path === '/metrics/slis') return serveSlis(env, response)
  if (path === '/statusz') return serveZPage(statusPage(performance.timeOrigin, performance.now()), request, response)
  if (path === '/flagz') return serveZPage(flagsPage(env.flags), request, response)
  if (path === '/openid/v1/jwks') return sendKeys(env, response)
  if (path === '/openapi/v2') return serveOpenapiV2(env.registry, request, response)
  if (path === '/')
    return send(response, 200, {
      paths: [
        '/api',
        '/api/v1',
        '/apis',
        '/flagz',
        '/healthz',
        '/livez',
        '/metrics',
        '/metrics/slis',
        '/openapi/v2',
        '/openapi/v3',
        '/readyz',
        '/statusz',
        '/version',
      ],
    })
  plainNotFound(response)
}

/** A document of a group, in JSON alone, and without a word to who takes none. */
function sendOpenapiV3(env: Environment, group: string, { headers }: IncomingMessage, response: ServerResponse): void {
  const isJsonTaken = parseAccept(headers.accept || '*/*').some(({ type }) => JSON_RANGE.test(type))
  if (!isJsonTaken) return void response.writeHead(406).end()
  const body = openapiV3(env.registry, group)
  return body === undefined ? void response.writeHead(404).end() : send(response, 200, body)
}

const JSON_RANGE = /^(\*|application)\/(\*|json)$/

/** Written in lines for everybody. */
function sendVersion(request: IncomingMessage, response: ServerResponse): void {
  checkRoute(request, ['application/json'])
  makePretty(response)
  send(response, 200, VERSION)
}

/** The keys with which anybody can check the accounts' tokens. */
function sendKeys({ signer }: Environment, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/jwk-set+json', 'cache-control': 'public, max-age=3600' })
  response.end(JSON.stringify({ keys: [signer.publicKey] }))
}
