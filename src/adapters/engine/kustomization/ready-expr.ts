import type { DependencyState } from '../../../controllers/depends-on.ts'
import { compileCel, type Cel } from '../../../lib/cel/compile.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { boundedExpression } from '../bounded-expression.ts'

const compiled = new Map<string, Cel>()
const MOST_COMPILED = 1000

/** Evaluates `dependsOn[].readyExpr` over `self` and `dep`. A text that is no CEL can never work; anything else may, later. */
export function evaluateReadyExpr(
  text: string,
  self: KubeObject,
  dependency: KubeObject,
): NonNullable<DependencyState['expression']> {
  try {
    return { isReady: compile(text).evaluateBoolean({ self, dep: dependency }) }
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    if (error.code !== 'CEL_INVALID') return { error: error.message, isTerminal: false }
    const failed = `terminal error: failed to evaluate dependency ${dependency.metadata.name}: ${error.message}`
    return { error: `Reconciliation failed terminally due to configuration error: ${failed}`, isTerminal: true }
  }
}

function compile(text: string): Cel {
  const found =
    compiled.get(text) ?? compileCel(text, { variables: ['self', 'dep'], output: 'bool', guard: boundedExpression })
  if (compiled.size >= MOST_COMPILED) compiled.clear()
  compiled.set(text, found)
  return found
}
