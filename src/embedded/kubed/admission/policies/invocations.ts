import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import { objectOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import { matchSelector } from '../../../../lib/kube/selector.ts'
import type { Environment } from '../../environment.ts'
import type { Obj } from '../../object.ts'
import type { Resource } from '../../resources/resource.ts'
import type { Attempt } from '../attempt.ts'
import { policyExpression } from '../../validation/policy-expression.ts'
import { type Variables, variablesOf } from './expressions.ts'
import { matchedKind } from './match.ts'

/** A policy that a binding applies to a write, once for every parameter. */
export type Invocation = {
  readonly policy: Obj
  readonly binding: Obj
  readonly matched: Resource
  readonly params: Obj | undefined
}

/** A policy or binding that cannot be applied; `failurePolicy` decides what that means. */
export type Misfit = { readonly policy: Obj; readonly binding: Obj | undefined; readonly why: string }

const GROUP = 'admissionregistration.k8s.io'

/** What the policies of one kind have to say about a write. Empty, without work, where there are no bindings. */
export function invocationsFor(
  env: Environment,
  attempt: Attempt,
  kind: 'validating' | 'mutating',
): { readonly invocations: readonly Invocation[]; readonly misfits: readonly Misfit[] } {
  const bindings = env.store.list(`${GROUP}/${kind}admissionpolicybindings`)
  // Policies are not asked about policies: one that refuses everything could never be taken back.
  if (bindings.length === 0 || attempt.call.resource.group === GROUP) return { invocations: [], misfits: [] }
  const invocations: Invocation[] = []
  const misfits: Misfit[] = []
  for (const policy of env.store.list(`${GROUP}/${kind}admissionpolicies`)) {
    const own = bindings.filter(({ spec }) => objectOf(spec).policyName === policy.metadata.name)
    const matched = own.length === 0 ? undefined : matchedKind(env, attempt, objectOf(policy.spec).matchConstraints)
    if (matched === undefined) continue
    const unknown = unknownParams(env, policy)
    if (unknown !== undefined) misfits.push({ policy, binding: undefined, why: unknown })
    if (unknown !== undefined) continue
    for (const binding of own) {
      const { matchResources } = objectOf(binding.spec)
      if (matchResources !== undefined && matchedKind(env, attempt, matchResources) === undefined) continue
      const params = paramsOf(env, attempt, policy, binding)
      if (typeof params === 'string') misfits.push({ policy, binding, why: `failed to configure binding: ${params}` })
      else for (const each of params) invocations.push({ policy, binding, matched, params: each })
    }
  }
  return { invocations, misfits }
}

/** Why a policy whose parameters are of no kind that there is cannot be applied, whatever its bindings say. */
function unknownParams(env: Environment, { spec }: Obj): string | undefined {
  const { paramKind } = objectOf(spec)
  if (paramKind === undefined) return undefined
  const { apiVersion, kind } = objectOf(paramKind)
  if (env.registry.findKind(stringOf(apiVersion), stringOf(kind)) !== undefined) return undefined
  const shown = `${stringOf(apiVersion)}, Kind=${stringOf(kind)}`
  return `failed to configure policy: failed to find resource referenced by paramKind: '${shown}'`
}

/** The parameters that a binding gives; a text says why there are none to be had. */
function paramsOf(
  env: Environment,
  { call }: Attempt,
  policy: Obj,
  binding: Obj,
): readonly (Obj | undefined)[] | string {
  const kind = objectOf(policy.spec).paramKind
  const written = objectOf(binding.spec).paramRef
  if (kind === undefined || written === undefined) return [undefined]
  const { apiVersion, kind: kindName } = objectOf(kind)
  const resource = env.registry.findKind(stringOf(apiVersion), stringOf(kindName))
  if (resource === undefined) return [undefined]
  const { name, namespace, selector, parameterNotFoundAction } = objectOf(written)
  if (stringOf(namespace) !== '' && !resource.isNamespaced)
    return 'paramRef.namespace must not be provided for a cluster-scoped `paramKind`'
  const place = resource.isNamespaced ? stringOf(namespace) || call.namespace : ''
  if (resource.isNamespaced && place === '')
    return 'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources'
  const matches = matchSelector(selector)
  const named = stringOf(name) === '' ? undefined : env.store.get(resource.storageKey, place, stringOf(name))
  const found =
    stringOf(name) === ''
      ? env.store.list(resource.storageKey, place).filter(({ metadata }) => matches(metadata.labels))
      : named === undefined
        ? []
        : [named]
  if (found.length === 0 && parameterNotFoundAction === 'Deny')
    return 'no params found for policy binding with `Deny` parameterNotFoundAction'
  return found
}

/**
 * The variables of an invocation, unless a condition of the policy rules it out: one that is false does, whatever the others say.
 *
 * @throws SluiceError CEL_INVALID, CEL_FAILED with the faults of all conditions
 */
export function enter(env: Environment, attempt: Attempt, invocation: Invocation): Variables | undefined {
  const { policy, matched, params } = invocation
  const variables = variablesOf(env, attempt, policy, matched, params)
  // Conditions are asked before anybody has looked up the namespace.
  const known = { ...variables, namespaceObject: {} }
  const faults = new Set<string>()
  for (const { expression } of objectsOf(objectOf(policy.spec).matchConditions))
    try {
      if (policyExpression(stringOf(expression)).evaluateRaw(known) === false) return undefined
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error
      faults.add(error.message)
    }
  if (faults.size === 0) return variables
  const told = [...faults].join(', ')
  throw new SluiceError('CEL_FAILED', faults.size === 1 ? told : `[${told}]`)
}

/** True when a policy that cannot be applied refuses what it was to judge. */
export function failsClosed(policy: Obj): boolean {
  return objectOf(policy.spec).failurePolicy !== 'Ignore'
}

/** How a refusal names the object; one without a name by what its name is to begin with, one of many that go by none. */
export function refusedName({ call, object }: Attempt): string {
  const { name, generateName } = object?.metadata ?? {}
  return call.name || stringOf(name) || stringOf(generateName) || 'Unknown'
}
