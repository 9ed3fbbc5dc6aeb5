import type { LookOutcome } from '../../../controllers/source.ts'

type Failed = Extract<LookOutcome, { kind: 'failed' }>

/** Thrown inside a look to end it with an outcome. */
export class LookFailure extends Error {
  readonly outcome: Failed
  constructor(outcome: Failed) {
    super(outcome.message)
    this.outcome = outcome
  }
}

/** Ends a look: what failed, why, and which condition says so. */
export function failLook(condition: Failed['condition'], reason: string, message: string): LookFailure {
  return new LookFailure({ kind: 'failed', condition, reason, message })
}

/** Ends a look for good: only a change of the object helps. */
export function stallLook(condition: Failed['condition'], reason: string, message: string): LookFailure {
  return new LookFailure({ kind: 'failed', condition, reason, message, isStalled: true })
}
