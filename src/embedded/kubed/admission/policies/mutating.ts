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
import { jsonOf, variablesOf } from './expressions.ts'
import { enter, failsClosed, type Invocation, invocationsFor, refusedName } from './invocations.ts'

type Denial = { readonly message: string; readonly reason: 'Forbidden' | 'Invalid' }

/**
 * Changes an object as the MutatingAdmissionPolicies say, in place. Those that ask for it are asked once more when a later one changed it.
 *
 * @throws Fault 403 with the faults of all policies that could not be applied and have `failurePolicy: Fail`
 * @see https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
 */
export function mutateByPolicies(env: Environment, attempt: Write): void {
  const { invocations, misfits } = invocationsFor(env, attempt, 'mutating')
  const denials: Denial[] = misfits
    .filter(({ policy }) => failsClosed(policy))
    .map(({ policy, binding, why }) => ({
      message: worded(policy, binding, why),
      reason: 'Forbidden',
    }))
  let lastChange = -1
  invocations.forEach((invocation, index) => {
    if (mutate(env, attempt, invocation, denials)) lastChange = index
  })
  refuse(attempt, denials)
  invocations.forEach((invocation, index) => {
    const isAskedAgain = objectOf(invocation.policy.spec).reinvocationPolicy === 'IfNeeded'
    if (index < lastChange && isAskedAgain) mutate(env, attempt, invocation, denials)
  })
  refuse(attempt, denials)
}

/** Applies one policy; true when it changed something. A mutation that fails does not keep the next ones from being tried. */
function mutate(env: Environment, attempt: Write, invocation: Invocation, denials: Denial[]): boolean {
  const { policy, binding } = invocation
  const before = clone(attempt.object)
  const isDone = (run: () => boolean): boolean => {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof SluiceError || error instanceof PatchError || error instanceof Fault)) throw error
      if (failsClosed(policy)) denials.push({ message: worded(policy, binding, error.message), reason: 'Invalid' })
      return false
    }
  }
  if (!isDone(() => enter(env, attempt, invocation) !== undefined)) return false
  for (const mutation of objectsOf(objectOf(policy.spec).mutations))
    isDone(() => applyMutation(env, attempt, invocation, mutation))
  return !equal(before, attempt.object)
}

function applyMutation(env: Environment, attempt: Write, invocation: Invocation, mutation: JsonObject): true {
  const { policy, matched, params } = invocation
  const { object, call } = attempt
  const variables = variablesOf(env, attempt, policy, matched, params)
  const seen = toVersion(matched, object)
  const answer = jsonOf(policyExpression(expressionOf(mutation)).evaluateRaw(variables))
  const next = mutation.patchType === 'JSONPatch' ? patched(seen, answer) : applied(matched, seen, answer)
  take(object, toVersion(call.resource, read(matched, next)))
  // what a policy adds has defaults, too
  defaultObject(call.resource, object)
  return true
}

const expressionOf = (mutation: JsonObject): string =>
  stringOf(objectOf(mutation.patchType === 'JSONPatch' ? mutation.jsonPatch : mutation.applyConfiguration).expression)

/** A patch whose test fails changes nothing. */
function patched(object: Obj, operations: Json): Json {
  try {
    return jsonPatch(object, operations)
  } catch (error) {
    if (!(error instanceof PatchError)) throw error
    if (error.message.includes('testing value')) return clone(object)
    throw new PatchError(`JSON Patch: ${error.message}`)
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

function worded(policy: Obj, binding: Obj | undefined, why: string): string {
  const bound =
    binding === undefined
      ? JSON.stringify(policy.metadata.name)
      : `'${policy.metadata.name}' with binding '${binding.metadata.name}'`
  return `policy ${bound} denied request: ${why}`
}

/** The first fault is the answer; its details tell all of them. */
function refuse(attempt: Attempt, denials: readonly Denial[]): void {
  const [first] = denials
  if (first === undefined) return
  const { details } = forbidden(attempt.call.resource, refusedName(attempt), '')
  throw new Fault(403, first.reason, first.message, { ...details, causes: denials.map(({ message }) => ({ message })) })
}
