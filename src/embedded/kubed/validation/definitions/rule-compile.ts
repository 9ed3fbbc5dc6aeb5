import { checkCel, type CelScope } from '../../../../lib/cel/compile.ts'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'

/** What an expression costs at most, or why it can never be one. */
export type Compiled = { readonly cost: number } | { readonly fault: string }

/** Compiles a rule. */
export function compileRule(text: string, scope: CelScope): Compiled {
  return compiled(text, scope, 'bool', {
    failed: 'compilation failed',
    other: 'cel expression must evaluate to a bool',
  })
}

/** Compiles what tells that a rule is broken. */
export function compileMessage(text: string, scope: CelScope): Compiled {
  const other = 'messageExpression must evaluate to a string'
  return compiled(text, scope, 'string', { failed: 'messageExpression compilation failed', other })
}

/** Strings are blanked, so that they name nothing. */
export const withoutStrings = (text: string): string =>
  text.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, (found) => ' '.repeat(found.length))

/** A walk that makes a map of maps: taken here, refused by name where an object is checked. */
const MAP_ENTRIES = /\.transformMapEntry\(/

type Words = { readonly failed: string; readonly other: string }

function compiled(text: string, scope: CelScope, wanted: string, { failed, other }: Words): Compiled {
  if (MAP_ENTRIES.test(text)) return { cost: 0 }
  try {
    const { type, cost } = checkCel(text, scope)
    const fault = unknownField(text, scope)
    if (fault !== undefined) return { fault: `${failed}: ${fault}` }
    return type === wanted || type === 'dyn' ? { cost } : { fault: other }
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    // Objects of one type are compared field by field, and any object with null, which the checker of types does not know.
    if (/'_[!=]=_' applied to '\((object[\w.@]*), (?:\1|null)\)'/.test(error.message)) return { cost: 0 }
    return { fault: `${failed}: ${error.message.slice(Math.max(error.message.indexOf('ERROR: '), 0))}` }
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
