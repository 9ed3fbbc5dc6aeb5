import { SluiceError } from '../../lib/error/sluice-error.ts'
import { evaluateText, type Scope } from './expression.ts'
import type { Template } from './template.ts'

/** Timers cannot wait longer, and no job of GitHub's may: 24 days. */
const LONGEST_MINUTES = (2 ** 31 - 1) / 60_000

/**
 * Evaluates `timeout-minutes` of a job or step; `otherwise` when it is absent, empty or, as at GitHub, not above zero.
 *
 * @throws SluiceError WORKFLOW_INVALID with `file:line:column` when it is no number
 */
export function evaluateMinutes(template: Template | undefined, scope: Scope, otherwise: number): number {
  const text = evaluateText(template, scope) ?? ''
  const minutes = text === '' ? 0 : Number(text)
  if (Number.isNaN(minutes)) {
    const where = template && { where: `${scope.file}:${template.at.line}:${template.at.column}` }
    throw new SluiceError('WORKFLOW_INVALID', `timeout-minutes is "${text}", which is no number`, where)
  }
  return Math.min(minutes > 0 ? minutes : otherwise, LONGEST_MINUTES)
}
