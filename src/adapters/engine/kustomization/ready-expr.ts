import { parse } from '@marcbachmann/cel-js'
import type { DependencyState } from '../../../controllers/depends-on.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'

/** Evaluates `dependsOn[].readyExpr` over `self` and `dep`. A text that is no CEL can never work; anything else may, later. */
export function evaluateReadyExpr(
  text: string,
  self: KubeObject,
  dependency: KubeObject,
): NonNullable<DependencyState['expression']> {
  let evaluate: (context: Record<string, unknown>) => unknown
  try {
    evaluate = parse(text)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const failed = `terminal error: failed to evaluate dependency ${dependency.metadata.name}: failed to parse the CEL expression '${text}': ${why}`
    return { error: `Reconciliation failed terminally due to configuration error: ${failed}`, isTerminal: true }
  }
  try {
    return { isReady: evaluate({ self, dep: dependency }) === true }
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).split('\n')[0]?.toLowerCase()
    return { error: `failed to evaluate the CEL expression '${text}': ${why}`, isTerminal: false }
  }
}
