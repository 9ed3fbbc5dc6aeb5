import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import { describeRef, type ObjectRef } from '../../../../lib/kube/object.ts'
import { ApiError } from '../../../kube/api-error.ts'

/** Says what was refused as Flux says it: object, step, reason, the server's text. */
export function applyError(ref: ObjectRef, error: unknown, step: 'dry-run failed' | 'apply failed'): Error {
  if (!(error instanceof ApiError)) return error instanceof Error ? error : new Error(String(error))
  const { status, reason, message } = error
  // A field of a wrong type, or that cannot be decoded, is a refusal, though the server calls it its own trouble.
  const isRefusal = /^failed to (create typed patch object|convert new object) /.test(message)
  const retry = isPassing(error) && !isRefusal ? 'backoff' : 'spec'
  const failed = (what: string): SluiceError =>
    new SluiceError('APPLY_FAILED', `${describeRef(ref)} ${what}: ${message}\n`, { retry })
  if (step === 'apply failed') return failed(step)
  if (status === 404) return failed('not found')
  return failed(reason === '' || reason === 'Unknown' ? step : `${step} (${reason})`)
}

/** Whether what went wrong may be over soon: somebody was faster, or the API server has trouble of its own. A refusal waits for another commit. */
export function isPassing(error: unknown): boolean {
  if (error instanceof SluiceError) return error.retry === 'backoff'
  return error instanceof ApiError && (error.status === 409 || error.status === 429 || error.status >= 500)
}
