import { Environment, EvaluationError, Optional, ParseError, type ParseResult } from '@marcbachmann/cel-js'
import { SluiceError } from '../error/sluice-error.ts'
import { strayRequest } from './kubernetes/authz.ts'
import { withKubernetes } from './kubernetes/kubernetes.ts'
import { estimateCost } from './cost/estimate.ts'
import type { CelShape, Node } from './cost/worth.ts'
import { withFlux, withPatches } from './kubernetes/extensions.ts'
import { explainSyntax, explainTypes, located } from './explain.ts'
import { oddLiteral, type PlacedNode } from './places.ts'
import { withStandard } from './standard.ts'

/** A compiled CEL expression; errors name it. */
export type Cel = {
  readonly text: string
  /** @throws SluiceError CEL_FAILED (retry: backoff): other values may work */
  readonly evaluate: (variables: Readonly<Record<string, unknown>>) => unknown
  /** As `evaluate`, in CEL's own types: an int stays a bigint. @throws SluiceError CEL_FAILED */
  readonly evaluateRaw: (variables: Readonly<Record<string, unknown>>) => unknown
  /** @throws SluiceError CEL_FAILED also for what is no bool */
  readonly evaluateBoolean: (variables: Readonly<Record<string, unknown>>) => boolean
  /** @throws SluiceError CEL_FAILED also for what is no string */
  readonly evaluateString: (variables: Readonly<Record<string, unknown>>) => string
}

/** What is known beforehand; without `variables` nothing is checked before an evaluation, so no `output` can be asked for. */
export type CelOptions = {
  /** Names of the variables, each an object; another name is an error at once. Without it every name is allowed until evaluation. */
  readonly variables?: readonly string[]
  /** What the expression must answer; checked beforehand, so a field of unknown type must be compared with something. */
  readonly output?: 'bool' | 'string'
  /** Whose functions there are besides those of CEL; Flux's by default. `policies` are those of Kubernetes and what makes patches. */
  readonly library?: keyof typeof LIBRARIES
  /** Carries an evaluation out, and ends one that takes too long; expressions and values come from outside. */
  readonly guard?: (run: () => unknown) => unknown
  /** Says why an evaluation failed; as Flux says it by default. */
  readonly tell?: (why: string) => string
}

/** Longest text of an expression. */
const LONGEST_TEXT = 16 * 1024

/**
 * Compiles an expression of the Common Expression Language with the functions that Flux adds (`first`, `last` of lists), in the words of cel-go.
 *
 * @throws SluiceError CEL_INVALID (retry: spec) when the text can never work
 */
export function compileCel(text: string, options: CelOptions = {}): Cel {
  const parsed = parse(text, options)
  const guard = options.guard ?? ((run) => run())
  const tell = options.tell ?? ((why) => `failed to evaluate the CEL expression '${text}': ${why}`)
  const evaluateRaw = (variables: Readonly<Record<string, unknown>>): unknown => {
    try {
      return guard(() => parsed({ ...variables }))
    } catch (error) {
      const of = { text, options, run: (part: ParseResult) => guard(() => part({ ...variables })) }
      throw failed(tell(firstFault(error, parsed, of)))
    }
  }
  const evaluate = (variables: Readonly<Record<string, unknown>>): unknown => plain(evaluateRaw(variables))
  return {
    text,
    evaluate,
    evaluateRaw,
    evaluateBoolean(variables) {
      const value = evaluate(variables)
      if (typeof value !== 'boolean') throw failed(`failed to evaluate CEL expression as boolean: '${text}'`)
      return value
    },
    evaluateString(variables) {
      const value = evaluate(variables)
      if (typeof value !== 'string') throw failed(`failed to evaluate CEL expression as string: '${text}'`)
      return value
    },
  }
}

/** What an expression may speak of, in CEL's words: types of variables, and fields of types. */
export type CelScope = {
  readonly variables: Readonly<Record<string, string>>
  readonly structs: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** What the first of the variables may be like. */
  readonly shape: CelShape
}

/**
 * What is known of an expression before it is asked: the type of its answer as far as it is known (`bool`, `list<int>`, `dyn`), what it costs at
 * most, and whether it does nothing but read a value.
 */
export type CheckedCel = { readonly type: string; readonly cost: number; readonly isRead: boolean }

/** Nodes that only read: a variable, a field, an index. */
const READS = ['id', '.', '[]']

/**
 * Checks an expression with the functions of Kubernetes.
 *
 * @throws SluiceError CEL_INVALID (retry: spec) when the text can never work, also for a name that the scope does not have
 */
export function checkCel(text: string, { variables, structs, shape }: CelScope): CheckedCel {
  const environment = KUBERNETES.clone({ unlistedVariablesAreDyn: false })
  // A type must be known before what speaks of it; what is deepest comes first.
  const names = Object.keys(structs).sort((a, b) => b.split('.').length - a.split('.').length)
  for (const name of names) environment.registerType({ name, schema: { ...structs[name] } })
  for (const [name, type] of Object.entries(variables)) environment.registerVariable(name, type)
  const parsed = parseIn(environment, text)
  const type = checkedType(text, parsed)
  const root = parsed.ast as unknown as PlacedNode
  const odd = oddLiteral(root, text) ?? strayRequest(root, text)
  if (odd !== undefined) throw invalid(text, located(text, odd.at, odd.why))
  const cost = estimateCost(parsed.ast as unknown as Node, shape)
  return { type, cost, isRead: READS.includes(parsed.ast.op) }
}

