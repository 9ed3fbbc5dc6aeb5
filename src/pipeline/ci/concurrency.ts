import { SluiceError } from '../../lib/error/sluice-error.ts'
import { evaluateTemplate, type Scope } from './expression.ts'
import type { Json, Template } from './template.ts'

/** A group of which one member runs at a time. */
export type Concurrency = {
  /** Compared without case, as GitHub does. */
  readonly group: string
  readonly cancelsRunning: boolean
  /** `queue: max`: who waits is not displaced by who comes later. */
  readonly keepsQueue: boolean
}

/**
 * Evaluates `concurrency` of a workflow or job.
 *
 * @throws SluiceError WORKFLOW_INVALID when the group has no name
 * @see https://docs.github.com/actions/using-jobs/using-concurrency
 */
export function evaluateConcurrency(template: Template | undefined, scope: Scope): Concurrency | undefined {
  if (template === undefined) return undefined
  const value = evaluateTemplate(template, scope)
  const fields: ReadonlyMap<string, Json> = new Map(
    value !== null && typeof value === 'object' ? Object.entries(value) : [['group', value]],
  )
  const group = String(fields.get('group') ?? '').toLowerCase()
  if (group === '') {
    const where = `${scope.file}:${template.at.line}:${template.at.column}`
    throw new SluiceError('WORKFLOW_INVALID', 'the concurrency group has no name', { where })
  }
  const cancelsRunning = [true, 'true'].some((yes) => fields.get('cancel-in-progress') === yes)
  return { group, cancelsRunning, keepsQueue: fields.get('queue') === 'max' }
}
