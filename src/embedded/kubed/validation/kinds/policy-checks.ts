import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import {
  isObject,
  type Json,
  type JsonObject,
  listOf,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../../lib/kube/json.ts'
import { policyExpression } from '../policy-expression.ts'
import type { FieldError } from '../../fault.ts'
import { type Check, forbid, invalidValue, required, unsupported } from '../fault-list.ts'
import { subdomainError } from '../../../../lib/kube/names.ts'

const FAILURE = ['Fail', 'Ignore']
const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']
const ACTIONS = ['Audit', 'Deny', 'Warn']
const MOST_CONDITIONS = 64

/** Admission policies and their bindings. @see k8s.io/kubernetes/pkg/apis/admissionregistration/validation */
export const POLICY_CHECKS: Readonly<Record<string, Check>> = {
  'admissionregistration.v1.ValidatingAdmissionPolicySpec': (spec, path, errors) => {
    checkPolicy(spec, path, errors)
    if (listOf(spec.validations).length === 0 && listOf(spec.auditAnnotations).length === 0)
      for (const field of ['validations', 'auditAnnotations'])
        required(errors, `${path}.${field}`, 'validations or auditAnnotations must contain at least one item')
    objectsOf(spec.validations).forEach((each, index) => checkValidation(each, `${path}.validations[${index}]`, errors))
    objectsOf(spec.auditAnnotations).forEach((each, index) =>
      checkExpression(each, 'valueExpression', `${path}.auditAnnotations[${index}]`, errors),
    )
  },
  'admissionregistration.v1.MutatingAdmissionPolicySpec': (spec, path, errors) => {
    checkPolicy(spec, path, errors)
    checkMutatingRules(spec.matchConstraints, `${path}.matchConstraints`, errors)
    const mutations = objectsOf(spec.mutations)
    if (mutations.length === 0) required(errors, `${path}.mutations`, 'mutations must contain at least one item')
    mutations.forEach((each, index) => checkMutation(each, `${path}.mutations[${index}]`, errors))
    checkEnum(spec, 'reinvocationPolicy', path, ['IfNeeded', 'Never'], errors)
  },
  'admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec': (spec, path, errors) => {
    checkBinding(spec, path, errors)
    const actions = listOf(spec.validationActions)
    actions.forEach((each, index) => {
      if (!ACTIONS.includes(stringOf(each))) unsupported(errors, `${path}.validationActions[${index}]`, each, ACTIONS)
    })
    if (actions.includes('Deny') && actions.includes('Warn'))
      invalidValue(
        errors,
        `${path}.validationActions`,
        spec.validationActions,
        'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      )
    if (actions.length === 0)
      required(errors, `${path}.validationActions`, 'at least one validation action is required')
  },
  'admissionregistration.v1.MutatingAdmissionPolicyBindingSpec': (spec, path, errors) => {
    checkBinding(spec, path, errors)
    checkMutatingRules(spec.matchResources, `${path}.matchResources`, errors)
  },
  'admissionregistration.v1.MatchResources': (match, path, errors) =>
    checkEnum(match, 'matchPolicy', path, ['Equivalent', 'Exact'], errors),
  'admissionregistration.v1.NamedRuleWithOperations': (rule, path, errors) => {
    checkListed(rule.operations, `${path}.operations`, 'operations', errors)
    listOf(rule.operations).forEach((each, index) => {
      if (!OPERATIONS.includes(stringOf(each))) unsupported(errors, `${path}.operations[${index}]`, each, OPERATIONS)
    })
    checkListed(rule.apiGroups, `${path}.apiGroups`, 'API groups', errors)
    checkListed(rule.apiVersions, `${path}.apiVersions`, 'API versions', errors)
    listOf(rule.apiVersions).forEach((each, index) => {
      if (each === '') required(errors, `${path}.apiVersions[${index}]`)
    })
    if (listOf(rule.resources).length === 0) required(errors, `${path}.resources`)
  },
}

/** At least one, and none beside the one that stands for all. */
function checkListed(list: Json | undefined, path: string, what: string, errors: FieldError[]): void {
  const all = listOf(list)
  if (all.length === 0) required(errors, path)
  if (all.length > 1 && all.includes('*'))
    invalidValue(errors, path, [...all], `if '*' is present, must not specify other ${what}`)
}

function checkPolicy(spec: JsonObject, path: string, errors: FieldError[]): void {
  checkEnum(spec, 'failurePolicy', path, FAILURE, errors)
  if (isObject(spec.paramKind))
    for (const field of ['apiVersion', 'kind'])
      if (stringOf(spec.paramKind[field]) === '') required(errors, `${path}.paramKind.${field}`)
  const match = spec.matchConstraints
  if (match === undefined) required(errors, `${path}.matchConstraints`)
  else if (listOf(objectOf(match).resourceRules).length === 0)
    required(errors, `${path}.matchConstraints.resourceRules`)
  const conditions = objectsOf(spec.matchConditions)
  if (conditions.length > MOST_CONDITIONS)
    errors.push({
      field: `${path}.matchConditions`,
      type: 'TooMany',
      message: `Too many: ${conditions.length}: must have at most ${MOST_CONDITIONS} items`,
    })
  conditions.forEach((each, index) => {
    checkExpression(each, 'expression', `${path}.matchConditions[${index}]`, errors)
    if (stringOf(each.name) === '') required(errors, `${path}.matchConditions[${index}].name`)
  })
  objectsOf(spec.variables).forEach((each, index) => checkVariable(each, `${path}.variables[${index}]`, errors))
}

function checkVariable(variable: JsonObject, path: string, errors: FieldError[]): void {
  const name = stringOf(variable.name)
  if (name.trim() === '') required(errors, `${path}.name`, 'name is not specified')
  else if (!/^[A-Za-z_]\w*$/.test(name)) invalidValue(errors, `${path}.name`, name, 'must be a valid CEL identifier')
  checkExpression(variable, 'expression', path, errors, 'expression is not specified')
}

function checkValidation(validation: JsonObject, path: string, errors: FieldError[]): void {
  checkExpression(validation, 'expression', path, errors, 'expression is not specified')
  const { message, messageExpression, reason } = validation
  if (stringOf(messageExpression) !== '') {
    if (stringOf(messageExpression).trim() === '')
      invalidValue(errors, `${path}.messageExpression`, messageExpression, 'must be non-empty if specified')
    else checkExpression(validation, 'messageExpression', path, errors)
  }
  if (stringOf(message) !== '' && stringOf(message).trim() === '')
    invalidValue(errors, `${path}.message`, message, 'must be non-empty if specified')
  else if (/[\n\r]/.test(stringOf(message).trim()))
    invalidValue(errors, `${path}.message`, message, 'must not contain line breaks')
  if (reason !== undefined && !REASONS.includes(stringOf(reason)))
    unsupported(errors, `${path}.reason`, reason, REASONS)
}

function checkMutation(mutation: JsonObject, path: string, errors: FieldError[]): void {
  const type = stringOf(mutation.patchType)
  if (!checkEnum(mutation, 'patchType', path, ['ApplyConfiguration', 'JSONPatch'], errors)) return
  const [own, other] = type === 'JSONPatch' ? ['jsonPatch', 'applyConfiguration'] : ['applyConfiguration', 'jsonPatch']
  if (own === undefined || other === undefined) return
  if (mutation[own] === undefined) required(errors, `${path}.${own}`, `must be specified when patchType is ${type}`)
  else checkExpression(objectOf(mutation[own]), 'expression', `${path}.${own}`, errors)
  if (mutation[other] !== undefined)
    invalidValue(errors, `${path}.${other}`, `{${other}}`, `must not be specified when patchType is ${type}`)
}

/** What is deleted cannot be mutated. */
function checkMutatingRules(match: Json | undefined, path: string, errors: FieldError[]): void {
  const allowed = ['*', 'CONNECT', 'CREATE', 'UPDATE']
  for (const rule of objectsOf(objectOf(match).resourceRules))
    for (const operation of listOf(rule.operations))
      if (!allowed.includes(stringOf(operation)))
        unsupported(errors, `${path}.resourceRules.operations`, operation, allowed)
}

function checkBinding(spec: JsonObject, path: string, errors: FieldError[]): void {
  const name = stringOf(spec.policyName)
  const why = name === '' ? undefined : subdomainError(name)
  if (name === '') required(errors, `${path}.policyName`)
  else if (why !== undefined) invalidValue(errors, `${path}.policyName`, name, why)
  if (!isObject(spec.paramRef)) return
  const { name: param, selector } = spec.paramRef
  const at = `${path}.paramRef`
  if (stringOf(param) !== '' && selector !== undefined)
    for (const field of ['name', 'selector'])
      forbid(errors, `${at}.${field}`, 'name and selector are mutually exclusive')
  if (stringOf(param) === '' && selector === undefined)
    required(errors, at, 'one of name or selector must be specified')
  checkEnum(spec.paramRef, 'parameterNotFoundAction', at, ['Deny', 'Allow'], errors)
}

function checkEnum(
  value: JsonObject,
  field: string,
  path: string,
  allowed: readonly string[],
  errors: FieldError[],
): boolean {
  const found = stringOf(value[field])
  if (found === '') required(errors, `${path}.${field}`)
  else if (!allowed.includes(found)) unsupported(errors, `${path}.${field}`, found, allowed)
  return allowed.includes(found)
}

function checkExpression(value: JsonObject, field: string, path: string, errors: FieldError[], missing?: string): void {
  const text = stringOf(value[field])
  if (text.trim() === '') return required(errors, `${path}.${field}`, missing)
  try {
    policyExpression(text)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const why = error.message.slice(Math.max(error.message.indexOf('ERROR: '), 0))
    invalidValue(errors, `${path}.${field}`, text, `compilation failed: ${why}`)
  }
}
