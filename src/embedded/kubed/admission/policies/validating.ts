import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import { type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import type { Environment } from '../../environment.ts'
import { Fault, forbidden } from '../../fault.ts'
import type { Obj } from '../../object.ts'
import type { Attempt } from '../attempt.ts'
import { policyExpression } from '../../validation/policy-expression.ts'
import { type Variables, variablesOfMessages } from './expressions.ts'
import { enter, failsClosed, type Invocation, invocationsFor, refusedName } from './invocations.ts'
import { own } from '../../../../lib/value/own.ts'

/** A validation that is not met; `always` one of those that deny whatever the binding says. */
type Denial = { readonly message: string; readonly reason: string; readonly always?: true }

const CODES: Readonly<Record<string, number>> = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413 }
const LONGEST_MESSAGE = 5 * 1024

/**
 * Refuses what a ValidatingAdmissionPolicy does not allow; warns where its binding says `Warn`, logs where it says `Audit`.
 *
 * @throws Fault 422, 403, 401 or 413, as the policy says
 * @see https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
 */
export function validateByPolicies(env: Environment, attempt: Attempt): void {
  const { invocations, misfits } = invocationsFor(env, attempt, 'validating')
  for (const { policy, binding, why } of misfits)
    if (failsClosed(policy)) throw refusal(attempt, policy, binding, { message: why, reason: '' })
  let first: Fault | undefined
  for (const invocation of invocations) {
    const { policy, binding } = invocation
    for (const denial of denialsOf(env, attempt, invocation))
      for (const action of denial.always ? ['Deny'] : listOf(objectOf(binding.spec).validationActions)) {
        if (action === 'Deny') first ??= refusal(attempt, policy, binding, denial)
        else if (action === 'Warn')
          attempt.call.warnings.push(
            `Validation failed for ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}': ${denial.message}`,
          )
        else if (action === 'Audit')
          env.log(`kubed: audit: ${attempt.call.path}: policy ${policy.metadata.name}: ${denial.message}`)
      }
  }
  if (first !== undefined) throw first
}

function denialsOf(env: Environment, attempt: Attempt, invocation: Invocation): Denial[] {
  const { policy } = invocation
  const failed = (error: unknown): Denial[] => {
    if (!(error instanceof SluiceError)) throw error
    return failsClosed(policy) ? [{ message: error.message, reason: '' }] : []
  }
  let variables: Variables | undefined
  try {
    variables = enter(env, attempt, invocation)
  } catch (error) {
    return failed(error)
  }
  if (variables === undefined) return []
  const out: Denial[] = []
  for (const validation of objectsOf(objectOf(policy.spec).validations))
    try {
      if (policyExpression(stringOf(validation.expression)).evaluateRaw(variables) !== true)
        out.push({ message: messageOf(policy, validation, variables), reason: stringOf(validation.reason) })
    } catch (error) {
      out.push(...failed(error))
    }
  return [...out, ...annotationFaults(policy, variables)]
}

/** Audit annotations are not kept here; one that has no value refuses a write all the same. */
function annotationFaults(policy: Obj, variables: Variables): Denial[] {
  return objectsOf(objectOf(policy.spec).auditAnnotations).flatMap(({ valueExpression }): Denial[] => {
    try {
      policyExpression(stringOf(valueExpression)).evaluateRaw(variables)
      return []
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error
      return failsClosed(policy) ? [{ message: error.message, reason: '', always: true }] : []
    }
  })
}

/** What `messageExpression` says, where it says something in one line; else the message, else the expression itself. */
function messageOf(policy: Obj, validation: JsonObject, variables: Variables): string {
  const expression = stringOf(validation.messageExpression)
  const told = expression === '' ? '' : evaluated(expression, variablesOfMessages(policy, variables))
  return told || stringOf(validation.message).trim() || `failed expression: ${stringOf(validation.expression).trim()}`
}

function evaluated(expression: string, variables: Variables): string {
  try {
    const text = policyExpression(expression).evaluateString(variables).trim()
    return text.includes('\n') || text.length > LONGEST_MESSAGE ? '' : text
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return ''
  }
}

function refusal(attempt: Attempt, policy: Obj, binding: Obj | undefined, { message, reason }: Denial): Fault {
  const bound = binding === undefined ? '' : ` with binding '${binding.metadata.name}'`
  const text = `ValidatingAdmissionPolicy '${policy.metadata.name}'${bound} denied request: ${message}`
  const told = forbidden(attempt.call.resource, refusedName(attempt), text)
  const kind = reason === '' ? 'Invalid' : reason
  return new Fault(own(CODES, kind) ?? 422, kind, told.message, {
    ...told.details,
    causes: [{ message: text }],
  })
}
