import { SluiceError } from '../../error/sluice-error.ts'
import type { YamlRules } from '../resolve.ts'
import { findSyntaxFault } from './find-syntax-fault.ts'
import type { SyntaxFault } from './reading.ts'

/**
 * The text of a syntax error as Go's YAML library has it, `yaml: line 3: did not find expected key`.
 *
 * @param text what Go is given, of which it reads the first document
 */
export function goSyntaxError({ message }: SluiceError, text: string, rules: YamlRules): string {
  // What is no fault of syntax (a merge of a text) is found when the tree is used, and has no line.
  return syntaxFaultOf(text, rules) ?? `yaml: ${message}`
}

/** What Go's library says of a text whose first document is no YAML. */
export function syntaxFaultOf(text: string, rules: YamlRules): string | undefined {
  const fault = findSyntaxFault(text, rules)
  if (fault === undefined) return undefined
  const line = lineOf(fault, rules)
  return line === undefined ? `yaml: ${fault.message}` : `yaml: line ${line}: ${fault.message}`
}

/** Counted from 1 by the scanner and from 0 by the parser, in which line 0 is none; either library prefers another of two places. */
function lineOf({ part, problem, context }: SyntaxFault, rules: YamlRules): number | undefined {
  if (part === 'composer') return undefined
  const places = rules === 'v3' ? [context, problem] : [problem, context]
  const found = places.find((mark) => mark !== undefined && mark.line !== 0)
  return found && found.line + (part === 'scanner' ? 1 : 0)
}
