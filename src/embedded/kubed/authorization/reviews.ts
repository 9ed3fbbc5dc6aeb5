import { isObject, type Json, type JsonObject, listOf, objectOf, stringOf } from '../../../lib/kube/json.ts'
import type { Call, User } from '../call.ts'
import type { Environment } from '../environment.ts'
import { allowedBy, type Attributes } from './rules.ts'

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

/** Answers a review: the body with its status. */
export function review(env: Environment, call: Call, body: Json): JsonObject {
  const asked: JsonObject = isObject(body) ? body : {}
  const spec = objectOf(asked.spec)
  const answer: JsonObject = {
    kind: call.resource.kind,
    apiVersion: `${call.resource.group}/v1`,
    metadata: { ...objectOf(asked.metadata) },
  }
  switch (call.resource.kind) {
    case 'SelfSubjectReview':
      return { ...answer, status: { userInfo: { username: call.user.name, groups: [...call.user.groups] } } }
    case 'TokenReview':
      return { ...answer, spec, status: { user: {}, error: 'kubed reviews no tokens' } }
    case 'SelfSubjectRulesReview':
      return {
        ...answer,
        spec: {},
        status: {
          resourceRules: everything(call.user),
          nonResourceRules: [],
          incomplete: !call.user.groups.includes('system:masters'),
        },
      }
    case 'SelfSubjectAccessReview':
      return { ...answer, spec, status: judge(env, call.user, spec) }
    default:
      return {
        ...answer,
        spec,
        status: judge(env, { name: stringOf(spec.user), groups: [...listOf(spec.groups).map(stringOf)] }, spec),
      }
  }
}

function everything(user: User): Json[] {
  return user.groups.includes('system:masters') ? [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] : []
}

function judge(env: Environment, user: User, spec: JsonObject): JsonObject {
  const reason = allowedBy(env, user, attributesOf(spec))
  if (reason === undefined) return { allowed: false }
  return reason === '' ? { allowed: true } : { allowed: true, reason }
}

function attributesOf(spec: JsonObject): Attributes {
  const resource = objectOf(spec.resourceAttributes)
  const path = objectOf(spec.nonResourceAttributes)
  return {
    verb: stringOf(resource.verb) || stringOf(path.verb),
    group: stringOf(resource.group),
    resource: stringOf(resource.resource),
    subresource: stringOf(resource.subresource),
    namespace: stringOf(resource.namespace),
    name: stringOf(resource.name),
    ...(isObject(spec.nonResourceAttributes) ? { path: stringOf(path.path) } : {}),
  }
}
