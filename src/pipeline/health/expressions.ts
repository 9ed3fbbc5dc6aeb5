import type { HealthExpression } from '../../kinds/kustomization.ts'
import { type Cel, compileCel, type CelOptions } from '../../lib/cel/compile.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { groupOf, type KubeObject } from '../../lib/kube/object.ts'
import { read } from '../../lib/kube/read.ts'
import type { Judgement } from './kstatus.ts'

/** Judges objects of the kinds that `spec.healthCheckExprs` names; `undefined`: the kind is none of them. */
export type JudgeByExpression = (object: KubeObject) => Judgement | undefined

type Evaluator = { readonly current: Cel; readonly inProgress: Cel | undefined; readonly failed: Cel | undefined }

/**
 * Compiles `spec.healthCheckExprs`: an expression a kind, over the fields of the object; without a kind, for those of the group that have none.
 *
 * An object whose generation has not been seen is in progress whatever the expressions say; then inProgress, failed, current count, in this order.
 * @param guard see {@link CelOptions}
 * @throws SluiceError CEL_INVALID in Flux's words
 */
export function compileHealthExpressions(
  expressions: readonly HealthExpression[],
  guard?: CelOptions['guard'],
): JudgeByExpression {
  const evaluators = new Map<string, Evaluator>()
  expressions.forEach((expression, index) => {
    const { apiVersion, kind = '' } = expression
    const group = groupOf(apiVersion)
    const key = `${group}/${kind}`
    if (evaluators.has(key)) {
      const name = group === '' ? kind : `${kind}.${group}`
      throw invalid(`duplicate custom health check for GroupKind ${name} at healthchecks[${index}]`)
    }
    evaluators.set(key, compileOne(expression, index, guard))
  })
  return (object) => {
    const group = groupOf(object.apiVersion)
    const evaluator = evaluators.get(`${group}/${object.kind}`) ?? evaluators.get(`${group}/`)
    return evaluator && judgeBy(evaluator, object)
  }
}

function compileOne(
  { current, inProgress, failed }: HealthExpression,
  index: number,
  guard: CelOptions['guard'],
): Evaluator {
  const compile = (name: string, text: string): Cel => {
    try {
      return compileCel(text, guard ? { guard } : {})
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error
      throw invalid(`${prefix(index)}: failed to parse the expression ${name}: ${error.message}`)
    }
  }
  if (current === '') throw invalid(`${prefix(index)}: expression Current not specified`)
  return {
    current: compile('Current', current),
    inProgress: inProgress === undefined ? undefined : compile('InProgress', inProgress),
    failed: failed === undefined ? undefined : compile('Failed', failed),
  }
}

function prefix(index: number): string {
  return `failed to create custom status evaluator for healthchecks[${index}]`
}

function invalid(message: string): SluiceError {
  return new SluiceError('CEL_INVALID', message, { where: 'spec.healthCheckExprs' })
}

function judgeBy({ current, inProgress, failed }: Evaluator, object: KubeObject): Judgement {
  const observed = read(object, 'status', 'observedGeneration')
  const generation = read(object, 'metadata', 'generation')
  if (typeof observed === 'number' && typeof generation === 'number' && observed !== generation)
    return { health: 'InProgress', why: `generation is ${generation}, but latest observed generation is ${observed}` }
  try {
    if (inProgress?.evaluateBoolean(object)) return { health: 'InProgress', why: 'by the expression inProgress' }
    if (failed?.evaluateBoolean(object)) return { health: 'Failed', why: 'by the expression failed' }
    if (current.evaluateBoolean(object)) return { health: 'Current', why: 'by the expression current' }
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return { health: 'Unknown', why: error.message }
  }
  return { health: 'InProgress', why: 'no expression is true' }
}
