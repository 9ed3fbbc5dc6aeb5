import { type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../../../lib/kube/json.ts'
import { label1035Error, labelKeyErrors, subdomainError } from '../../../../../lib/kube/names.ts'
import type { FieldError } from '../../../fault.ts'
import {
  type Below,
  type Check,
  checkWord,
  duplicate,
  invalidFor,
  invalidValue,
  required,
  unsupported,
} from '../../fault-list.ts'
import { BINDING_CHECKS, checkMutatingRules } from './binding-checks.ts'
import { type Asked, checkExpression, declaredBefore, scopeOf, scopeOfMessages } from './expression-checks.ts'
import { MATCH_CHECKS } from './match-checks.ts'

const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']
const MOST_CONDITIONS = 64
const MOST_ANNOTATIONS = 20
const LONGEST_ANNOTATION = 5 * 1024

/** Words that no variable of an expression can be named. @see k8s.io/kubernetes/pkg/apis/admissionregistration/validation celReserved */
const RESERVED = new Set([
  ...['true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function'],
  ...['if', 'import', 'let', 'loop', 'package', 'namespace', 'return', 'var', 'void', 'while'],
])

/** Admission policies and their bindings. @see k8s.io/kubernetes/pkg/apis/admissionregistration/validation */
export const POLICY_CHECKS: Readonly<Record<string, Check>> = {
  ...BINDING_CHECKS,
  ...MATCH_CHECKS,
  'admissionregistration.v1.ValidatingAdmissionPolicy': (policy, _path, errors, below) => {
    below('spec')
    checkAnnotations(objectOf(policy.spec), stringOf(objectOf(policy.metadata).name), errors)
  },
  'admissionregistration.v1.ValidatingAdmissionPolicySpec': (spec, path, errors, below) => {
    checkPolicy(spec, path, errors, below)
    if (listOf(spec.validations).length === 0 && listOf(spec.auditAnnotations).length === 0)
      for (const field of ['validations', 'auditAnnotations'])
        required(errors, `${path}.${field}`, 'validations or auditAnnotations must contain at least one item')
    const scope = validationScope(spec)
    objectsOf(spec.validations).forEach((each, index) =>
      checkValidation(each, `${path}.validations[${index}]`, errors, scope),
    )
  },
  'admissionregistration.v1.MutatingAdmissionPolicySpec': (spec, path, errors, below) => {
    checkPolicy(spec, path, errors, below, () =>
      checkMutatingRules(spec.matchConstraints, `${path}.matchConstraints`, errors),
    )
    const mutations = objectsOf(spec.mutations)
    if (mutations.length === 0) required(errors, `${path}.mutations`, 'mutations must contain at least one item')
    const scope = scopeOf(spec, declaredBefore(spec, Infinity))
    mutations.forEach((each, index) => checkMutation(each, `${path}.mutations[${index}]`, errors, scope))
    checkWord(spec.reinvocationPolicy, `${path}.reinvocationPolicy`, ['IfNeeded', 'Never'], errors)
  },
  'admissionregistration.v1.ParamKind': ({ apiVersion, kind }, path, errors) => {
    if (stringOf(apiVersion) === '') required(errors, `${path}.apiVersion`)
    else checkGroupVersion(stringOf(apiVersion), `${path}.apiVersion`, errors)
    const name = stringOf(kind)
    const why = label1035Error(name.toLowerCase())
    if (name === '') required(errors, `${path}.kind`)
    else if (why !== undefined)
      invalidValue(errors, `${path}.kind`, name, `may have mixed case, but should otherwise match: ${why}`)
  },
}

function checkGroupVersion(text: string, path: string, errors: FieldError[]): void {
  const parts = text === '/' ? [''] : text.split('/')
  if (parts.length > 2) return invalidValue(errors, path, text, `unexpected GroupVersion string: ${text}`)
  const [version = '', group = ''] = parts.toReversed()
  const odd = group === '' ? undefined : subdomainError(group)
  if (odd !== undefined) invalidValue(errors, path, group, odd)
  const why = label1035Error(version)
  if (version === '') invalidValue(errors, path, text, 'version must be specified')
  else if (why !== undefined) invalidValue(errors, path, version, why)
}

/** What both kinds of policies have; `matched` looks at what they match in their own way. */
function checkPolicy(
  spec: JsonObject,
  path: string,
  errors: FieldError[],
  below: Below,
  matched: () => void = () => undefined,
): void {
  checkWord(spec.failurePolicy, `${path}.failurePolicy`, ['Fail', 'Ignore'], errors)
  below('paramKind')
  const match = spec.matchConstraints
  if (match === undefined) required(errors, `${path}.matchConstraints`)
  else {
    below('matchConstraints')
    if (listOf(objectOf(match).resourceRules).length === 0) required(errors, `${path}.matchConstraints.resourceRules`)
    matched()
  }
  checkConditions(spec, `${path}.matchConditions`, errors)
  objectsOf(spec.variables).forEach((each, index) => {
    const asked = { scope: scopeOf(spec, declaredBefore(spec, index)), wanted: [] }
    checkVariable(each, `${path}.variables[${index}]`, errors, asked)
  })
}

function checkConditions(spec: JsonObject, path: string, errors: FieldError[]): void {
  const conditions = objectsOf(spec.matchConditions)
  const asked = { scope: scopeOf(spec, undefined), wanted: ['bool'] }
  if (conditions.length > MOST_CONDITIONS)
    errors.push({
      field: path,
      type: 'TooMany',
      message: `Too many: ${conditions.length}: must have at most ${MOST_CONDITIONS} items`,
    })
  conditions.forEach((each, index) => {
    const at = `${path}[${index}]`
    const name = stringOf(each.name)
    checkExpression(stringOf(each.expression).trim(), `${at}.expression`, errors, asked)
    if (name === '') return required(errors, `${at}.name`)
    invalidFor(errors, `${at}.name`, name, labelKeyErrors(name))
    if (conditions.findIndex((other) => other.name === name) < index) duplicate(errors, `${at}.name`, name)
  })
}

function checkVariable(
  { name: written, expression }: JsonObject,
  path: string,
  errors: FieldError[],
  asked: Asked,
): void {
  const name = stringOf(written)
  if (name.trim() === '') required(errors, `${path}.name`, 'name is not specified')
  else if (!/^[A-Za-z_]\w*$/.test(name) || RESERVED.has(name))
    invalidValue(errors, `${path}.name`, name, 'must be a valid CEL identifier')
  checkExpression(stringOf(expression), `${path}.expression`, errors, asked, 'expression is not specified')
}

/** The server knows of variables in expressions of a policy that has some. */
const validationScope = (spec: JsonObject): Asked['scope'] =>
  scopeOf(spec, listOf(spec.variables).length === 0 ? undefined : declaredBefore(spec, Infinity))

function checkValidation(validation: JsonObject, path: string, errors: FieldError[], scope: Asked['scope']): void {
  const asked = { scope, wanted: ['bool'] }
  checkExpression(stringOf(validation.expression), `${path}.expression`, errors, asked, 'expression is not specified')
  const { message, messageExpression, reason } = validation
  if (stringOf(messageExpression) !== '') {
    if (stringOf(messageExpression).trim() === '')
      invalidValue(errors, `${path}.messageExpression`, messageExpression, 'must be non-empty if specified')
    else
      checkExpression(stringOf(messageExpression), `${path}.messageExpression`, errors, {
        scope: scopeOfMessages(scope),
        wanted: ['string'],
      })
  }
  if (stringOf(message) !== '' && stringOf(message).trim() === '')
    invalidValue(errors, `${path}.message`, message, 'must be non-empty if specified')
  else if (/[\n\r]/.test(stringOf(message).trim()))
    invalidValue(errors, `${path}.message`, message, 'must not contain line breaks')
  if (reason !== undefined && !REASONS.includes(stringOf(reason)))
    unsupported(errors, `${path}.reason`, reason, REASONS)
}

/** The key and the policy's name together are the name of an annotation in the audit log. */
function checkAnnotations(spec: JsonObject, name: string, errors: FieldError[]): void {
  const path = 'spec.auditAnnotations'
  const annotations = objectsOf(spec.auditAnnotations)
  const asked = { scope: validationScope(spec), wanted: ['string', 'null_type'] }
  if (annotations.length > MOST_ANNOTATIONS)
    invalidValue(
      errors,
      path,
      annotations.map((each) => ({ Key: stringOf(each.key), ValueExpression: stringOf(each.valueExpression) })),
      `must not have more than ${MOST_ANNOTATIONS} auditAnnotations`,
    )
  annotations.forEach((each, index) => {
    const at = `${path}[${index}]`
    const key = stringOf(each.key)
    const text = stringOf(each.valueExpression).trim()
    if (name === '') invalidValue(errors, `${at}.key`, key, 'requires metadata.name be non-empty')
    else invalidFor(errors, `${at}.key`, `${name}/${key}`, labelKeyErrors(`${name}/${key}`))
    if (Buffer.byteLength(text) > LONGEST_ANNOTATION)
      required(errors, `${at}.valueExpression`, `must not exceed ${LONGEST_ANNOTATION} bytes in length`)
    else checkExpression(text, `${at}.valueExpression`, errors, asked, 'valueExpression is not specified')
    if (annotations.findIndex((other) => stringOf(other.key) === key) < index) duplicate(errors, `${at}.key`, key)
  })
}

function checkMutation(mutation: JsonObject, path: string, errors: FieldError[], scope: Asked['scope']): void {
  const type = stringOf(mutation.patchType)
  checkWord(type, `${path}.patchType`, ['ApplyConfiguration', 'JSONPatch'], errors)
  if (type !== 'JSONPatch' && type !== 'ApplyConfiguration') return
  const [own, other] = type === 'JSONPatch' ? ['jsonPatch', 'applyConfiguration'] : ['applyConfiguration', 'jsonPatch']
  if (own === undefined || other === undefined) return
  if (mutation[own] === undefined) required(errors, `${path}.${own}`, `must be specified when patchType is ${type}`)
  else {
    const wanted = [type === 'JSONPatch' ? 'list(JSONPatch)' : 'Object']
    checkExpression(stringOf(objectOf(mutation[own]).expression).trim(), `${path}.${own}.expression`, errors, {
      scope,
      wanted,
    })
  }
  if (mutation[other] !== undefined)
    invalidValue(errors, `${path}.${other}`, `{${other}}`, `must not be specified when patchType is ${type}`)
}
