import {
  isObject,
  type Json,
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { type Check, checkName, checkRange, forbid, invalidValue, required, unsupported } from '../fault-list.ts'
import { labelError, subdomainError } from '../../../../lib/kube/names.ts'

const LOWEST_PRECEDENCE = 10_000
const SUBJECTS = ['Group', 'ServiceAccount', 'User']
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']
const METHODS = ['ByNamespace', 'ByUser']
const MOST_QUEUES = 10_000_000

/** Checks of flows and their levels. @see k8s.io/kubernetes/pkg/apis/flowcontrol/validation */
export const FLOW_CHECKS: Readonly<Record<string, Check>> = {
  'flowcontrol.v1.FlowSchema': ({ metadata, spec }, _path, errors) =>
    checkFlow(objectOf(spec), stringOf(objectOf(metadata).name), errors),
  'flowcontrol.v1.PriorityLevelConfiguration': ({ metadata, spec }, _path, errors) =>
    checkLevel(objectOf(spec), stringOf(objectOf(metadata).name), errors),
}

function checkFlow(spec: JsonObject, name: string, errors: FieldError[]): void {
  const { distinguisherMethod: method } = spec
  const precedence = numberOf(spec.matchingPrecedence) ?? 0
  const bad = (why: string): void => invalidValue(errors, 'spec.matchingPrecedence', precedence, why)
  if (precedence <= 0) bad('must be a positive value')
  if (precedence > LOWEST_PRECEDENCE) bad(`must not be greater than ${LOWEST_PRECEDENCE}`)
  if (precedence === 1 && name !== 'exempt') bad("only the schema named 'exempt' may have matchingPrecedence 1")
  if (isObject(method) && !METHODS.includes(stringOf(method.type)))
    unsupported(errors, 'spec.distinguisherMethod.type', { Type: method.type ?? '' }, METHODS)
  const level = stringOf(objectOf(spec.priorityLevelConfiguration).name)
  const at = 'spec.priorityLevelConfiguration.name'
  if (level === '') required(errors, at, 'must reference a priority level')
  else checkName(level, at, subdomainError, errors)
  objectsOf(spec.rules).forEach((rule, index) => checkRules(rule, `spec.rules[${index}]`, errors))
}

function checkRules(rule: JsonObject, path: string, errors: FieldError[]): void {
  const subjects = objectsOf(rule.subjects)
  if (subjects.length === 0) required(errors, `${path}.subjects`, 'subjects must contain at least one value')
  subjects.forEach((subject, index) => checkSubject(subject, `${path}.subjects[${index}]`, errors))
  const [resources, others] = [objectsOf(rule.resourceRules), objectsOf(rule.nonResourceRules)]
  if (resources.length + others.length === 0)
    required(errors, path, 'at least one of resourceRules and nonResourceRules has to be non-empty')
  resources.forEach((each, index) => checkResourceRule(each, `${path}.resourceRules[${index}]`, errors))
  others.forEach((each, index) => {
    const at = `${path}.nonResourceRules[${index}]`
    checkVerbs(each.verbs, at, errors)
    checkUrls(each.nonResourceURLs, `${at}.nonResourceURLs`, errors)
  })
}

function checkSubject(subject: JsonObject, path: string, errors: FieldError[]): void {
  const kind = stringOf(subject.kind)
  if (!SUBJECTS.includes(kind)) return unsupported(errors, `${path}.kind`, kind, SUBJECTS)
  const field = kind.slice(0, 1).toLowerCase() + kind.slice(1)
  const own = subject[field]
  if (!isObject(own)) required(errors, `${path}.${field}`, `${field} is required when subject kind is '${kind}'`)
  else {
    const isAccount = kind === 'ServiceAccount'
    if (stringOf(own.name) === '') required(errors, `${path}.${field}.name`)
    else if (isAccount && own.name !== '*') checkName(own.name, `${path}.${field}.name`, subdomainError, errors)
    if (isAccount && stringOf(own.namespace) === '')
      required(errors, `${path}.${field}.namespace`, 'must specify namespace for service account')
    else if (isAccount) checkName(own.namespace, `${path}.${field}.namespace`, labelError, errors)
  }
  for (const [other, word] of [
    ['serviceAccount', 'ServiceAccount'],
    ['user', 'User'],
    ['group', 'Group'],
  ] as const)
    if (other !== field && subject[other] !== undefined)
      forbid(errors, `${path}.${other}`, `${other} is forbidden when subject kind is not '${word}'`)
}

function checkVerbs(verbs: Json | undefined, path: string, errors: FieldError[]): void {
  const all = listOf(verbs).map(stringOf)
  const at = `${path}.verbs`
  if (all.length === 0) required(errors, at, 'verbs must contain at least one value')
  else if (all.includes('*')) {
    if (all.length > 1) invalidValue(errors, at, all, "if '*' is present, must not specify other verbs")
  } else if (!all.every((verb) => VERBS.includes(verb))) unsupported(errors, at, all, VERBS)
}

function checkUrls(urls: Json | undefined, path: string, errors: FieldError[]): void {
  checkWords(urls, path, 'nonResourceURLs must contain at least one value', 'non-resource URLs', errors)
  const all = listOf(urls).map(stringOf)
  if (all.includes('*')) return
  all.forEach((url, index) => {
    const why = urlFault(url)
    if (why !== undefined) invalidValue(errors, `${path}[${index}]`, url, why)
  })
}

function urlFault(url: string): string | undefined {
  if (url === '') return 'must not be empty'
  if (url === '/') return undefined
  if (!url.startsWith('/')) return 'must start with slash'
  if (url.includes(' ')) return 'must not contain white-space'
  if (url.includes('//')) return 'must not contain double slash'
  return /^[^*]*(?:\/\*)?$/.test(url) ? undefined : 'wildcard can only do suffix matching'
}

/** Some words, or `*` alone. */
function checkWords(words: Json | undefined, path: string, none: string, told: string, errors: FieldError[]): void {
  const all = listOf(words).map(stringOf)
  if (all.length === 0) required(errors, path, none)
  else if (all.length > 1 && all.includes('*'))
    invalidValue(errors, path, all, `if '*' is present, must not specify other ${told}`)
}

function checkResourceRule(rule: JsonObject, path: string, errors: FieldError[]): void {
  checkVerbs(rule.verbs, path, errors)
  const supply = (what: string): string => `resource rules must supply at least one ${what}`
  checkWords(rule.apiGroups, `${path}.apiGroups`, supply('api group'), 'api groups', errors)
  checkWords(rule.resources, `${path}.resources`, supply('resource'), 'resources', errors)
  const namespaces = listOf(rule.namespaces).map(stringOf)
  const at = `${path}.namespaces`
  if (namespaces.length === 0 && rule.clusterScope !== true)
    required(errors, at, 'resource rules that are not cluster scoped must supply at least one namespace')
  else if (namespaces.includes('*')) checkWords(namespaces, at, '', 'namespaces', errors)
  else
    namespaces.forEach((name, index) => {
      const why = labelError(name)
      if (why !== undefined)
        invalidValue(
          errors,
          `${at}[${index}]`,
          name,
          `each member of this list must be '*' or a DNS-1123 label; ${why}`,
        )
    })
}

function checkLevel(spec: JsonObject, name: string, errors: FieldError[]): void {
  const type = stringOf(spec.type)
  if ((name === 'exempt') !== (type === 'Exempt'))
    invalidValue(errors, 'spec.type', type, "must be 'Exempt' if and only if `name` is 'exempt'")
  if (type === 'Exempt') checkExempt(objectOf(spec.exempt), errors)
  if (type === 'Limited' && isObject(spec.limited)) checkLimited(spec.limited, errors)
  if (type !== '' && type !== 'Exempt' && type !== 'Limited')
    unsupported(errors, 'spec.type', type, ['Exempt', 'Limited'])
  if (type !== 'Exempt' && spec.exempt !== undefined) forbid(errors, 'spec.exempt', '')
  if (type !== 'Limited' && spec.limited !== undefined) forbid(errors, 'spec.limited', '')
  if (type === 'Limited' && spec.limited === undefined) required(errors, 'spec.limited')
  if (type === '') required(errors, 'spec.type')
}

function checkExempt(exempt: JsonObject, errors: FieldError[]): void {
  const shares = numberOf(exempt.nominalConcurrencyShares) ?? 0
  if (shares < 0) invalidValue(errors, 'spec.exempt.nominalConcurrencyShares', shares, 'must be a non-negative integer')
  checkRange(exempt.lendablePercent, 'spec.exempt.lendablePercent', errors, 100)
}

function checkLimited(limited: JsonObject, errors: FieldError[]): void {
  const at = 'spec.limited'
  const shares = numberOf(limited.nominalConcurrencyShares) ?? 0
  if (shares < 0) invalidValue(errors, `${at}.nominalConcurrencyShares`, shares, 'must be a non-negative integer')
  checkResponse(objectOf(limited.limitResponse), `${at}.limitResponse`, errors)
  checkRange(limited.lendablePercent, `${at}.lendablePercent`, errors, 100)
  const borrowing = numberOf(limited.borrowingLimitPercent) ?? 0
  if (borrowing < 0)
    invalidValue(errors, `${at}.borrowingLimitPercent`, borrowing, 'if specified, must be a non-negative integer')
}

function checkResponse({ type, queuing }: JsonObject, path: string, errors: FieldError[]): void {
  const said = stringOf(type)
  if (said === 'Queue' && isObject(queuing)) checkQueues(queuing, `${path}.queuing`, errors)
  if (said !== '' && said !== 'Queue' && said !== 'Reject')
    unsupported(errors, `${path}.type`, said, ['Queue', 'Reject'])
  if (said !== 'Queue' && queuing !== undefined) forbid(errors, `${path}.queuing`, '')
  if (said === 'Queue' && queuing === undefined) required(errors, `${path}.queuing`)
  if (said === '') required(errors, `${path}.type`)
}

function checkQueues(queuing: JsonObject, path: string, errors: FieldError[]): void {
  const [length, queues, hand] = [queuing.queueLengthLimit, queuing.queues, queuing.handSize].map(
    (each) => numberOf(each) ?? 0,
  )
  const positive = (field: string, value = 0): void => {
    if (value <= 0) invalidValue(errors, `${path}.${field}`, value, 'must be positive')
  }
  positive('queueLengthLimit', length)
  positive('queues', queues)
  if ((queues ?? 0) > MOST_QUEUES)
    invalidValue(errors, `${path}.queues`, queues, `must not be greater than ${MOST_QUEUES}`)
  positive('handSize', hand)
  if ((hand ?? 0) > (queues ?? 0))
    invalidValue(errors, `${path}.handSize`, hand, `should not be greater than queues (${queues})`)
}
