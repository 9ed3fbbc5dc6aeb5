import { type Json, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { User } from '../call.ts'
import type { Environment } from '../environment.ts'

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

const RBAC = 'rbac.authorization.k8s.io'

/** The rule that allows it, as a sentence; undefined when none does. */
export function allowedBy(env: Environment, user: User, attributes: Attributes): string | undefined {
  if (user.groups.includes('system:masters')) return ''
  for (const binding of env.store.list(`${RBAC}/clusterrolebindings`)) {
    if (!binds(binding, user, '')) continue
    if (rulesOf(env, binding.roleRef, '').some((rule) => covers(rule, attributes)))
      return `RBAC: allowed by ClusterRoleBinding ${JSON.stringify(binding.metadata.name)} of ${describeRole(binding.roleRef)} to ${describeUser(user)}`
  }
  if (attributes.namespace === '') return undefined
  for (const binding of env.store.list(`${RBAC}/rolebindings`, attributes.namespace)) {
    if (!binds(binding, user, attributes.namespace)) continue
    if (rulesOf(env, binding.roleRef, attributes.namespace).some((rule) => covers(rule, attributes)))
      return `RBAC: allowed by RoleBinding ${JSON.stringify(`${binding.metadata.name}/${attributes.namespace}`)} of ${describeRole(binding.roleRef)} to ${describeUser(user)}`
  }
  return undefined
}

const describeRole = (ref: Json | undefined): string => {
  const { kind, name } = objectOf(ref)
  return `${stringOf(kind)} ${JSON.stringify(stringOf(name))}`
}
const describeUser = (user: User): string => `User ${JSON.stringify(user.name)}`

function binds({ subjects }: JsonObject, user: User, namespace: string): boolean {
  return objectsOf(subjects).some((subject) => {
    const name = stringOf(subject.name)
    if (subject.kind === 'User') return name === user.name
    if (subject.kind === 'Group') return user.groups.includes(name)
    return (
      subject.kind === 'ServiceAccount' &&
      user.name === `system:serviceaccount:${stringOf(subject.namespace) || namespace}:${name}`
    )
  })
}

function rulesOf(env: Environment, ref: Json | undefined, namespace: string): JsonObject[] {
  const { kind, name } = objectOf(ref)
  const role =
    kind === 'ClusterRole'
      ? env.store.get(`${RBAC}/clusterroles`, '', stringOf(name))
      : env.store.get(`${RBAC}/roles`, namespace, stringOf(name))
  return objectsOf(role?.rules)
}

function covers(rule: JsonObject, { verb, group, resource, subresource, name, path }: Attributes): boolean {
  const has = (list: Json | undefined, wanted: string): boolean => {
    const values = listOf(list).map(stringOf)
    return values.includes('*') || values.includes(wanted)
  }
  if (!has(rule.verbs, verb)) return false
  if (path !== undefined)
    return listOf(rule.nonResourceURLs)
      .map(stringOf)
      .some((each) => each === path || each === '*' || (each.endsWith('*') && path.startsWith(each.slice(0, -1))))
  const full = subresource === '' ? resource : `${resource}/${subresource}`
  const names = listOf(rule.resourceNames)
  return (
    has(rule.apiGroups, group) &&
    (has(rule.resources, full) || (subresource !== '' && listOf(rule.resources).includes(`*/${subresource}`))) &&
    (names.length === 0 || names.includes(name))
  )
}