const BASE = withStandard(
  new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false, enableOptionalTypes: true }),
)
  .registerFunction('list<A>.first(): optional<A>', (list: readonly unknown[]) => at(list, 0))
  .registerFunction('list<A>.last(): optional<A>', (list: readonly unknown[]) => at(list, list.length - 1))

const FLUX = withFlux(BASE.clone())
const KUBERNETES = withKubernetes(BASE.clone())
const LIBRARIES = { flux: FLUX, kubernetes: KUBERNETES, policies: withPatches(KUBERNETES.clone()) }

function at(list: readonly unknown[], index: number): Optional {
  return list.length === 0 ? Optional.none() : Optional.of(list[index])
}

function parse(text: string, { variables, output, library = 'flux' }: CelOptions): ParseResult {
  if (text.length > LONGEST_TEXT) throw invalid(text, `longer than ${LONGEST_TEXT} characters`)
  const environment = LIBRARIES[library].clone({
    unlistedVariablesAreDyn: variables === undefined,
  })
  for (const name of variables ?? []) environment.registerVariable(name, 'map<string, dyn>')
  const parsed = parseIn(environment, text)
  if (variables === undefined) {
    if (output === undefined) return parsed
    throw new SluiceError('CEL_INVALID', 'output type and variables can only be set when compiling the expression')
  }
  const type = checkedType(text, parsed)
  if (output !== undefined && type !== output)
    throw new SluiceError('CEL_INVALID', `CEL expression output type mismatch: expected ${output}, got ${goType(type)}`)
  return parsed
}

/** A type as cel-go writes it: `list(string)`. */
export function goType(type: string): string {
  const plain = type.replace(/^(list|map)(?!<)$/, (name) => (name === 'map' ? 'map<dyn, dyn>' : 'list<dyn>'))
  return plain
    .replaceAll('<', '(')
    .replaceAll('>', ')')
    .replace(/\b[TKV]\b/g, 'dyn')
    .replace(/\boptional\b/g, 'optional_type')
    .replace(/\bnull\b/g, 'null_type')
}

function parseIn(environment: Environment, text: string): ParseResult {
  try {
    return environment.parse(text)
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    throw invalid(text, explainSyntax(text, error.summary, error.range?.start ?? 0))
  }
}

function checkedType(text: string, parsed: ParseResult): string {
  const { valid, type, error } = parsed.check()
  if (!valid)
    throw invalid(text, explainTypes(text, error?.summary ?? '', error?.range, parsed.ast as unknown as PlacedNode))
  return type ?? 'dyn'
}

/** Integers of CEL as numbers where they fit. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  if (Array.isArray(value)) return value.map(plain)
  return value
}

type Failing = { readonly text: string; readonly options: CelOptions; readonly run: (part: ParseResult) => unknown }

/** When both sides of a logical operator fail, cel-go tells of the left one and the library of the right one: the sides are asked again, in order. */
function firstFault(error: unknown, { ast }: ParseResult, { text, options, run }: Failing): string {
  if (ast.op !== '&&' && ast.op !== '||') return evaluationFault(error, text, options)
  const { output: _whole, ...open } = options
  for (const { start, end } of ast.args) {
    const side = text.slice(start, end)
    const part = parse(side, open)
    try {
      run(part)
    } catch (fault) {
      return firstFault(fault, part, { text: side, options, run })
    }
  }
  return evaluationFault(error, text, options)
}

function evaluationFault(error: unknown, text: string, { variables }: CelOptions): string {
  if (!(error instanceof EvaluationError)) return error instanceof Error ? error.message : String(error)
  const unknown = /^Unknown variable: (.+)$/.exec(error.summary)
  if (unknown && variables === undefined)
    return `no such attribute(s): ${chainAt(text, error.range?.start, unknown[1] ?? '')}`
  const conversion = /^(\w+)\(\) type error: cannot convert to/.exec(error.summary)
  if (conversion) return `type conversion error from 'string' to '${conversion[1] ?? ''}'`
  const beyond = /^No such key: index out of bounds, index (\d+) >= size/.exec(error.summary)
  if (beyond) return `index out of bounds: ${beyond[1] ?? ''}`
  return error.summary.slice(0, 1).toLowerCase() + error.summary.slice(1)
}

/** cel-go names the whole chain of fields that begins with the unknown name. */
function chainAt(text: string, start: number | undefined, name: string): string {
  const chain = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*(?![\w(]))*/.exec(text.slice(start ?? text.length))?.[0]
  return chain?.split('.')[0] === name ? chain : name
}

function invalid(text: string, why: string): SluiceError {
  return new SluiceError('CEL_INVALID', `failed to parse the CEL expression '${text}': ${why}`)
}

function failed(message: string): SluiceError {
  return new SluiceError('CEL_FAILED', message, { retry: 'backoff' })
}
