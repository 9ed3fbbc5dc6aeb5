import { clone, equal, type JsonObject, objectsOf } from '../../../lib/kube/json.ts'
import type { Environment } from '../environment.ts'
import type { Obj } from '../object.ts'
import { putOwn } from './put-own.ts'
import { aggregateRoles } from './aggregate.ts'
import { uncovered } from '../authorization/covers.ts'
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, NAMESPACE_ROLES, ROLE_BINDINGS } from './data/cluster-roles.ts'
import { CONTROLLER_ROLES } from './data/controller-roles.ts'
import { RBAC } from '../authorization/rules.ts'

const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate'
const AGGREGATE = `${RBAC}/aggregate-to-`
const CONTROLLER = 'system:controller:'

/**
 * Makes the roles and bindings that every cluster has, and gives back what was taken from them.
 *
 * As on the real server, one with the annotation `autoupdate: "false"` is left as it is, and what was added stays.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#auto-reconciliation
 */
export function reconcileDefaultRoles(env: Environment): void {
  for (const object of defaultRoles()) reconcile(env, object)
  aggregateRoles(env)
}

/** The objects, roles before their bindings. */
function defaultRoles(): Obj[] {
  const controllers = rolesOf(CONTROLLER_ROLES)
  return [
    ...rolesOf(CLUSTER_ROLES),
    ...controllers,
    ...rolesOf(NAMESPACE_ROLES),
    ...bindingsOf(CLUSTER_ROLE_BINDINGS),
    ...controllers.map(({ metadata: { name } }) =>
      bindingOf(`${name} ClusterRole=${name} ServiceAccount=kube-system/${name.slice(CONTROLLER.length)}`),
    ),
    ...bindingsOf(ROLE_BINDINGS),
  ]
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '')

function rolesOf(text: string): Obj[] {
  const roles: { head: string; rules: JsonObject[] }[] = []
  for (const line of linesOf(text))
    if (line.startsWith(' ')) roles.at(-1)?.rules.push(ruleOf(line.trim()))
    else roles.push({ head: line, rules: [] })
  return roles.map(({ head, rules }) => roleOf(head, rules))
}

function ruleOf(line: string): JsonObject {
  const [verbs = [], second = [], resources, names] = line.split(' ').map((part) => part.split(','))
  if (resources === undefined) return { verbs, nonResourceURLs: second }
  const apiGroups = second.map((group) => (group === 'core' ? '' : group))
  return { verbs, apiGroups, resources, ...(names === undefined ? {} : { resourceNames: names }) }
}

function roleOf(head: string, rules: readonly JsonObject[]): Obj {
  const [place = '', ...words] = head.split(' ')
  const after = (prefix: string): string[] =>
    words.flatMap((word) => (word.startsWith(prefix) ? [`${AGGREGATE}${word.slice(prefix.length)}`] : []))
  const from = after('from:')
  const labels = Object.fromEntries(after('to:').map((label) => [label, 'true']))
  const role = named(place, 'Role', labels)
  if (from.length === 0) return Object.assign(role, { rules: [...rules] })
  const clusterRoleSelectors = from.map((label) => ({ matchLabels: { [label]: 'true' } }))
  return Object.assign(role, { rules: null, aggregationRule: { clusterRoleSelectors } })
}

function named(place: string, kind: string, labels: JsonObject = {}): Obj {
  const [name = '', namespace] = place.split('/').reverse()
  return {
    apiVersion: `${RBAC}/v1`,
    kind: namespace === undefined ? `Cluster${kind}` : kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
      annotations: { [AUTOUPDATE]: 'true' },
    },
  }
}

const bindingsOf = (text: string): Obj[] => linesOf(text).map(bindingOf)

function bindingOf(line: string): Obj {
  const [place = '', role = '', ...subjects] = line.split(' ')
  const [kind = '', name = ''] = role.split('=')
  const binding = named(place, 'RoleBinding')
  binding.roleRef = { apiGroup: RBAC, kind, name }
  if (subjects.length > 0) binding.subjects = subjects.map(subjectOf)
  return binding
}

function subjectOf(text: string): JsonObject {
  const [kind = '', place = ''] = text.split('=')
  const [name = '', namespace] = place.split('/').reverse()
  return namespace === undefined ? { kind, apiGroup: RBAC, name } : { kind, name, namespace }
}

function reconcile(env: Environment, wanted: Obj): void {
  const key = `${RBAC}/${wanted.kind.toLowerCase()}s`
  const { name, namespace = '' } = wanted.metadata
  const found = env.store.get(key, namespace, name)
  if (found === undefined) return putOwn(env, key, wanted)
  if (found.metadata.annotations?.[AUTOUPDATE] === 'false') return
  if (wanted.roleRef !== undefined && !equal(wanted.roleRef, found.roleRef)) {
    // A binding cannot be turned to another role: the old one goes.
    env.store.remove(key, clone(found))
    return putOwn(env, key, wanted)
  }
  const next = clone(found)
  next.metadata.labels = { ...wanted.metadata.labels, ...next.metadata.labels }
  next.metadata.annotations = { ...wanted.metadata.annotations, ...next.metadata.annotations }
  if (wanted.aggregationRule !== undefined) next.aggregationRule ??= wanted.aggregationRule
  extend(next, 'rules', uncovered(objectsOf(found.rules), objectsOf(wanted.rules)))
  const held = objectsOf(found.subjects)
  extend(
    next,
    'subjects',
    objectsOf(wanted.subjects).filter((subject) => !held.some((each) => equal(each, subject))),
  )
  if (!equal(next, found)) env.store.put(key, next)
}

function extend(object: Obj, field: 'rules' | 'subjects', missing: readonly JsonObject[]): void {
  if (missing.length > 0) object[field] = [...objectsOf(object[field]), ...missing]
}
