import { compileCel } from '../../../lib/cel/compile.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { type JsonObject, objectOf, stringOf } from '../../../lib/kube/json.ts'
import type { FieldError } from '../fault.ts'
import { boundedCall } from './bounded-call.ts'
import { invalidValue, required, unsupported } from './fault-list.ts'

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']
/** Fields of the root that every object has. */
const ROOT_FIELDS = new Set(['apiVersion', 'kind', 'metadata'])

/** Faults of a rule of a schema; it is compiled only where the structure is sound. */
export function checkRule(
  rule: JsonObject,
  schema: JsonObject,
  path: string,
  isRoot: boolean,
  compiles: boolean,
  errors: FieldError[],
): void {
  const [text, message, expression] = [rule.rule, rule.message, rule.messageExpression].map(stringOf)
  const count = errors.length
  checkWords(text ?? '', message ?? '', path, errors)
  if (expression !== '' && expression?.trim() === '')
    required(errors, `${path}.messageExpression`, 'messageExpression must be non-empty if specified')
  const { reason } = rule
  if (reason !== undefined && !REASONS.includes(stringOf(reason)))
    unsupported(errors, `${path}.reason`, reason, REASONS)
  if (!compiles || errors.length > count) return
  const why = ruleFault(text ?? '', schema, isRoot)
  if (why !== undefined) invalidValue(errors, `${path}.rule`, ruleText(rule), why)
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

/** The rule as the internal kind has it. */
function ruleText(rule: JsonObject): JsonObject {
  return {
    Rule: rule.rule ?? '',
    Message: rule.message ?? '',
    MessageExpression: rule.messageExpression ?? '',
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? '',
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  }
}

function ruleFault(text: string, schema: JsonObject, isRoot: boolean): string | undefined {
  try {
    compileCel(text, { library: 'kubernetes' })
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return `compilation failed: ${error.message.slice(Math.max(error.message.indexOf('ERROR: '), 0))}`
  }
  return unknownField(text, schema, isRoot) ?? notBool(text, schema)
}

/** A field of `self` that its schema does not have. Strings are blanked first, so that they name nothing. */
function unknownField(text: string, schema: JsonObject, isRoot: boolean): string | undefined {
  const code = text.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, (found) => ' '.repeat(found.length))
  for (const chain of code.matchAll(/(?<![\w.])(?:self|oldSelf)((?:\.[A-Za-z_]\w*(?![\w(]))+)/g)) {
    let here: JsonObject | undefined = schema
    let at = (chain.index ?? 0) + chain[0].indexOf('.')
    for (const name of (chain[1] ?? '').slice(1).split('.')) {
      if (here === undefined || here['x-kubernetes-preserve-unknown-fields'] === true || here.type !== 'object') break
      if (here.additionalProperties !== undefined) break
      const isCommon: boolean = isRoot && here === schema && ROOT_FIELDS.has(name)
      const next: JsonObject | undefined = isCommon ? {} : fieldOf(here, name)
      if (next === undefined) return located(text, at, `undefined field '${name}'`)
      at += name.length + 1
      here = next
    }
  }
  return undefined
}

function fieldOf(schema: JsonObject, name: string): JsonObject | undefined {
  const properties = objectOf(schema.properties)
  return properties[name] === undefined ? undefined : objectOf(properties[name])
}

function located(text: string, at: number, why: string): string {
  return `compilation failed: ERROR: <input>:1:${at + 1}: ${why}\n | ${text}\n | ${'.'.repeat(at)}^`
}

const SAMPLES: Readonly<Record<string, unknown>> = { integer: 1n, number: 1.5, string: 'a', boolean: true }

/** Rules over one scalar are tried with a sample: what answers something else than a bool can never be a rule. */
function notBool(text: string, schema: JsonObject): string | undefined {
  const sample = SAMPLES[stringOf(schema.type)]
  if (sample === undefined) return undefined
  try {
    const answer = compileCel(text, { guard: boundedCall, library: 'kubernetes' }).evaluate({
      self: sample,
      oldSelf: sample,
    })
    return typeof answer === 'boolean' ? undefined : 'cel expression must evaluate to a bool'
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return undefined
  }
}
