import { type JsonObject, listOf, stringOf } from '../../../../../lib/kube/json.ts'
import { pathSegmentError } from '../../../../../lib/kube/names.ts'
import type { FieldError } from '../../../fault.ts'
import { type Check, checkName, checkWord, duplicate, invalidValue, required, unsupported } from '../../fault-list.ts'

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const SCOPES = ['*', 'Cluster', 'Namespaced']

/** What a policy or a binding matches. @see k8s.io/kubernetes/pkg/apis/admissionregistration/validation */
export const MATCH_CHECKS: Readonly<Record<string, Check>> = {
  'admissionregistration.v1.MatchResources': (match, path, errors, below) => {
    checkWord(match.matchPolicy, `${path}.matchPolicy`, ['Equivalent', 'Exact'], errors)
    for (const field of ['namespaceSelector', 'objectSelector']) {
      if (match[field] === undefined) required(errors, `${path}.${field}`)
      below(field)
    }
    below('resourceRules')
    below('excludeResourceRules')
  },
  'admissionregistration.v1.NamedRuleWithOperations': (rule, path, errors) => {
    checkNames(rule, `${path}.resourceNames`, errors)
    checkListed(rule, 'operations', path, 'operations', errors)
    listOf(rule.operations).forEach((each, index) => {
      if (!OPERATIONS.includes(stringOf(each))) unsupported(errors, `${path}.operations[${index}]`, each, OPERATIONS)
    })
    checkListed(rule, 'apiGroups', path, 'API groups', errors)
    checkListed(rule, 'apiVersions', path, 'API versions', errors)
    listOf(rule.apiVersions).forEach((each, index) => {
      if (each === '') required(errors, `${path}.apiVersions[${index}]`)
    })
    checkResources(listOf(rule.resources).map(stringOf), `${path}.resources`, errors)
    if (rule.scope !== undefined && !SCOPES.includes(stringOf(rule.scope)))
      unsupported(errors, `${path}.scope`, rule.scope, SCOPES)
  },
}

function checkNames({ resourceNames }: JsonObject, path: string, errors: FieldError[]): void {
  const names = listOf(resourceNames)
  names.forEach((name, index) => {
    checkName(name, `${path}[${index}]`, pathSegmentError, errors)
    if (names.indexOf(name) < index) duplicate(errors, `${path}[${index}]`, name)
  })
}

/** At least one, and none beside the one that stands for all. */
function checkListed(rule: JsonObject, field: string, path: string, what: string, errors: FieldError[]): void {
  const all = listOf(rule[field])
  if (all.length === 0) required(errors, `${path}.${field}`)
  if (all.length > 1 && all.includes('*'))
    invalidValue(errors, `${path}.${field}`, [...all], `if '*' is present, must not specify other ${what}`)
}

/** At least one, and none that another one of them covers; what comes before a wildcard of its own is not looked at. */
function checkResources(resources: readonly string[], path: string, errors: FieldError[]): void {
  if (resources.length === 0) required(errors, path)
  const allOf = new Set<string>()
  const everywhere = new Set<string>()
  resources.forEach((each, index) => {
    const at = `${path}[${index}]`
    if (each === '') return required(errors, at)
    const slash = each.indexOf('/')
    if (slash < 0) return
    const [resource, sub] = [each.slice(0, slash), each.slice(slash + 1)]
    if (allOf.has(resource)) invalidValue(errors, at, each, `if '${resource}/*' is present, must not specify ${each}`)
    if (everywhere.has(sub)) invalidValue(errors, at, each, `if '*/${sub}' is present, must not specify ${each}`)
    if (sub === '*') allOf.add(resource)
    if (resource === '*') everywhere.add(sub)
  })
  const all = [...resources]
  if (all.length > 1 && all.includes('*/*'))
    invalidValue(errors, path, all, "if '*/*' is present, must not specify other resources")
  // The server remembers of resources without a subresource the last one only.
  const plain = all.findLast((each) => each !== '' && !each.includes('/'))
  if (all.includes('*') && plain !== '*')
    invalidValue(errors, path, all, "if '*' is present, must not specify other resources without subresources")
}
