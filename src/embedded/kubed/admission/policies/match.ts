import { type Json, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import { matchSelector } from '../../../../lib/kube/selector.ts'
import type { Environment } from '../../environment.ts'
import type { Resource } from '../../resources/resource.ts'
import { type Attempt, nameOf } from '../attempt.ts'

/**
 * The kind in which a policy sees a write that its `matchConstraints` (or its binding's `matchResources`) select; undefined when they do not.
 *
 * @see k8s.io/apiserver/pkg/admission/plugin/policy/matching
 */
export function matchedKind(env: Environment, attempt: Attempt, written: Json | undefined): Resource | undefined {
  const { resource } = attempt.call
  const criteria = objectOf(written)
  if (!selectsNamespace(env, attempt, criteria.namespaceSelector) || !selectsObject(attempt, criteria.objectSelector))
    return undefined
  const isEquivalent = criteria.matchPolicy === 'Equivalent'
  if (ruledKind(env, attempt, objectsOf(criteria.excludeResourceRules), isEquivalent) !== undefined) return undefined
  const rules = objectsOf(criteria.resourceRules)
  return rules.length === 0 ? resource : ruledKind(env, attempt, rules, isEquivalent)
}

/** What is in no namespace is always selected; a namespace is selected by its own labels. */
function selectsNamespace(env: Environment, { call, object, before }: Attempt, selector: Json | undefined): boolean {
  const isNamespace = call.resource.storageKey === '/namespaces'
  if (selector === undefined || (call.namespace === '' && !isNamespace)) return true
  const namespace = isNamespace ? (object ?? before) : env.store.get('/namespaces', '', call.namespace)
  return namespace !== undefined && matchSelector(selector)(namespace.metadata.labels)
}

function selectsObject({ object, before }: Attempt, selector: Json | undefined): boolean {
  if (selector === undefined) return true
  const matches = matchSelector(selector)
  return [object, before].some((each) => each !== undefined && matches(each.metadata.labels))
}

function ruledKind(
  env: Environment,
  attempt: Attempt,
  rules: readonly JsonObject[],
  isEquivalent: boolean,
): Resource | undefined {
  const { resource } = attempt.call
  if (rules.some((rule) => ruleCovers(rule, attempt, resource))) return resource
  if (!isEquivalent || rules.length === 0) return undefined
  return env.registry
    .all()
    .find(
      (other) =>
        other.storageKey === resource.storageKey &&
        other !== resource &&
        rules.some((rule) => ruleCovers(rule, attempt, other)),
    )
}

function ruleCovers(rule: JsonObject, attempt: Attempt, resource: Resource): boolean {
  const { call, operation } = attempt
  const names = listOf(rule.resourceNames)
  return (
    takes(rule.operations, operation) &&
    takes(rule.apiGroups, resource.group) &&
    takes(rule.apiVersions, resource.version) &&
    takesScope(rule.scope, call.namespace !== '' && resource.storageKey !== '/namespaces') &&
    listOf(rule.resources).some((each) => takesResource(stringOf(each), resource.plural, call.subresource)) &&
    (names.length === 0 || names.includes(nameOf(attempt)))
  )
}

const takes = (list: Json | undefined, value: string): boolean =>
  listOf(list).some((each) => each === '*' || each === value)

const takesScope = (scope: Json | undefined, isNamespaced: boolean): boolean =>
  scope === undefined || scope === '*' || (scope === 'Namespaced') === isNamespaced

function takesResource(pattern: string, plural: string, subresource: string): boolean {
  const [resource = '', sub = ''] = pattern.split('/')
  return (resource === '*' || resource === plural) && (sub === '*' || sub === subresource)
}
