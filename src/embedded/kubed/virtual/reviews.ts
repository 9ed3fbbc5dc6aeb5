import { inGoOrder } from '../../../lib/kube-schema/go-types.ts'
import { isObject, type Json, type JsonObject, listOf, objectOf, stringOf } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import { type User, userInfo } from '../request/user.ts'
import { reviewToken } from '../authentication/account-tokens.ts'
import { type Environment, timestamp } from '../environment.ts'
import { badRequest, type FieldError, invalid } from '../fault.ts'
import { type Attributes, judge, rulesFor } from '../authorization/rules.ts'
import { evaluationError, selectorFaults } from './review-selectors.ts'

const REVIEWS = new Set([
  'SelfSubjectAccessReview',
  'SubjectAccessReview',
  'LocalSubjectAccessReview',
  'SelfSubjectRulesReview',
  'SelfSubjectReview',
  'TokenReview',
])

/** True for kinds that are asked, not kept. */
export function isReview(call: Call): boolean {
  return REVIEWS.has(call.resource.kind)
}

/** Answers a review: the decoded body with its status. @throws Fault 400, 422 */
export function review(env: Environment, call: Call, asked: JsonObject): JsonObject {
  const spec = objectOf(asked.spec)
  return { ...asked, ...answerOf(env, call, spec, objectOf(asked.metadata)) }
}

function answerOf(env: Environment, call: Call, spec: JsonObject, metadata: JsonObject): JsonObject {
  const { user } = call
  switch (call.resource.kind) {
    case 'SelfSubjectReview':
      // Nothing that was sent comes back.
      return { metadata: { creationTimestamp: timestamp(env.nowMs()) }, status: { userInfo: userInfo(user) } }
    case 'TokenReview':
      return { spec, status: tokenStatus(env, spec) }
    case 'SelfSubjectRulesReview': {
      const { managedFields: _nobody, ...told } = metadata
      return { metadata: told, spec: {}, status: rulesStatus(env, user, stringOf(spec.namespace)) }
    }
    case 'SelfSubjectAccessReview':
      refuse(call, [...attributeFaults(spec), ...selectorFaults(spec), ...metadataFaults(call, metadata)])
      return { spec, status: statusOf(env, user, spec) }
    case 'LocalSubjectAccessReview':
      refuse(call, [
        ...attributeFaults(spec),
        ...subjectFaults(spec),
        ...selectorFaults(spec),
        ...metadataFaults(call, metadata),
        ...placeFaults(call, spec, metadata),
      ])
      return { spec, status: statusOf(env, subjectOf(spec), spec) }
    default:
      refuse(call, [
        ...attributeFaults(spec),
        ...subjectFaults(spec),
        ...selectorFaults(spec),
        ...metadataFaults(call, metadata),
      ])
      return { spec, status: statusOf(env, subjectOf(spec), spec) }
  }
}

function tokenStatus(env: Environment, spec: JsonObject): JsonObject {
  const token = stringOf(spec.token)
  if (token === '') throw badRequest('token is required for TokenReview in authentication')
  const { user, audiences, error } = reviewToken(env, token, listOf(spec.audiences).map(stringOf))
  if (user === undefined) return { user: {}, error }
  return { authenticated: true, user: userInfo(user), audiences: [...audiences] }
}

function rulesStatus(env: Environment, user: User, namespace: string): JsonObject {
  if (namespace === '') throw badRequest('no namespace on request')
  const { rules, missing } = rulesFor(env, user, namespace)
  const pick = (rule: JsonObject, fields: readonly string[]): JsonObject =>
    Object.fromEntries(fields.flatMap((field) => (rule[field] === undefined ? [] : [[field, rule[field]]])))
  return {
    resourceRules: rules
      .filter(({ resources }) => listOf(resources).length > 0)
      .map((rule) => pick(rule, ['verbs', 'apiGroups', 'resources', 'resourceNames'])),
    nonResourceRules: rules
      .filter(({ nonResourceURLs }) => listOf(nonResourceURLs).length > 0)
      .map((rule) => pick(rule, ['verbs', 'nonResourceURLs'])),
    incomplete: missing.length > 0,
    ...(missing.length === 0 ? {} : { evaluationError: missing.length === 1 ? missing[0] : `[${missing.join(', ')}]` }),
  }
}

