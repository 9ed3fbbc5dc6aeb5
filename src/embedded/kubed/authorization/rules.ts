import { type Json, type JsonObject, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { User } from '../request/user.ts'
import type { Environment } from '../environment.ts'
import type { Store } from '../storage/store.ts'
import { type Atom, covers } from './covers.ts'

/** What somebody wants to do. */
export type Attributes = {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  /** Set for paths that are no resources. */
  readonly path?: string
}

/** An answer of the authorizer; the reason of a refusal names roles that are bound but absent. */
export type Judgement = { readonly isAllowed: boolean; readonly reason: string }

/** The group of the kinds of RBAC. */
export const RBAC = 'rbac.authorization.k8s.io'
/** Its members may do everything, whatever the roles say. */
export const MASTERS = 'system:masters'

/** Judges by the roles that are bound to the user. */
export function judge(env: Environment, user: User, attributes: Attributes): Judgement {
  if (user.groups.includes(MASTERS)) return { isAllowed: true, reason: '' }
  const wanted = atomOf(attributes)
  const missing = new Set<string>()
  for (const grant of grantsOf(env, user, attributes.namespace)) {
    if (grant.rules === undefined) missing.add(grant.missing)
    else if (grant.rules.some((rule) => covers(rule, wanted)))
      return { isAllowed: true, reason: `RBAC: allowed by ${grant.source}` }
  }
  if (missing.size === 0) return { isAllowed: false, reason: '' }
  const told = [...missing].join(', ')
  return { isAllowed: false, reason: `RBAC: ${missing.size === 1 ? told : `[${told}]`}` }
}

/** All rules that apply to a user in a namespace, and what was bound but is not there. */
export function rulesFor(
  env: Environment,
  user: User,
  namespace: string,
): { readonly rules: readonly JsonObject[]; readonly missing: readonly string[] } {
  const grants = grantsOf(env, user, namespace)
  return {
    rules: grants.flatMap(({ rules = [] }) => rules),
    missing: [...new Set(grants.flatMap((grant) => (grant.rules === undefined ? [grant.missing] : [])))],
  }
}

type Grant = { readonly source: string } & (
  { readonly rules: readonly JsonObject[] } | { readonly rules: undefined; readonly missing: string }
)

const KINDS = ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'].map((each) => `${RBAC}/${each}`)
const MOST_USERS = 512

/** What users have been granted in a namespace, as long as no role and no binding changes. */
const known = new WeakMap<Store, { readonly changes: string; readonly grants: Map<string, readonly Grant[]> }>()

/** Requests come from a few users again and again; to find their bindings among all takes half as long as to answer a GET. */
function grantsOf(env: Environment, user: User, namespace: string): readonly Grant[] {
  const changes = KINDS.map(env.store.changes).join()
  let last = known.get(env.store)
  if (last?.changes !== changes || last.grants.size >= MOST_USERS)
    known.set(env.store, (last = { changes, grants: new Map() }))
  const who = JSON.stringify([namespace, user.name, ...user.groups])
  const grants = last.grants.get(who) ?? [...findGrants(env, user, namespace)]
  last.grants.set(who, grants)
  return grants
}

function* findGrants(env: Environment, user: User, namespace: string): Generator<Grant> {
  for (const binding of env.store.list(`${RBAC}/clusterrolebindings`)) {
    const subject = subjectIn(binding, user, '')
    if (subject !== undefined)
      yield grantOf(env, binding, '', `ClusterRoleBinding ${JSON.stringify(binding.metadata.name)}`, subject)
  }
  if (namespace === '') return
  for (const binding of env.store.list(`${RBAC}/rolebindings`, namespace)) {
    const subject = subjectIn(binding, user, namespace)
    if (subject === undefined) continue
    const name = JSON.stringify(`${binding.metadata.name}/${namespace}`)
    yield grantOf(env, binding, namespace, `RoleBinding ${name}`, subject)
  }
}

function grantOf(
  env: Environment,
  { roleRef }: JsonObject,
  namespace: string,
  binding: string,
  subject: JsonObject,
): Grant {
  const { kind, name } = objectOf(roleRef)
  const source = `${binding} of ${stringOf(kind)} ${JSON.stringify(stringOf(name))} to ${describe(subject, namespace)}`
  const rules = rulesOfRole(env, roleRef, namespace)
  return rules === undefined ? { source, rules, missing: missingRole(roleRef) } : { source, rules }
}

function describe({ kind, name, namespace }: JsonObject, own: string): string {
  const shown = kind === 'ServiceAccount' ? `${stringOf(name)}/${stringOf(namespace) || own}` : stringOf(name)
  return `${stringOf(kind)} ${JSON.stringify(shown)}`
}

function subjectIn({ subjects }: JsonObject, user: User, namespace: string): JsonObject | undefined {
  return objectsOf(subjects).find((subject) => {
    const name = stringOf(subject.name)
    if (subject.kind === 'User') return name === user.name
    if (subject.kind === 'Group') return user.groups.includes(name)
    return (
      subject.kind === 'ServiceAccount' &&
      user.name === `system:serviceaccount:${stringOf(subject.namespace) || namespace}:${name}`
    )
  })
}

/** The rules of the role that a binding names; undefined when there is none. */
export function rulesOfRole(env: Environment, ref: Json | undefined, namespace: string): JsonObject[] | undefined {
  const { kind, name } = objectOf(ref)
  const role =
    kind === 'ClusterRole'
      ? env.store.get(`${RBAC}/clusterroles`, '', stringOf(name))
      : env.store.get(`${RBAC}/roles`, namespace, stringOf(name))
  return role === undefined ? undefined : objectsOf(role.rules)
}

/** Says that the role of a reference is not there. */
function missingRole(ref: Json | undefined): string {
  const { kind, name } = objectOf(ref)
  return `${stringOf(kind).toLowerCase()}.${RBAC} ${JSON.stringify(stringOf(name))} not found`
}

function atomOf({ verb, group, resource, subresource, name, path }: Attributes): Atom {
  if (path !== undefined) return { verb, path }
  const full = subresource === '' ? resource : `${resource}/${subresource}`
  return { verb, group, resource: full, ...(name === '' ? {} : { name }) }
}
