import { checkInputType } from '../decoding/body.ts'
import { badRequest, Fault, methodNotAllowed, notFound, unknownResource } from '../fault.ts'
import { checkAccept, formFor, SERVED_BY_LISTS } from '../negotiation/accept.ts'
import type { Resource } from '../resources/resource.ts'
import { checkPatchType } from '../request/patch-type.ts'
import type { Route } from '../request/route.ts'
import { deprecationOf } from '../warnings/warnings.ts'

/** A request for a resource, of which nothing but the head is read. */
export type Head = {
  readonly method: string
  readonly found: Extract<Route, { kind: 'resource' }>
  readonly accept: string
  readonly contentType: string
  readonly query: URLSearchParams
  /** What the client is told besides; whoever is refused, too. */
  readonly warnings: string[]
}

/** Subresources that are a connection or a text, and choose what they answer by themselves. */
const CONNECTIONS = new Set(['attach', 'exec', 'log', 'portforward', 'proxy'])

/**
 * Refuses what no route takes, before the body is read, in the order of the real server: the path, the method, the kind of
 * patch, what the client accepts, the kind of the body.
 *
 * @throws Fault 404, 405, 406, 415
 */
export function checkHead(resource: Resource, head: Head): void {
  const { method, found, accept, contentType, query } = head
  const { subresource, name, rest } = found
  const isBuiltIn = resource.custom === undefined
  if (subresource !== '' && !resource.subresources.has(subresource))
    throw isBuiltIn ? unknownResource() : notFound(resource, name)
  if (isBuiltIn && rest !== '' && subresource !== 'proxy') throw unknownResource()
  checkVerb(resource, head)
  if (CONNECTIONS.has(subresource) && subresource !== 'log' && query.has('dryRun'))
    throw badRequest('dryRun is not supported')
  if (subresource === 'proxy') return
  // Who comes in the wrong form to a built-in kind does not reach it; a custom kind looks at forms itself.
  if (!isBuiltIn) warnOfAge(resource, head)
  if (method === 'PATCH') checkPatchType(resource, contentType)
  if (isBuiltIn && !CONNECTIONS.has(subresource))
    checkAccept(accept, method === 'GET' && name === '' ? SERVED_BY_LISTS : undefined)
  if (isBuiltIn) warnOfAge(resource, head)
  if (CONNECTIONS.has(subresource)) return
  formFor(accept, resource, subresource)
  if (method === 'POST') checkInputType(contentType)
}

function warnOfAge(resource: Resource, { warnings }: Head): void {
  const deprecation = deprecationOf(resource)
  if (deprecation !== undefined) warnings.push(deprecation)
}

const MANY: Readonly<Record<string, string>> = { GET: 'list', POST: 'create', DELETE: 'deletecollection' }
const ONE: Readonly<Record<string, string>> = {
  GET: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** 405, which is told of custom resources with the verb where it is one of a subresource. */
function notServed({ custom, group, plural }: Resource, verb: string): Fault {
  if (custom === undefined) return methodNotAllowed()
  const message = `${verb} is not supported on resources of kind "${plural}.${group}"`
  return new Fault(405, 'MethodNotAllowed', message, { group, kind: plural })
}

function checkVerb(resource: Resource, { method, found }: Head): void {
  const { name, namespace, subresource, isWatchPath } = found
  if (isWatchPath && method !== 'GET') throw methodNotAllowed()
  const isEverywhere = name === '' && resource.isNamespaced && namespace === ''
  if (subresource !== '') {
    if (resource.subresources.get(subresource)?.verbs.includes(ONE[method] ?? '') !== true)
      throw notServed(resource, ONE[method] ?? '')
    return
  }
  const verb = (name === '' ? MANY : ONE)[method] ?? ''
  if (isEverywhere && verb === 'list' && !resource.verbs.includes('list')) throw unknownResource()
  const isWrong = (isEverywhere && verb !== 'list') || (name !== '' && verb === 'create')
  if (isWrong || !resource.verbs.includes(verb)) throw methodNotAllowed()
}
