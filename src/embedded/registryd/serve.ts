import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { closeServer } from '../../machine/close-server.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { listenFault } from '../../machine/listen-fault.ts'
import { isForLoopback, isLoopback } from '../../lib/net/loopback.ts'
import { unreachable } from '../../lib/error/unreachable.ts'
import { digestOf } from '../../lib/oci/digest.ts'
import { Refusal, sendJson, sendRefusal } from './answer.ts'
import { startCollector } from './collector.ts'
import { answerContents, collectNow } from './contents-api.ts'
import { answerBlob, answerUpload, startUpload } from './blobs-api.ts'
import { answerCatalog, answerReferrers, answerTags } from './lists-api.ts'
import { answerManifest, deleteManifest, putManifest } from './manifests-api.ts'
import type { Registry, RegistryPush } from './registry.ts'
import { parseRoute, type Route } from './route.ts'
import { openStore, type Store } from './store.ts'
import { createUploads } from './uploads.ts'

/** How the registry is served. */
export type RegistrydOptions = {
  /** The folder of everything it keeps. */
  readonly root: string
  /** `127.0.0.1` by default; any other address than loopback asks for a token. */
  readonly host?: string
  /** 0 for a free one. */
  readonly port: number
  /** Basic password (any user) that every request must carry; without one everybody may read and push, on loopback only. */
  readonly token?: string
  /** Called as soon as a change is durable and visible. */
  readonly onPush?: (event: RegistryPush) => void
  /** Told what was lost, when what the folder holds is damaged. */
  readonly warn?: (message: string) => void
}

/** A running registry. */
export type Registryd = { readonly url: string; readonly host: string; readonly close: () => Promise<void> }

/**
 * Serves an OCI registry: the whole distribution specification, from a folder.
 *
 * What was answered with 201 survives `kill -9`; manifests and tags are answered from memory.
 * @throws SluiceError PORT_IN_USE, PORT_REFUSED, STATE_UNWRITABLE, USAGE (no token on an open address)
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export async function serveRegistryd(o: RegistrydOptions): Promise<Registryd> {
  const host = o.host ?? '127.0.0.1'
  if (!isLoopback(host) && !o.token)
    throw new SluiceError('USAGE', `the registry would be open to everybody on ${host}`, { hint: 'give it a token' })
  const store = openOrExplain(o.root, o.warn)
  const uploads = createUploads(store)
  const collector = startCollector(store, uploads, o.warn ?? (() => undefined))
  const registry: Registry = {
    ...{ store, uploads, collector, leaving: new Set() },
    report: (event) => o.onPush?.(event),
  }
  const server = createServer((request, response) => {
    handle(registry, o.token, request, response)
  })
  server.requestTimeout = 0
  server.timeout = 300_000
  server.keepAliveTimeout = 60_000
  try {
    await listen(server, host, o.port)
  } catch (error) {
    await collector.close()
    await store.close()
    throw error
  }
  const { port } = server.address() as AddressInfo
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return {
    url: `http://${authority}`,
    host: authority,
    async close() {
      await closeServer(server)
      await collector.close()
      await store.close()
    },
  }
}

function handle(
  registry: Registry,
  token: string | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const fail = (error: unknown): void => sendRefusal(request, response, error)
  try {
    checkCaller(request, token)
    const url = request.url ?? '/'
    const mark = url.indexOf('?')
    const query = mark < 0 ? NO_QUERY : new URLSearchParams(url.slice(mark + 1))
    const path = mark < 0 ? url : url.slice(0, mark)
    const route = parseRoute(path.includes('%') ? decodePath(path) : path)
    if (route === undefined) throw new Refusal(404, 'UNSUPPORTED', `there is nothing at ${path.slice(0, 300)}`)
    answer(registry, request, response, route, query)?.catch(fail)
  } catch (error) {
    fail(error)
  }
}

const NO_QUERY = new URLSearchParams()
const READS = new Set(['GET', 'HEAD'])

function answer(
  registry: Registry,
  request: IncomingMessage,
  response: ServerResponse,
  route: Route,
  query: URLSearchParams,
): void | Promise<void> {
  const method = request.method ?? 'GET'
  const isRead = READS.has(method)
  switch (route.at) {
    case 'manifests':
      if (isRead) return answerManifest(registry, request, response, route.repository, route.version)
      if (method === 'PUT') return putManifest(registry, request, response, route.repository, route.version, query)
      if (method === 'DELETE') return deleteManifest(registry, request, response, route.repository, route.version)
      break
    case 'blobs':
      if (isRead || method === 'DELETE') return answerBlob(registry, request, response, route.repository, route.digest)
      break
    case 'uploads':
      if (route.id !== undefined) return answerUpload(registry, request, response, route.repository, route.id, query)
      if (method === 'POST') return startUpload(registry, request, response, route.repository, query)
      break
    case 'tags':
      if (isRead) return answerTags(registry, request, response, route.repository, query)
      break
    case 'referrers':
      if (isRead) return answerReferrers(registry, request, response, route.repository, route.digest, query)
      break
    case 'catalog':
      if (isRead) return answerCatalog(registry, request, response, query)
      break
    case 'contents':
      if (isRead) return answerContents(registry, request, response)
      if (method === 'POST') return collectNow(registry, request, response)
      break
    case 'ping':
      if (isRead) return sendJson(request, response, 200, {}, { 'docker-distribution-api-version': 'registry/2.0' })
      break
    default:
      return unreachable(route)
  }
  throw new Refusal(405, 'UNSUPPORTED', `${method} is not for this address`)
}

/** Browsers are turned away: a web page could otherwise push to the registry of whoever looks at it, or read it by a name of its own. */
function checkCaller({ headers }: IncomingMessage, token: string | undefined): void {
  if (headers.origin !== undefined || headers['sec-fetch-mode'] !== undefined)
    throw new Refusal(403, 'DENIED', 'this registry does not talk to web pages')
  if (token === undefined && !isForLoopback(headers.host))
    throw new Refusal(
      421,
      'DENIED',
      'this registry is for its machine alone: ask it as 127.0.0.1 or localhost; a proxy sends that as Host',
    )
  if (token === undefined) return
  const [scheme, value = ''] = (headers.authorization ?? '').split(' ')
  const given = scheme?.toLowerCase() === 'basic' ? Buffer.from(value, 'base64').toString('utf8') : ''
  const password = given.slice(given.indexOf(':') + 1)
  if (!timingSafeEqual(Buffer.from(digestOf(password)), Buffer.from(digestOf(token))))
    throw new Refusal(401, 'UNAUTHORIZED', 'log in with the token as password', {
      'www-authenticate': 'Basic realm="sluice"',
    })
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw new Refusal(400, 'NAME_INVALID', 'the address is not well encoded')
  }
}

function openOrExplain(root: string, warn: RegistrydOptions['warn']): Store {
  try {
    return openStore(root, warn)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SluiceError('STATE_UNWRITABLE', `the registry's folder ${root} cannot be used: ${why}`, { cause })
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenFault(`${host}:${port}`, error)))
    server.listen(port, host, () => resolve())
  })
}
