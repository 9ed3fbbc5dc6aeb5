import { type Json, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../../../lib/kube/json.ts'
import { pathSegmentError, subdomainError } from '../../../../../lib/kube/names.ts'
import type { FieldError } from '../../../fault.ts'
import {
  type Check,
  checkName,
  checkWord,
  duplicate,
  forbid,
  invalidValue,
  required,
  unsupported,
} from '../../fault-list.ts'

const ACTIONS = ['Audit', 'Deny', 'Warn']

/** Bindings of admission policies. @see k8s.io/kubernetes/pkg/apis/admissionregistration/validation */
export const BINDING_CHECKS: Readonly<Record<string, Check>> = {
  'admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec': (spec, path, errors, below) => {
    checkPolicyName(spec, path, errors)
    below('paramRef')
    below('matchResources')
    checkActions(listOf(spec.validationActions), `${path}.validationActions`, errors)
  },
  'admissionregistration.v1.MutatingAdmissionPolicyBindingSpec': (spec, path, errors, below) => {
    checkPolicyName(spec, path, errors)
    below('paramRef')
    below('matchResources')
    checkMutatingRules(spec.matchResources, `${path}.matchResources`, errors)
  },
  'admissionregistration.v1.ParamRef': (ref, path, errors, below) => {
    const both = 'name and selector are mutually exclusive'
    const isNamed = stringOf(ref.name) !== ''
    checkName(ref.name, `${path}.name`, pathSegmentError, errors)
    if (isNamed && ref.selector !== undefined) forbid(errors, `${path}.name`, both)
    below('selector')
    if (isNamed && ref.selector !== undefined) forbid(errors, `${path}.selector`, both)
    if (!isNamed && ref.selector === undefined) required(errors, path, 'one of name or selector must be specified')
    checkWord(ref.parameterNotFoundAction, `${path}.parameterNotFoundAction`, ['Deny', 'Allow'], errors)
  },
}

function checkPolicyName({ policyName }: JsonObject, path: string, errors: FieldError[]): void {
  if (stringOf(policyName) === '') required(errors, `${path}.policyName`)
  else checkName(policyName, `${path}.policyName`, subdomainError, errors)
}

function checkActions(actions: readonly Json[], path: string, errors: FieldError[]): void {
  actions.forEach((each, index) => {
    if (!ACTIONS.includes(stringOf(each))) unsupported(errors, `${path}[${index}]`, each, ACTIONS)
    if (actions.indexOf(each) < index) duplicate(errors, `${path}[${index}]`, each)
  })
  if (actions.includes('Deny') && actions.includes('Warn'))
    invalidValue(
      errors,
      path,
      [...actions],
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
    )
  if (actions.length === 0) required(errors, path)
}

/** What is deleted cannot be mutated. */
export function checkMutatingRules(match: Json | undefined, path: string, errors: FieldError[]): void {
  const allowed = ['*', 'CONNECT', 'CREATE', 'UPDATE']
  for (const rule of objectsOf(objectOf(match).resourceRules))
    for (const operation of listOf(rule.operations))
      if (!allowed.includes(stringOf(operation)))
        unsupported(errors, `${path}.resourceRules.operations`, operation, allowed)
}
