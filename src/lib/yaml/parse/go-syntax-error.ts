import { SluiceError } from '../../error/sluice-error.ts'
import type { YamlRules } from '../resolve.ts'

/** Where Go's library would say that a syntax error is: the character at fault, and where the node began that holds it. */
export type Marks = { readonly problem: number; readonly context: number }

/** What its parser says; the rest comes from its scanner, which counts lines from one. */
const OF_PARSER =
  /^(did not find expected (key|'-' indicator|<document start>|',' or|node content)|found incompatible|found undefined tag)/

/** Said when the node is built, of no line. */
const WITHOUT_LINE = /^(unknown anchor|map merge requires|invalid map merge|duplicate merge key)/

/**
 * The text of a syntax error as Go's YAML library has it, `yaml: line 3: did not find expected key`.
 *
 * @param text what was read, `from` where the part of it began that Go was given
 */
export function goSyntaxError(error: SluiceError, text: string, rules: YamlRules, from = 0): string {
  const { message, cause } = error
  if (!isMarks(cause) || WITHOUT_LINE.test(message)) return `yaml: ${message}`
  const lineOf = (offset: number): number => text.slice(from, offset).split(/\r\n|[\n\r\x85\u2028\u2029]/).length - 1
  const isOfParser = OF_PARSER.test(message)
  // The scanner begins a line before it tells its parser of the end.
  const isAfterEnd = isOfParser && cause.problem >= text.length && !/[\n\r\x85\u2028\u2029]$/.test(text)
  const [context, problem] = [lineOf(cause.context), lineOf(cause.problem) + (isAfterEnd ? 1 : 0)]
  const line = rules === 'v3' ? context || problem : problem || context
  if (line === 0) return `yaml: ${message}`
  return `yaml: line ${isOfParser ? line : line + 1}: ${message}`
}

/** Offset of the character at fault; 0 when the error says nothing of it. */
export function problemOf({ cause }: SluiceError): number {
  return isMarks(cause) ? cause.problem : 0
}

function isMarks(value: unknown): value is Marks {
  return typeof value === 'object' && value !== null && 'problem' in value && 'context' in value
}
