import { isObject, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { isReadable } from './apps-checks.ts'
import { type Check, checkName, invalidValue, required, unsupported } from '../fault-list.ts'
import { subdomainError } from '../../../../lib/kube/names.ts'
import { checkLabelSelector } from '../pods/placement-checks.ts'

const GROUP = 'rbac.authorization.k8s.io'

/** Checks of roles and bindings. @see k8s.io/kubernetes/pkg/apis/rbac/validation */
export const RBAC_CHECKS: Readonly<Record<string, Check>> = {
  'rbac.v1.Role': ({ rules }, _path, errors) => checkRules(rules, true, errors),
  'rbac.v1.ClusterRole': ({ rules, aggregationRule }, _path, errors) => {
    checkRules(rules, false, errors)
    if (isObject(aggregationRule) && listOf(aggregationRule.clusterRoleSelectors).length === 0)
      required(
        errors,
        'aggregationRule.clusterRoleSelectors',
        'at least one clusterRoleSelector required if aggregationRule is non-nil',
      )
    objectsOf(objectOf(aggregationRule).clusterRoleSelectors).forEach((selector, index) => {
      const at = `aggregationRule.clusterRoleSelectors[${index}]`
      checkLabelSelector(selector, at, errors)
      if (!isReadable(selector)) invalidValue(errors, at, null, 'invalid label selector.')
    })
  },
  'rbac.v1.RoleBinding': ({ roleRef, subjects }, _path, errors) => {
    checkRoleRef(roleRef, ['Role', 'ClusterRole'], errors)
    objectsOf(subjects).forEach((subject, index) => checkSubject(subject, `subjects[${index}]`, errors, false))
  },
  'rbac.v1.ClusterRoleBinding': ({ roleRef, subjects }, _path, errors) => {
    checkRoleRef(roleRef, ['ClusterRole'], errors)
    objectsOf(subjects).forEach((subject, index) => checkSubject(subject, `subjects[${index}]`, errors, true))
  },
}

/** Of the accounts that a cluster role is bound to the namespace must be known. */
function checkSubject(
  { kind, apiGroup, name, namespace }: JsonObject,
  path: string,
  errors: FieldError[],
  isClusterWide: boolean,
): void {
  const group = stringOf(apiGroup)
  const kinds = ['ServiceAccount', 'User', 'Group']
  if (kind === 'ServiceAccount') {
    if (name !== '') checkName(name, `${path}.name`, subdomainError, errors)
    if (group !== '') unsupported(errors, `${path}.apiGroup`, group, [''])
    if (isClusterWide && stringOf(namespace) === '') required(errors, `${path}.namespace`)
  } else if (!kinds.includes(stringOf(kind))) unsupported(errors, `${path}.kind`, stringOf(kind), kinds)
  else if (group !== GROUP) unsupported(errors, `${path}.apiGroup`, group, [GROUP])
  if (stringOf(name) === '') required(errors, `${path}.name`)
}

function checkRules(rules: unknown, isNamespaced: boolean, errors: FieldError[]): void {
  if (!Array.isArray(rules)) return
  objectsOf(rules).forEach((rule, index) => checkRule(rule, `rules[${index}]`, isNamespaced, errors))
}

function checkRule(rule: JsonObject, path: string, isNamespaced: boolean, errors: FieldError[]): void {
  const [groups, resources, names, urls] = ['apiGroups', 'resources', 'resourceNames', 'nonResourceURLs'].map((field) =>
    listOf(rule[field]),
  )
  if ((urls?.length ?? 0) > 0) {
    if (isNamespaced)
      invalidValue(errors, `${path}.nonResourceURLs`, urls, 'namespaced rules cannot apply to non-resource URLs')
    if ([groups, resources, names].some((list) => (list?.length ?? 0) > 0))
      invalidValue(
        errors,
        `${path}.nonResourceURLs`,
        urls,
        'rules cannot apply to both regular resources and non-resource URLs',
      )
    return
  }
  if ((groups?.length ?? 0) === 0)
    required(errors, `${path}.apiGroups`, 'resource rules must supply at least one api group')
  if ((resources?.length ?? 0) === 0)
    required(errors, `${path}.resources`, 'resource rules must supply at least one resource')
}

function checkRoleRef(ref: unknown, kinds: readonly string[], errors: FieldError[]): void {
  const { apiGroup, kind, name } = isObject(ref) ? ref : {}
  if (isObject(ref) && Object.values(ref).some((each) => each !== '') && stringOf(apiGroup) !== GROUP)
    unsupported(errors, 'roleRef.apiGroup', stringOf(apiGroup), [GROUP])
  if (!kinds.includes(stringOf(kind))) unsupported(errors, 'roleRef.kind', stringOf(kind), kinds)
  if (stringOf(name) === '') required(errors, 'roleRef.name')
  else if (/[/%]/.test(stringOf(name)))
    invalidValue(
      errors,
      'roleRef.name',
      stringOf(name),
      `may not contain '${stringOf(name).includes('/') ? '/' : '%'}'`,
    )
}
