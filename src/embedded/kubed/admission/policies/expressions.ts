import { asJson, type Json, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import { type Account, Authorizer, type Judge } from '../../../../lib/cel/kubernetes/authz.ts'
import { schemaFor } from '../../../../lib/kube-schema/builtin.ts'
import type { FieldType } from '../../../../lib/kube-schema/schema.ts'
import type { Environment } from '../../environment.ts'
import type { Obj } from '../../object.ts'
import { toVersion } from '../../conversion/convert.ts'
import { judge } from '../../authorization/rules.ts'
import type { User } from '../../request/user.ts'
import type { Resource } from '../../resources/resource.ts'
import { celValue } from '../../validation/custom/rules-of-schema.ts'
import { policyVariable } from '../../validation/policy-expression.ts'
import { type Attempt, nameOf, requestOf } from '../attempt.ts'

/** What the expressions of a policy may name. */
export type Variables = Readonly<Record<string, unknown>>

/** The variables of one policy for one write and one parameter. Those that the policy declares are evaluated when they are asked for. */
export function variablesOf(
  env: Environment,
  attempt: Attempt,
  policy: Obj,
  matched: Resource,
  params: Obj | undefined,
): Variables {
  const { call, object, before } = attempt
  const shown = (each: Obj | undefined): unknown =>
    each === undefined ? null : celValue(matched.type, named(toVersion(matched, each)))
  const namespace = call.namespace === '' ? undefined : env.store.get('/namespaces', '', call.namespace)
  const base = {
    object: shown(object),
    oldObject: shown(before),
    request: requestOf(attempt, matched),
    namespaceObject: namespace === undefined ? null : celOf(typeOf(env, namespace), namespace),
    authorizer: authorizerOf(env, attempt),
    params: params === undefined ? null : celOf(typeOf(env, params), params),
  }
  return { ...base, variables: declared(policy, base) }
}

/** The variables for the text of a refusal, which asks no authorizer, not even by what the policy declares. */
export function variablesOfMessages(
  policy: Obj,
  { authorizer: _authorizer, variables: _declared, ...base }: Variables,
): Variables {
  return { ...base, variables: declared(policy, base) }
}

/** What may be asked of who sent the request, or of an account. */
function authorizerOf(env: Environment, attempt: Attempt): Authorizer {
  const { resource, subresource, namespace, user } = attempt.call
  const judged: Judge = (access, account) => judge(env, account === undefined ? user : accountUser(account), access)
  const about = { group: resource.group, resource: resource.plural, subresource, namespace, name: nameOf(attempt) }
  return new Authorizer(judged, about)
}

const accountUser = ({ namespace, name }: Account): User => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
})

/** What has no name yet says none. */
function named(object: Obj): Obj {
  if (object.metadata.name !== '') return object
  const { name: _none, ...metadata } = object.metadata
  return { ...object, metadata: metadata as Obj['metadata'] }
}

function typeOf(env: Environment, { apiVersion, kind }: Obj): FieldType | undefined {
  return env.registry.findKind(apiVersion, kind)?.type ?? schemaFor(apiVersion, kind)
}

const celOf = (type: FieldType | undefined, value: Json): unknown =>
  type === undefined ? value : celValue(type, value)

function declared(policy: Obj, base: Variables): object {
  const out = {}
  for (const { name, expression } of objectsOf(objectOf(policy.spec).variables)) {
    let found: { value: unknown } | undefined
    Object.defineProperty(out, stringOf(name), {
      enumerable: true,
      // Of two of one name the last counts.
      configurable: true,
      get: () =>
        (found ??= {
          value: policyVariable(stringOf(name), stringOf(expression)).evaluateRaw({ ...base, variables: out }),
        }).value,
    })
  }
  return out
}

/** The answer of an expression as JSON. */
export function jsonOf(value: unknown): Json {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(jsonOf)
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, each]) => [String(key), jsonOf(each)]))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, jsonOf(each)]))
  return asJson(value ?? null)
}
