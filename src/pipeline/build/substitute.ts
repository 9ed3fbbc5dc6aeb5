import { operate } from './substitution-operators.ts'
import { fault, parseSubstitution, type Part } from './substitution-syntax.ts'

/** How variables are filled in. */
export type SubstituteOptions = {
  /** A variable without value and default is an error. */
  readonly isStrict: boolean
  /** `safe` (default): forms that do another thing here than in a shell are refused. */
  readonly traps?: 'safe' | 'flux'
}

/** Forms that bear an unset variable. */
const DEFAULTS = new Set(['=', ':=', ':-', ':+', ':?'])
/** In a shell these mean "if it is set" and "or fail"; envsubst takes both for a default. */
const MISLEADING = new Set([':+', ':?'])

/**
 * Replaces `${NAME}` and its forms: `${NAME:=default}`, `${NAME:-default}`, `${#NAME}`, `${NAME^^}`, `${NAME:1:2}`, `${NAME#prefix}`,
 * `${NAME/old/new}`. `$${NAME}` is the text `${NAME}`. Lengths and places count bytes, as in Flux.
 *
 * @throws SluiceError KUSTOMIZE_BUILD for a form that does not exist, and in strict mode for a variable without value and default
 */
export function substitute(
  text: string,
  variables: ReadonlyMap<string, string>,
  { isStrict, traps = 'safe' }: SubstituteOptions,
): string {
  const evaluate = (parts: readonly Part[]): string => parts.map((part) => one(part)).join('')
  const one = (part: Part): string => {
    if (typeof part === 'string') return encode(part)
    const { name, operator } = part
    if (traps === 'safe' && MISLEADING.has(operator))
      throw fault(`\${${name}${operator}…} means \${${name}:-…} in Flux, another thing than in a shell: write that`)
    const args = part.args.map(evaluate)
    const value = variables.get(name)
    if (value === undefined && isStrict && !DEFAULTS.has(operator))
      throw fault(`variable not set (strict mode): "${name}"`)
    return operate(operator, encode(value ?? ''), args)
  }
  return decode(evaluate(parseSubstitution(text)))
}

const encode = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
const decode = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8')
