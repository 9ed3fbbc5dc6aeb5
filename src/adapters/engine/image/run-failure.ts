import type { AutomationOutcome } from '../../../controllers/image-update-automation.ts'

/** Thrown inside a run to end it with an outcome. */
export class RunFailure extends Error {
  readonly outcome: Extract<AutomationOutcome, { kind: 'failed' }>
  constructor(reason: string, message: string, { isStalled = false }: { readonly isStalled?: boolean } = {}) {
    super(message)
    this.outcome = { kind: 'failed', reason, message, ...(isStalled ? { isStalled } : {}) }
  }
}
