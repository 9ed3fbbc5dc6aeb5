import type { DependencyState } from '../../../controllers/depends-on.ts'
import { compileCel } from '../../../lib/cel/compile.ts'
import { parseDurationMs, renderDuration } from '../../../kinds/duration.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { isRecord } from '../../../lib/value/is-record.ts'
import { remember } from '../../../lib/value/remember.ts'
import { boundedExpression } from '../bounded-expression.ts'

/** Evaluates `dependsOn[].readyExpr` over `self` and `dep`. A text that is no CEL can never work; anything else may, later. */
export function evaluateReadyExpr(
  text: string,
  self: KubeObject,
  dependency: KubeObject,
): NonNullable<DependencyState['expression']> {
  try {
    return { isReady: compile(text).evaluateBoolean({ self: asTyped(self), dep: asTyped(dependency) }) }
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    if (error.code !== 'CEL_INVALID') return { error: error.message, isTerminal: false }
    const failed = `terminal error: failed to evaluate dependency ${dependency.metadata.name}: ${error.message}`
    return { error: `Reconciliation failed terminally due to configuration error: ${failed}`, isTerminal: true }
  }
}

/** Flux reads the object into a type of Go first, which writes `10m` as `10m0s`. */
function asTyped(object: KubeObject): KubeObject {
  const spec = isRecord(object['spec']) ? { ...object['spec'] } : {}
  for (const field of ['interval', 'retryInterval', 'timeout']) {
    const text = spec[field]
    const ms = typeof text === 'string' ? parseDurationMs(text) : undefined
    if (ms !== undefined) spec[field] = renderDuration(ms)
  }
  return { ...object, spec }
}

const compile = remember(1000, (text) =>
  compileCel(text, { variables: ['self', 'dep'], output: 'bool', guard: boundedExpression }),
)