function refuse({ resource }: Call, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: resource.group, kind: '' }, '', errors)
}

function attributeFaults(spec: JsonObject): FieldError[] {
  const { resourceAttributes, nonResourceAttributes } = spec
  if (isObject(resourceAttributes) !== isObject(nonResourceAttributes)) return []
  const shown = isObject(nonResourceAttributes) ? shownPath(nonResourceAttributes) : 'null'
  const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
  return [{ field: 'spec', type: 'Invalid', message: `Invalid value: ${shown}: ${why}` }]
}

/** As the internal kind prints it. */
const shownPath = ({ path, verb }: JsonObject): string => JSON.stringify({ Path: stringOf(path), Verb: stringOf(verb) })

function subjectFaults(spec: JsonObject): FieldError[] {
  if (stringOf(spec.user) !== '' || listOf(spec.groups).length > 0) return []
  const message = 'Invalid value: "": at least one of user or group must be specified'
  return [{ field: 'spec.user', type: 'Invalid', message }]
}

/** What is asked has no name: it is not kept. Where it belongs to a namespace, it may say so. Protobuf sends what is zero, too. */
function metadataFaults({ resource }: Call, metadata: JsonObject): FieldError[] {
  const set = Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== 0 && value !== ''))
  const { managedFields: _nobody, namespace, creationTimestamp: _never, ...said } = set
  const isEmpty = Object.keys(said).length === 0 && (resource.isNamespaced || namespace === undefined)
  if (isEmpty) return []
  const shown = JSON.stringify(inGoOrder(resource.type.child('metadata'), set))
  const why = `must be empty${resource.isNamespaced ? ' except for namespace' : ''}`
  return [{ field: 'metadata', type: 'Invalid', message: `Invalid value: ${shown}: ${why}` }]
}

function placeFaults(call: Call, spec: JsonObject, metadata: JsonObject): FieldError[] {
  const own = stringOf(metadata.namespace) || call.namespace
  if (isObject(spec.nonResourceAttributes)) {
    const shown = shownPath(spec.nonResourceAttributes)
    const message = `Invalid value: ${shown}: disallowed on this kind of request`
    return [{ field: 'spec.nonResourceAttributes', type: 'Invalid', message }]
  }
  if (!isObject(spec.resourceAttributes)) return []
  const said = stringOf(spec.resourceAttributes.namespace)
  if (said === own) return []
  const message = `Invalid value: ${JSON.stringify(said)}: must match metadata.namespace`
  return [{ field: 'spec.resourceAttributes.namespace', type: 'Invalid', message }]
}

const subjectOf = (spec: JsonObject): User => ({
  name: stringOf(spec.user),
  groups: listOf(spec.groups).map(stringOf),
})

function statusOf(env: Environment, user: User, spec: JsonObject): JsonObject {
  const { isAllowed, reason } = judge(env, user, attributesIn(spec))
  const unread = evaluationError(spec)
  return {
    allowed: isAllowed,
    ...(reason === '' ? {} : { reason }),
    ...(unread === '' ? {} : { evaluationError: unread }),
  }
}

function attributesIn(spec: JsonObject): Attributes {
  const resource = objectOf(spec.resourceAttributes)
  const path: Json | undefined = spec.nonResourceAttributes
  return {
    verb: stringOf(resource.verb) || stringOf(objectOf(path).verb),
    group: stringOf(resource.group),
    resource: stringOf(resource.resource),
    subresource: stringOf(resource.subresource),
    namespace: stringOf(resource.namespace),
    name: stringOf(resource.name),
    ...(isObject(path) ? { path: stringOf(path.path) } : {}),
  }
}
