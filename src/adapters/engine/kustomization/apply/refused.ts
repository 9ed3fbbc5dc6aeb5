import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import { describeRef, type ObjectRef } from '../../../../lib/kube/object.ts'
import { ApiError } from '../../../kube/api-error.ts'

/** Says what was refused as Flux says it: object, step, reason, the server's text. */
export function applyError(ref: ObjectRef, error: unknown, step: 'dry-run failed' | 'apply failed'): Error {
  if (!(error instanceof ApiError)) return error instanceof Error ? error : new Error(String(error))
  const { status, reason, message } = error
  // The server's own trouble passes; a refusal waits for another commit. A field of a wrong type, or that cannot be decoded, is one, though the server calls it its own.
  const isTrouble = status >= 500 && !/^failed to (create typed patch object|convert new object) /.test(message)
  const retry = status === 409 || status === 429 || isTrouble ? 'backoff' : 'spec'
  const failed = (what: string): SluiceError =>
    new SluiceError('APPLY_FAILED', `${describeRef(ref)} ${what}: ${message}\n`, { retry })
  if (step === 'apply failed') return failed(step)
  if (status === 404) return failed('not found')
  return failed(reason === '' || reason === 'Unknown' ? step : `${step} (${reason})`)
}
