import type { User } from '../request/user.ts'
import { booleanIn } from '../request/query.ts'
import type { Route } from '../request/route.ts'
import type { Environment } from '../environment.ts'
import { Fault, forbidden } from '../fault.ts'
import { type Attributes, judge } from './rules.ts'

/**
 * Lets a request pass, or refuses it. Comes before the look whether there is such a kind: who may not ask learns nothing.
 *
 * @throws Fault 403
 */
export function authorize(env: Environment, user: User, attributes: Attributes): void {
  const { isAllowed, reason } = judge(env, user, attributes)
  if (!isAllowed) throw refusal(user, attributes, reason)
}

/** 403 in the words of the real server. */
export function refusal(user: User, attributes: Attributes, reason: string): Fault {
  const { verb, group, resource, subresource, namespace, name, path } = attributes
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`
  const because = reason === '' ? '' : `: ${reason}`
  if (path !== undefined)
    return new Fault(403, 'Forbidden', `forbidden: ${safe(`${who} path ${JSON.stringify(path)}`)}${because}`, {})
  const full = JSON.stringify(subresource === '' ? resource : `${resource}/${subresource}`)
  const place = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`
  const text = `${who} resource ${full} in API group ${JSON.stringify(group)} ${place}`
  return forbidden({ group, kind: '', plural: resource }, name, safe(text) + because)
}

/** The text may end in a browser. */
const safe = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** What a request wants, from its path, method and query. @see k8s.io/apiserver/pkg/endpoints/request/requestinfo.go */
export function attributesOf(route: Route, path: string, method: string, query: URLSearchParams): Attributes {
  const none = { group: '', resource: '', subresource: '', namespace: '', name: '' }
  if (route.kind !== 'resource') return { ...none, verb: method.toLowerCase(), path }
  const { group, plural: resource, subresource } = route
  const verb = verbOf(method, route.name, route.isWatchPath, query)
  const name = route.name === '' && verb !== 'create' ? nameSelected(query) : route.name
  // A namespace lies in itself: a role there may show it.
  const namespace = group === '' && resource === 'namespaces' ? route.name : route.namespace
  return { verb, group, resource, subresource, namespace, name }
}

const VERBS: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

function verbOf(method: string, name: string, isWatchPath: boolean, query: URLSearchParams): string {
  if (isWatchPath) return 'watch'
  const verb = VERBS[method] ?? ''
  if (name !== '') return verb
  if (verb === 'delete') return 'deletecollection'
  if (verb !== 'get') return verb
  return booleanIn(query, 'watch') === true ? 'watch' : 'list'
}

/** A list of one object by name is allowed to those who may see that object. */
function nameSelected(query: URLSearchParams): string {
  return /(?:^|,)metadata\.name==?([^,=!]+)(?:,|$)/.exec(query.get('fieldSelector') ?? '')?.[1] ?? ''
}
