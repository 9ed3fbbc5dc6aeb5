import type { IncomingMessage } from 'node:http'
import { refusal } from '../authorization/authorize.ts'
import { type Attributes, judge } from '../authorization/rules.ts'
import type { User } from '../request/user.ts'
import type { Environment } from '../environment.ts'
import { badRequest } from '../fault.ts'
import { accountUser } from './account-tokens.ts'

type Wanted = {
  readonly name: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: ReadonlyMap<string, readonly string[]>
}

const EXTRA = 'impersonate-extra-'
const AUTHENTICATION = 'authentication.k8s.io'

/**
 * Whom the user acts as: each part of the other's identity needs the verb `impersonate`.
 *
 * @throws Fault 400 without a name, 403
 * @see k8s.io/apiserver/pkg/endpoints/filters/impersonation
 */
export function impersonated(env: Environment, request: IncomingMessage, user: User): User {
  const wanted = wantedOf(request)
  if (wanted === undefined) return user
  if (wanted.name === '') throw badRequest(`requested ${goText(wanted)} without impersonating a user name`)
  for (const attributes of partsOf(wanted)) {
    const { isAllowed, reason } = judge(env, user, attributes)
    if (!isAllowed) throw refusal(user, attributes, reason)
  }
  return {
    name: wanted.name,
    ...(wanted.uid === '' ? {} : { uid: wanted.uid }),
    groups: groupsOf(wanted),
    ...(wanted.extra.size === 0 ? {} : { extra: Object.fromEntries(wanted.extra) }),
  }
}

function wantedOf({ headers, rawHeaders }: IncomingMessage): Wanted | undefined {
  const one = (name: string): string => {
    const value = headers[name]
    return typeof value === 'string' ? value : ''
  }
  const groups: string[] = []
  const extra = new Map<string, readonly string[]>()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const header = (rawHeaders[index] ?? '').toLowerCase()
    const value = rawHeaders[index + 1] ?? ''
    if (header === 'impersonate-group') groups.push(value)
    if (!header.startsWith(EXTRA)) continue
    const key = unescaped(header.slice(EXTRA.length))
    extra.set(key, [...(extra.get(key) ?? []), value])
  }
  const wanted = { name: one('impersonate-user'), uid: one('impersonate-uid'), groups, extra }
  return wanted.name === '' && wanted.uid === '' && groups.length === 0 && extra.size === 0 ? undefined : wanted
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}

/** As Go prints the user that was asked for. */
function goText({ name, uid, groups, extra }: Wanted): string {
  const list = (values: readonly string[]): string => `{${values.map((value) => JSON.stringify(value)).join(', ')}}`
  const pairs = [...extra].sort().map(([key, values]) => `${JSON.stringify(key)}:[]string${list(values)}`)
  return `&user.DefaultInfo{Name:${JSON.stringify(name)}, UID:${JSON.stringify(uid)}, Groups:[]string${groups.length === 0 ? '(nil)' : list(groups)}, Extra:map[string][]string${pairs.length === 0 ? '(nil)' : `{${pairs.join(', ')}}`}}`
}

const ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/

function partsOf({ name, uid, groups, extra }: Wanted): Attributes[] {
  const [, namespace = '', account = ''] = ACCOUNT.exec(name) ?? []
  const part = (resource: string, value: string, more: Partial<Attributes> = {}): Attributes => ({
    ...{ verb: 'impersonate', group: '', resource, subresource: '', namespace: '', name: value },
    ...more,
  })
  return [
    account === '' ? part('users', name) : part('serviceaccounts', account, { namespace }),
    ...groups.map((group) => part('groups', group)),
    ...[...extra].flatMap(([key, values]) =>
      values.map((value) => part('userextras', value, { group: AUTHENTICATION, subresource: key })),
    ),
    ...(uid === '' ? [] : [part('uids', uid, { group: AUTHENTICATION })]),
  ]
}

/** Groups that are named are all of them; a service account's are known. */
function groupsOf({ name, groups }: Wanted): string[] {
  const [, namespace = '', account = ''] = ACCOUNT.exec(name) ?? []
  if (groups.length === 0 && account !== '') return [...accountUser(namespace, account).groups]
  const always = name === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated'
  const isSaid = groups.includes(always) || (name !== 'system:anonymous' && groups.includes('system:unauthenticated'))
  return isSaid ? [...groups] : [...groups, always]
}
