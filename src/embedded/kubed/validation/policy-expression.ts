import { type Cel, compileCel } from '../../../lib/cel/compile.ts'
import { structsAsMaps } from '../../../lib/cel/struct-literals.ts'
import { boundedRule } from './custom/rules-of-schema.ts'

const known = new Map<string, Cel>()
const MOST_KNOWN = 2000

/** An expression of a policy, compiled once. @throws SluiceError CEL_INVALID */
export function policyExpression(text: string): Cel {
  const found = known.get(text) ?? compileCel(structsAsMaps(text), { guard: boundedRule, library: 'kubernetes' })
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(text, found)
  return found
}
