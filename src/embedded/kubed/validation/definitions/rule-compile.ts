import { celTypeOf, type CelScope } from '../../../../lib/cel/compile.ts'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'

/** Why a text can never be a rule; undefined when it can. */
export function ruleFault(text: string, scope: CelScope): string | undefined {
  const { type, fault } = compiled(text, scope)
  if (fault !== undefined) return `compilation failed: ${fault}`
  return type === 'bool' || type === 'dyn' ? undefined : 'cel expression must evaluate to a bool'
}

/** Why a text can never tell what is wrong; undefined when it can. */
export function messageFault(text: string, scope: CelScope): string | undefined {
  const { type, fault } = compiled(text, scope)
  if (fault !== undefined) return `messageExpression compilation failed: ${fault}`
  return type === 'string' || type === 'dyn' ? undefined : 'messageExpression must evaluate to a string'
}

/** Strings are blanked, so that they name nothing. */
export const withoutStrings = (text: string): string =>
  text.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, (found) => ' '.repeat(found.length))

/** A walk that makes a map of maps: taken here, refused by name where an object is checked. */
const MAP_ENTRIES = /\.transformMapEntry\(/

function compiled(text: string, scope: CelScope): { readonly type?: string; readonly fault?: string } {
  if (MAP_ENTRIES.test(text)) return { type: 'dyn' }
  try {
    const type = celTypeOf(text, scope)
    const fault = unknownField(text, scope)
    return fault === undefined ? { type } : { fault }
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    // Objects of one type are compared field by field, which the checker of types does not know.
    if (/'_[!=]=_' applied to '\((.+), \1\)'/.test(error.message)) return { type: 'dyn' }
    return { fault: error.message.slice(Math.max(error.message.indexOf('ERROR: '), 0)) }
  }
}

/** A field that is asked for with `has` and never there: the checker of types does not look at those. */
function unknownField(text: string, { variables, structs }: CelScope): string | undefined {
  for (const found of withoutStrings(text).matchAll(/(?<![\w.])has\(\s*([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*)+)\s*\)/g)) {
    const [, variable = '', chain = ''] = found
    let type = variables[variable]
    for (const field of chain.slice(1).split('.')) {
      const struct: Readonly<Record<string, string>> | undefined = type === undefined ? undefined : structs[type]
      if (struct === undefined) break
      type = struct[field]
      if (type === undefined) return located(text, found.index + 'has'.length, `undefined field '${field}'`)
    }
  }
  return undefined
}

const located = (text: string, at: number, why: string): string =>
  `ERROR: <input>:1:${at + 1}: ${why}\n | ${text}\n | ${'.'.repeat(at)}^`
