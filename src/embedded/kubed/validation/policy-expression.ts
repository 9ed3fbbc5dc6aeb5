import { type Cel, compileCel } from '../../../lib/cel/compile.ts'
import { structsAsMaps } from '../../../lib/cel/struct-literals.ts'
import { goQuote } from '../../../lib/value/go-quote.ts'
import { boundedRule } from './custom/rules-of-schema.ts'

const known = new Map<string, Cel>()
const MOST_KNOWN = 2000

/** An expression of a policy, compiled once; one that fails says so as the API server does. @throws SluiceError CEL_INVALID */
export function policyExpression(text: string): Cel {
  return compiled(text, text, (why) => `expression '${text}' resulted in error: ${why}`)
}

/** The expression of a variable that a policy declares, compiled once. @throws SluiceError CEL_INVALID */
export function policyVariable(name: string, text: string): Cel {
  const tell = (why: string): string => `composited variable ${goQuote(name)} fails to evaluate: ${why}`
  return compiled(`${name}\0${text}`, text, tell)
}

function compiled(key: string, text: string, tell: (why: string) => string): Cel {
  const found = known.get(key) ?? compileCel(structsAsMaps(text), { guard: boundedRule, library: 'policies', tell })
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(key, found)
  return found
}
