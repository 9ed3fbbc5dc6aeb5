import type { FluxMeta } from './flux-object.ts'

/** Whether something is asked for, and the value that is to be noted as handled. */
export type AnnotationRequest = { readonly isAsked: boolean; readonly lastHandled: string }

/**
 * Reads a request that comes on top of a reconcile, as `flux reconcile helmrelease --force` makes one: its annotation repeats the value of
 * `reconcile.fluxcd.io/requestedAt`. One that does not fit is noted as handled, too: it was for a look that is over.
 *
 * @param request the value of the annotation; `undefined` where there is none
 * @param lastHandled what the status has of it; '' for nothing
 */
export function readAnnotationRequest(
  { requestedAt, lastHandledReconcileAt }: Pick<FluxMeta, 'requestedAt' | 'lastHandledReconcileAt'>,
  request: string | undefined,
  lastHandled: string,
): AnnotationRequest {
  if (request === undefined) return { isAsked: false, lastHandled }
  const isAsked = request === requestedAt && request !== lastHandledReconcileAt && request !== lastHandled
  return { isAsked, lastHandled: request }
}
