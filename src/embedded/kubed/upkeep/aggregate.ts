import { clone, equal, isObject, type JsonObject, objectOf, objectsOf } from '../../../lib/kube/json.ts'
import { matchSelector } from '../../../lib/kube/selector.ts'
import { type Environment, timestamp } from '../environment.ts'
import { type Obj, objFrom } from '../object.ts'
import { trackApply } from '../ownership/managed-fields.ts'
import { RBAC } from '../authorization/rules.ts'

const KEY = `${RBAC}/clusterroles`
/** Aggregated roles may be parts of aggregated roles; nobody builds a longer chain. */
const MOST_PASSES = 10

/** Gives every aggregated role the rules of its parts. Called after each write of a ClusterRole: the answer of a review never lags behind. */
export function aggregateRoles(env: Environment): void {
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const roles = env.store.list(KEY)
    const changed = roles
      .filter(({ aggregationRule }) => isObject(aggregationRule))
      .filter((role) => update(env, role, roles))
    if (changed.length === 0) return
  }
}

function update(env: Environment, role: Obj, roles: readonly Obj[]): boolean {
  const rules: JsonObject[] = []
  for (const selector of objectsOf(objectOf(role.aggregationRule).clusterRoleSelectors)) {
    const matches = matchSelector(selector)
    for (const part of roles)
      if (part.metadata.name !== role.metadata.name && matches(part.metadata.labels))
        for (const rule of objectsOf(part.rules)) if (!rules.some((each) => equal(each, rule))) rules.push(rule)
  }
  const resource = env.registry.byStorageKey(KEY)
  if (resource === undefined || equal(rules, objectsOf(role.rules))) return false
  const { apiVersion, kind, metadata } = role
  const writer = { manager: 'clusterrole-aggregation-controller', now: timestamp(env.nowMs()), subresource: '' }
  // It applies no empty list: rules of others stay until there are some to put in their place.
  const patch = { apiVersion, kind, metadata: { name: metadata.name }, ...(rules.length > 0 ? { rules } : {}) }
  if (rules.length === 0 && !objectsOf(metadata.managedFields).some(({ manager }) => manager === writer.manager))
    return false
  const { value, managedFields } = trackApply(resource, role, patch, writer, true)
  const next = objFrom(clone(value), apiVersion, kind)
  next.metadata.managedFields = managedFields
  env.store.put(KEY, next)
  return true
}
