import { isObject, type Json, type JsonObject, objectOf, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { invalidValue, required, unsupported } from '../fault-list.ts'
import type { CelScope } from '../../../../lib/cel/compile.ts'
import { compileMessage, compileRule, withoutStrings } from './rule-compile.ts'
import type { RuleCosts } from './rule-costs.ts'
import type { RuleScope } from './rule-types.ts'
import { ruleText } from './schema-text.ts'

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']

/** Faults of what a rule of a schema says, before it is compiled. */
export function checkRuleText(rule: JsonObject, schema: JsonObject, path: string, errors: FieldError[]): void {
  const [message, expression] = [rule.message, rule.messageExpression].map(stringOf)
  checkWords(text(rule), message ?? '', path, errors)
  if (expression !== '' && expression?.trim() === '')
    required(errors, `${path}.messageExpression`, 'messageExpression must be non-empty if specified')
  const { reason } = rule
  if (reason !== undefined && !REASONS.includes(stringOf(reason)))
    unsupported(errors, `${path}.reason`, reason, REASONS)
  checkFieldPath(rule.fieldPath, schema, path, errors)
}

/** Where a rule stands: what it may speak of, how often it is asked at most, and below which part nothing is known of what was. */
type Place = {
  readonly scope: RuleScope
  readonly instances: number | undefined
  readonly uncorrelated?: string
  readonly costs: RuleCosts
}

/** Faults of a rule as an expression. */
export function checkRule(rule: JsonObject, path: string, place: Place, errors: FieldError[]): void {
  const { scope, costs } = place
  const words = scope.scope(rule.optionalOldSelf !== true)
  const compiled = compileRule(text(rule), words)
  if ('fault' in compiled) invalidValue(errors, `${path}.rule`, ruleText(rule), compiled.fault)
  else {
    costs.add(compiled.cost, place.instances ?? scope.mostInstances, 'rule', `${path}.rule`, errors)
    checkMessage(rule, words, path, costs, errors)
  }
  checkOld(rule, 'fault' in compiled, place.uncorrelated, path, errors)
}

function checkMessage(rule: JsonObject, scope: CelScope, path: string, costs: RuleCosts, errors: FieldError[]): void {
  const expression = stringOf(rule.messageExpression)
  if (expression === '') return
  const at = `${path}.messageExpression`
  const compiled = compileMessage(expression, scope)
  if ('fault' in compiled) invalidValue(errors, at, ruleText(rule), compiled.fault)
  else costs.add(compiled.cost, 1, 'messageExpression', at, errors)
}

function checkWords(text: string, message: string, path: string, errors: FieldError[]): void {
  if (text.trim() === '') required(errors, `${path}.rule`, 'rule is not specified')
  else if (message !== '' && message.trim() === '')
    invalidValue(errors, `${path}.message`, message, 'must be non-empty if specified')
  else if (message.trim().includes('\n'))
    invalidValue(errors, `${path}.message`, message, 'must not contain line breaks')
  else if (text.trim().includes('\n') && message.trim() === '')
    required(errors, `${path}.message`, 'message must be specified if rule contains line breaks')
}

/** Where the server says that a rule is broken: a field of what the rule is about. */
function checkFieldPath(given: Json | undefined, schema: JsonObject, path: string, errors: FieldError[]): void {
  const text = stringOf(given)
  if (text === '') return
  const at = `${path}.fieldPath`
  if (text.trim() === '') invalidValue(errors, at, text, 'must be non-empty if specified')
  if (text.includes('\n')) invalidValue(errors, at, text, 'must not contain line breaks')
  if (!leadsToField(text, schema)) invalidValue(errors, at, text, 'must be a valid path')
}

function leadsToField(text: string, schema: JsonObject): boolean {
  const steps = [...text.matchAll(/\.([A-Za-z_]\w*)|\['([^']+)'\]/gy)]
  if (steps.length === 0 || steps.map(([step]) => step).join('') !== text) return false
  let here: Json | undefined = schema
  for (const [, field, key] of steps) {
    const { properties, additionalProperties }: JsonObject = objectOf(here)
    here = objectOf(properties)[field ?? key ?? ''] ?? (key === undefined ? undefined : additionalProperties)
    if (!isObject(here)) return false
  }
  return true
}

const text = (rule: JsonObject): string => stringOf(rule.rule)

/** What was is known only where the server can tell which part it was. */
function checkOld(
  rule: JsonObject,
  isBroken: boolean,
  within: string | undefined,
  path: string,
  errors: FieldError[],
): void {
  const usesOld = !isBroken && /(?<![\w.])oldSelf\b/.test(withoutStrings(text(rule)))
  if (usesOld && within !== undefined)
    invalidValue(
      errors,
      `${path}.rule`,
      text(rule),
      `oldSelf cannot be used on the uncorrelatable portion of the schema within ${within}`,
    )
  else if (!usesOld && rule.optionalOldSelf !== undefined)
    invalidValue(
      errors,
      `${path}.optionalOldSelf`,
      rule.optionalOldSelf,
      'may not be set if oldSelf is not used in rule',
    )
}
