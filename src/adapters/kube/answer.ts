import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { ApiError } from './api-error.ts'

/** Reads the JSON of an answer or of a watch line. */
export function parseObject(body: Buffer | string): KubeObject {
  const text = typeof body === 'string' ? body : body.toString('utf8')
  try {
    return JSON.parse(text) as KubeObject
  } catch (cause) {
    throw new SluiceError('KUBE_UNREACHABLE', `the server's answer is not JSON: ${JSON.stringify(text.slice(0, 80))}`, {
      cause,
      retry: 'backoff',
      hint: 'check that the kubeconfig names a Kubernetes API',
    })
  }
}

/** The error that an answer of 400 and above carries: its Status, or its text when it has none. */
export function answerError({ status, body }: { readonly status: number; readonly body: Buffer }): ApiError {
  const text = body.toString('utf8')
  const found = statusIn(text)
  return found ? statusError(found, status) : new ApiError(status, '', text.trim().slice(0, 2000) || `HTTP ${status}`)
}

/** The error of a `Status` object, as in a watch's ERROR event. */
export function statusError(status: KubeObject, code = 500): ApiError {
  const { code: said, reason, message, details } = status
  return new ApiError(
    typeof said === 'number' && said > 0 ? said : code,
    typeof reason === 'string' ? reason : '',
    typeof message === 'string' ? message : `HTTP ${code}`,
    details ?? {},
  )
}

function statusIn(text: string): KubeObject | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    const found = JSON.parse(text) as KubeObject
    return found.kind === 'Status' ? found : undefined
  } catch {
    return undefined
  }
}
