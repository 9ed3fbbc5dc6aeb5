import { data, Evaluator, Lexer, Parser } from '@actions/expressions'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { unreachable } from '../../lib/error/unreachable.ts'
import { BOUNDED_FUNCTIONS, type ExpressionFunction, LONGEST_TEXT } from './bounded-functions.ts'
import { isList, isMap, type Json, type Place, type Template } from './template.ts'

/** How things went so far, for `success()`, `failure()`, `cancelled()`, `always()`. */
export type Status = 'success' | 'failure' | 'cancelled'

/** What an expression can see. */
export type Scope = {
  /** The workflow's path, for messages. */
  readonly file: string
  /** `github`, `env`, `steps`, `needs`, `matrix`, `secrets`, …: by name. */
  readonly contexts: Readonly<Record<string, Json>>
  readonly status: Status
  /** `hashFiles(...)`; without it the function answers ''. */
  readonly hashFiles?: (patterns: readonly string[]) => string
}

/** Every context that GitHub knows; one that a scope lacks is empty. */
const CONTEXTS = 'github env vars job jobs steps runner secrets strategy matrix needs inputs'.split(' ')

const STATUS_FUNCTION = /\b(success|failure|cancelled|always)\s*\(/i

/**
 * Evaluates a template: literals stay, expressions become their values, maps and lists keep their shape.
 *
 * @throws SluiceError WORKFLOW_INVALID with `file:line:column`
 */
export function evaluateTemplate(template: Template, scope: Scope): Json {
  switch (template.kind) {
    case 'literal':
      return template.value
    case 'expression':
      return evaluateExpression(template.text, template.at, scope)
    case 'text':
      return joinParts(template, scope)
    case 'list':
      return template.items.map((item) => evaluateTemplate(item, scope))
    case 'map':
      return Object.fromEntries(template.entries.map(({ key, value }) => [key, evaluateTemplate(value, scope)]))
    default:
      return unreachable(template)
  }
}

function joinParts({ parts, at }: Extract<Template, { readonly kind: 'text' }>, scope: Scope): string {
  let text = ''
  for (const part of parts) {
    text += textOf(evaluateTemplate(part, scope))
    if (text.length > LONGEST_TEXT)
      throw new SluiceError('WORKFLOW_INVALID', `the text has more than ${LONGEST_TEXT} characters`, {
        where: `${scope.file}:${at.line}:${at.column}`,
      })
  }
  return text
}

/** Evaluates a template and makes it text as GitHub does: null is '', true is `true`. */
export function evaluateText(template: Template | undefined, scope: Scope): string | undefined {
  if (template === undefined) return undefined
  return textOf(evaluateTemplate(template, scope))
}

function textOf(value: Json): string {
  return value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Evaluates a map whose values become texts, as `env` and `with` are. */
export function evaluateTexts(template: Template | undefined, scope: Scope): Record<string, string> {
  if (template === undefined) return {}
  if (template.kind === 'map')
    return Object.fromEntries(template.entries.map(({ key, value }) => [key, evaluateText(value, scope) ?? '']))
  const value = evaluateTemplate(template, scope)
  if (!isMap(value)) return {}
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, one === null ? '' : String(one)]))
}

/** Decides an `if:`; without a status function in it, it also asks for success. */
export function evaluateCondition(template: Template | undefined, scope: Scope): boolean {
  if (template === undefined) return scope.status === 'success'
  const text =
    template.kind === 'expression' ? template.text : String(template.kind === 'literal' ? template.value : '')
  const bare = text.replace(/^\s*\$\{\{([^]*)\}\}\s*$/, '$1')
  const asked = STATUS_FUNCTION.test(bare) ? bare : `success() && (${bare})`
  return isTruthy(evaluateExpression(asked, template.at, scope))
}

/** What GitHub counts as true: not false, 0, '', null. */
function isTruthy(value: Json): boolean {
  return value !== false && value !== 0 && value !== '' && value !== null && !Number.isNaN(value)
}

/** Evaluates one expression (without `${{ }}`). */
export function evaluateExpression(text: string, at: Place, scope: Scope): Json {
  try {
    const functions = functionsOf(scope)
    // The lexer undoubles only the first quote of a literal ('it''s ''so'''), so its strings are read again here.
    const tokens = new Lexer(text).lex().tokens.map((token) => {
      const isString = token.lexeme.startsWith("'")
      return isString ? { ...token, value: token.lexeme.slice(1, -1).replaceAll("''", "'") } : token
    })
    const tree = new Parser(tokens, CONTEXTS, [...functions.values()]).parse()
    const known = Object.fromEntries(CONTEXTS.map((name) => [name, scope.contexts[name] ?? {}]))
    return fromData(new Evaluator(tree, toDictionary(known), functions).evaluate())
  } catch (error) {
    throw new SluiceError(
      'WORKFLOW_INVALID',
      `${error instanceof Error ? error.message : 'bad'} in "${text.slice(0, 300)}"`,
      {
        where: `${scope.file}:${at.line}:${at.column}`,
      },
    )
  }
}

function functionsOf(scope: Scope): Map<string, ExpressionFunction> {
  const truth = (name: string, isTrue: boolean): ExpressionFunction => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(isTrue),
  })
  const hashFiles: ExpressionFunction = {
    name: 'hashfiles',
    minArgs: 1,
    maxArgs: 255,
    call: (...patterns) => new data.StringData(scope.hashFiles?.(patterns.map((one) => one.coerceString())) ?? ''),
  }
  const all: readonly ExpressionFunction[] = [
    ...BOUNDED_FUNCTIONS,
    truth('success', scope.status === 'success'),
    truth('failure', scope.status === 'failure'),
    truth('cancelled', scope.status === 'cancelled'),
    truth('always', true),
    hashFiles,
  ]
  return new Map(all.map((one) => [one.name, one]))
}

function toDictionary(value: Readonly<Record<string, Json>>): data.Dictionary {
  // one by one: as arguments of a call many of them would not fit
  const dictionary = new data.Dictionary()
  for (const [key, one] of Object.entries(value)) dictionary.add(key, toData(one))
  return dictionary
}

function toData(value: Json): data.ExpressionData {
  if (value === null) return new data.Null()
  if (typeof value === 'string') return new data.StringData(value)
  if (typeof value === 'number') return new data.NumberData(value)
  if (typeof value === 'boolean') return new data.BooleanData(value)
  return isList(value) ? toArray(value) : toDictionary(value)
}

function toArray(value: readonly Json[]): data.Array {
  const array = new data.Array()
  for (const one of value) array.add(toData(one))
  return array
}

function fromData(value: data.ExpressionData): Json {
  if (value instanceof data.Dictionary)
    return Object.fromEntries(value.pairs().map(({ key, value: one }) => [key, fromData(one)]))
  if (value instanceof data.Array) return value.values().map(fromData)
  if (value instanceof data.StringData || value instanceof data.NumberData || value instanceof data.BooleanData)
    return value.value
  return null
}
