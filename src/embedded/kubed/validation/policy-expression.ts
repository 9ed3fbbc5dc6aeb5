import { type Cel, compileCel } from '../../../lib/cel/compile.ts'
import { structsAsMaps } from '../../../lib/cel/struct-literals.ts'
import { goQuote } from '../../../lib/value/go-quote.ts'
import { remember } from '../../../lib/value/remember.ts'
import { boundedRule } from './custom/rules-of-schema.ts'

const MOST_KNOWN = 2000

/** An expression of a policy, compiled once; one that fails says so as the API server does. @throws SluiceError CEL_INVALID */
export const policyExpression: (text: string) => Cel = remember(MOST_KNOWN, (text) =>
  compiled(text, (why) => `expression '${text}' resulted in error: ${why}`),
)

/** The expression of a variable that a policy declares, compiled once. @throws SluiceError CEL_INVALID */
export function policyVariable(name: string, text: string): Cel {
  return variableOf(`${name}\0${text}`)
}

const variableOf = remember(MOST_KNOWN, (key) => {
  const end = key.indexOf('\0')
  const name = key.slice(0, end)
  return compiled(key.slice(end + 1), (why) => `composited variable ${goQuote(name)} fails to evaluate: ${why}`)
})

function compiled(text: string, tell: (why: string) => string): Cel {
  return compileCel(structsAsMaps(text), { guard: boundedRule, library: 'policies', tell })
}
