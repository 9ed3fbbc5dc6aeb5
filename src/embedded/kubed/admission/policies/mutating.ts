import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import {
  clone,
  equal,
  isObject,
  type Json,
  type JsonObject,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../../lib/kube/json.ts'
import { jsonPatch, PatchError } from '../../../../lib/kube/json-patch.ts'
import { mergeValues } from '../../../../lib/kube-typed/merge/merge-values.ts'
import { shapeOf } from '../../../../lib/kube-typed/merge/typed-value.ts'
import type { FieldType } from '../../../../lib/kube-schema/schema.ts'
import { decodeInto } from '../../decoding/object.ts'
import { defaultObject } from '../../defaulting/object.ts'
import type { Environment } from '../../environment.ts'
import { Fault, forbidden } from '../../fault.ts'
import { type Obj, objFrom } from '../../object.ts'
import { toVersion } from '../../conversion/convert.ts'
import { apiVersionOf, type Resource } from '../../resources/resource.ts'
import type { Attempt, Write } from '../attempt.ts'
import { policyExpression } from '../../validation/policy-expression.ts'
import { jsonOf } from './expressions.ts'
import { enter, failsClosed, type Invocation, invocationsFor } from './invocations.ts'

/**
 * Changes an object as the MutatingAdmissionPolicies say, in place. Those that ask for it are asked once more when a later one changed it.
 *
 * @throws Fault 403 or 422 when a policy with `failurePolicy: Fail` cannot be applied
 * @see https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
 */
export function mutateByPolicies(env: Environment, attempt: Write): void {
  const { invocations, misfits } = invocationsFor(env, attempt, 'mutating')
  for (const { policy, binding, why } of misfits)
    if (failsClosed(policy)) throw refusal(attempt, policy, binding, `failed to configure binding: ${why}`)
  let lastChange = -1
  invocations.forEach((invocation, index) => {
    if (mutate(env, attempt, invocation)) lastChange = index
  })
  invocations.forEach((invocation, index) => {
    const isAskedAgain = objectOf(invocation.policy.spec).reinvocationPolicy === 'IfNeeded'
    if (index < lastChange && isAskedAgain) mutate(env, attempt, invocation)
  })
}

/** Applies one policy; true when it changed something. */
function mutate(env: Environment, attempt: Write, invocation: Invocation): boolean {
  const { policy, binding, matched } = invocation
  const { object, call } = attempt
  const before = clone(object)
  try {
    for (const mutation of objectsOf(objectOf(policy.spec).mutations)) {
      const variables = enter(env, attempt, invocation)
      if (variables === undefined) return false
      const seen = toVersion(matched, object)
      const answer = jsonOf(policyExpression(expressionOf(mutation)).evaluateRaw(variables))
      const next = mutation.patchType === 'JSONPatch' ? patched(seen, answer) : applied(matched, seen, answer)
      take(object, toVersion(call.resource, read(matched, next)))
      // what a policy adds has defaults, too
      defaultObject(call.resource, object)
    }
  } catch (error) {
    if (!(error instanceof SluiceError || error instanceof PatchError || error instanceof Fault)) throw error
    if (failsClosed(policy)) throw refusal(attempt, policy, binding, error.message)
  }
  return !equal(before, object)
}

const expressionOf = (mutation: JsonObject): string =>
  stringOf(objectOf(mutation.patchType === 'JSONPatch' ? mutation.jsonPatch : mutation.applyConfiguration).expression)

/** A patch whose test fails changes nothing. */
function patched(object: Obj, operations: Json): Json {
  try {
    return jsonPatch(object, operations)
  } catch (error) {
    if (error instanceof PatchError && error.message.includes('testing value')) return clone(object)
    throw error
  }
}

function applied({ type }: Resource, object: Obj, answer: Json): Json {
  if (!isObject(answer))
    throw new SluiceError('CEL_FAILED', 'invalid return type: the expression must answer an Object')
  const atomic = atomicsIn(type, answer, '')
  if (atomic.length > 0)
    throw new SluiceError(
      'CEL_FAILED',
      `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomic.join(', ')}`,
    )
  return mergeValues(type, object, answer) ?? object
}

/** Fields that would be replaced as a whole: who means to add to them would lose what is there. */
function atomicsIn(type: FieldType | undefined, value: Json | undefined, path: string): string[] {
  if (type === undefined || typeof value !== 'object' || value === null) return []
  if (type.special !== undefined) return []
  if (type.isAtomic || shapeOf(type, value).isAtomic) return [path]
  if (Array.isArray(value)) return value.flatMap((item, index) => atomicsIn(type.element, item, `${path}[${index}]`))
  return Object.entries(value).flatMap(([name, below]) => atomicsIn(type.child(name), below, `${path}.${name}`))
}

function read(resource: Resource, value: Json): Obj {
  const body = isObject(value) ? clone(value) : {}
  decodeInto(resource, body, { unknown: [] })
  return objFrom(body, apiVersionOf(resource), resource.kind)
}

function take(object: Obj, next: Obj): void {
  for (const field of Object.keys(object)) if (next[field] === undefined) delete object[field]
  Object.assign(object, next)
}

function refusal({ call, object }: Attempt, policy: Obj, binding: Obj | undefined, why: string): Fault {
  const bound =
    binding === undefined
      ? JSON.stringify(policy.metadata.name)
      : `'${policy.metadata.name}' with binding '${binding.metadata.name}'`
  const message = `policy ${bound} denied request: ${why}`
  const { details } = forbidden(call.resource, object?.metadata.name ?? call.name, '')
  return new Fault(422, 'Invalid', message, { ...details, causes: [{ reason: '', message }] })
}
