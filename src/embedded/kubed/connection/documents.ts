import type { IncomingMessage, ServerResponse } from 'node:http'
import { aggregated, groupDocument, groupList, resourceList } from '../discovery/documents.ts'
import { openapiIndex, openapiV3 } from '../discovery/openapi.ts'
import { serveOpenapiV2 } from '../discovery/serve-v2.ts'
import type { Environment } from '../environment.ts'
import { Fault, unknownResource } from '../fault.ts'
import { parseAccept } from '../negotiation/accept.ts'
import { send } from '../negotiation/respond.ts'
import type { Route } from './route.ts'
import { discoveryDocument } from './signing.ts'

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

/** 404 where nothing of the API is. */
export function plainNotFound(response: ServerResponse): void {
  response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' })
  response.end('404 page not found\n')
}

function plain(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' })
  response.end(text)
}

/** Answers what is no resource: discovery, OpenAPI, health, version, keys. @throws Fault 404, 406 */
export function serveDocument(
  env: Environment,
  found: Exclude<Route, { kind: 'resource' }>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { registry } = env
  switch (found.kind) {
    case 'versions': {
      if (wantsAggregated(request.headers.accept ?? ''))
        return sendAggregated(response, aggregated(registry, found.root === 'api'))
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

/** True when the client takes the aggregated form first. @throws Fault 406 when it takes no form that is served */
function wantsAggregated(accept: string): boolean {
  if (accept === '') return false
  for (const { type, parameters } of parseAccept(accept)) {
    const form = ['as', 'g', 'v'].map((name) => parameters.get(name) ?? '').join()
    if (type === 'application/json' && form === 'APIGroupDiscoveryList,apidiscovery.k8s.io,v2') return true
    if (parameters.get('as') === undefined && PLAIN.test(type)) return false
  }
  throw new Fault(
    406,
    'NotAcceptable',
    'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  )
}

const PLAIN = /^(\*\/\*|application\/(\*|json|yaml|vnd\.kubernetes\.protobuf))$/

function sendAggregated(response: ServerResponse, body: object): void {
  response.writeHead(200, {
    'content-type': 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
    'cache-control': 'no-cache, private',
    vary: 'Accept',
  })
  response.end(JSON.stringify(body))
}

function other(env: Environment, path: string, request: IncomingMessage, response: ServerResponse): void {
  if (path === '/version' || path === '/version/') return send(response, 200, VERSION)
  if (/^\/(healthz|livez|readyz)(\/(ping|log|etcd))?\/?$/.test(path)) return plain(response, 'ok')
  // The real server sends its index without saying that it is JSON.
  if (path === '/openapi/v3') return plain(response, JSON.stringify(openapiIndex(env.registry)))
  if (path.startsWith('/openapi/v3/')) {
    const body = openapiV3(env.registry, path.slice('/openapi/v3/'.length))
    return body === undefined ? void response.writeHead(404).end() : send(response, 200, body)
  }
  if (path === '/.well-known/openid-configuration')
    return send(response, 200, discoveryDocument(`https://${request.headers.host ?? ''}`))
  if (path === '/openid/v1/jwks') return sendKeys(env, response)
  if (path === '/openapi/v2') return serveOpenapiV2(env.registry, request, response)
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
