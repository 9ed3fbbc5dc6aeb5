import { equal, isObject, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { forbidden, notFound } from '../fault.ts'
import type { Obj } from '../object.ts'
import { describeRules, uncovered } from './covers.ts'
import { judge, MASTERS, RBAC, rulesFor, rulesOfRole } from './rules.ts'

const EVERYTHING: readonly JsonObject[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

/**
 * Refuses a role or binding that gives what its writer does not have, unless the writer may `escalate` or `bind` it.
 *
 * @throws Fault 403, 404 when the bound role does not exist
 * @see k8s.io/kubernetes/pkg/registry/rbac (policybased)
 */
export function confirmNoEscalation(env: Environment, call: Call, object: Obj, before: Obj | undefined): void {
  const { resource, user } = call
  if (resource.group !== RBAC || user.groups.includes(MASTERS)) return
  if (before !== undefined && isSameGrant(object, before)) return
  if (resource.plural.endsWith('bindings')) return confirmBinding(env, call, object)
  const verb = { verb: 'escalate', group: RBAC, resource: resource.plural, subresource: '' }
  if (judge(env, user, { ...verb, namespace: call.namespace, name: call.name }).isAllowed) return
  confirmRules(env, call, object, objectsOf(object.rules))
  if (![object, before].some(aggregates) || missingFor(env, call, EVERYTHING).length === 0) return
  throw forbidden(resource, object.metadata.name, 'must have cluster-admin privileges to use the aggregationRule')
}

/** True when only owners and finalizers differ: the garbage collector must be able to do its work. */
function isSameGrant(object: Obj, before: Obj): boolean {
  const bare = ({ metadata, ...content }: Obj): JsonObject => {
    const { ownerReferences: _owners, finalizers: _finalizers, managedFields: _fields, ...meta } = metadata
    return { ...content, metadata: meta }
  }
  return equal(bare(object), bare(before))
}

const aggregates = (role: Obj | undefined): boolean =>
  isObject(role?.aggregationRule) && listOf(role.aggregationRule.clusterRoleSelectors).length > 0

function confirmBinding(env: Environment, call: Call, binding: Obj): void {
  const { namespace, user } = call
  const ref = objectOf(binding.roleRef)
  const resource = ref.kind === 'ClusterRole' ? 'clusterroles' : 'roles'
  const named = { group: stringOf(ref.apiGroup), resource, subresource: '', namespace, name: stringOf(ref.name) }
  if (judge(env, user, { verb: 'bind', ...named }).isAllowed) return
  const rules = rulesOfRole(env, ref, namespace)
  // The server looks for the role in the name of the request.
  if (rules === undefined) throw notFound(call.resource, stringOf(ref.name))
  confirmRules(env, call, binding, rules)
}

function missingFor(env: Environment, { user, namespace }: Call, rules: readonly JsonObject[]): JsonObject[] {
  return uncovered(rulesFor(env, user, namespace).rules, rules)
}

function confirmRules(env: Environment, call: Call, object: Obj, rules: readonly JsonObject[]): void {
  const missing = missingFor(env, call, rules)
  if (missing.length === 0) return
  const { name, groups } = call.user
  const told = `[${groups.map((group) => JSON.stringify(group)).join(' ')}]`
  const errors = rulesFor(env, call.user, call.namespace).missing
  throw forbidden(
    call.resource,
    object.metadata.name,
    `user ${JSON.stringify(name)} (groups=${told}) is attempting to grant RBAC permissions not currently held:\n${describeRules(missing)}${errors.length === 0 ? '' : `; resolution errors: [${errors.join(' ')}]`}`,
  )
}
