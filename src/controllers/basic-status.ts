import { fillConditions, kubeTime, type WishedCondition } from '../kinds/conditions.ts'
import { readList } from '../lib/kube/read.ts'
import { FINALIZER, type FluxMeta, handledRequest, isReady, readyOf } from '../kinds/flux-object.ts'

/**
 * What an object may show and tell after a reconcile whose conditions are Ready, Reconciling and Stalled alone: those of image automation, Receivers.
 * Nothing at all when `status` is absent.
 */
export type BasicStatus = {
  readonly status?: Readonly<Record<string, unknown>>
  readonly event?: {
    readonly severity: 'trace' | 'info' | 'error'
    readonly reason: string
    readonly message: string
  }
}

/** An object with the status it shows now. */
export type Shown = FluxMeta & { readonly status: Readonly<Record<string, unknown>> }

/** What every such object needs first: its finalizer on, or off when it is being deleted. */
export function finalizerChange(object: FluxMeta): 'add finalizer' | 'remove finalizer' | 'gone' | undefined {
  const hasIt = object.finalizers.includes(FINALIZER)
  if (object.isDeleting) return hasIt ? 'remove finalizer' : 'gone'
  return hasIt ? undefined : 'add finalizer'
}

/** Ready=True and nothing else. */
export function readyStatus(
  object: Shown,
  nowMs: number,
  message: string,
  fields: object,
): Readonly<Record<string, unknown>> {
  const wishes: WishedCondition[] = [{ type: 'Ready', status: 'True', reason: 'Succeeded', message }]
  return compose(object, nowMs, wishes, { ...fields, observedGeneration: object.generation })
}

/** A failure that will be tried again: the last progress stays as Reconciling, as Flux shows it. */
export function retryStatus(
  object: Shown,
  nowMs: number,
  said: { readonly reason: string; readonly message: string; readonly progress: string },
  fields: object = {},
): Readonly<Record<string, unknown>> {
  const { reason, message, progress } = said
  const wishes: WishedCondition[] = [
    { type: 'Reconciling', status: 'True', reason: 'ProgressingWithRetry', message: progress },
    { type: 'Ready', status: 'False', reason, message },
  ]
  return compose(object, nowMs, wishes, fields)
}

/** A failure that only a change of the object ends. */
export function stalledStatus(
  object: Shown,
  nowMs: number,
  reason: string,
  message: string,
  fields: object = {},
): Readonly<Record<string, unknown>> {
  const wishes: WishedCondition[] = [
    { type: 'Stalled', status: 'True', reason, message },
    { type: 'Ready', status: 'False', reason, message },
  ]
  return compose(object, nowMs, wishes, { ...fields, observedGeneration: object.generation })
}

/**
 * The status and event of a failure that only a change of the object ends. Where the object had failed before, the condition and the event keep saying
 * that: Flux's image-reflector-controller does not overwrite it; safe, it does.
 */
export function stalledNews(
  object: Shown,
  nowMs: number,
  { reason, message }: { readonly reason: string; readonly message: string },
  traps: 'safe' | 'flux',
): Required<BasicStatus> {
  const before = readyOf(object)
  if (traps === 'safe' || before?.status !== 'False')
    return {
      status: stalledStatus(object, nowMs, reason, message),
      event: { severity: 'error', reason, message },
    }
  const stalled = compose(object, nowMs, [{ type: 'Stalled', status: 'True', reason, message }], {})
  return {
    status: {
      ...stalled,
      observedGeneration: object.generation,
      conditions: [...readList(stalled, 'conditions'), before],
    },
    event: { severity: 'error', reason: before.reason, message: before.message },
  }
}

/** Waiting for something else, without a failure. */
export function waitingStatus(object: Shown, nowMs: number, message: string): Readonly<Record<string, unknown>> {
  const wishes: WishedCondition[] = [
    { type: 'Reconciling', status: 'True', reason: 'Progressing', message },
    { type: 'Ready', status: 'Unknown', reason: 'Progressing', message },
  ]
  return compose(object, nowMs, wishes, {})
}

/** A suspended object answers that it has seen the request, and its generation when it is ready. */
export function suspendedStatus(object: Shown): BasicStatus {
  const { status, generation, requestedAt } = object
  if (!isReady(object) && requestedAt === undefined) return {}
  return {
    status: {
      ...status,
      ...(isReady(object) ? { observedGeneration: generation } : {}),
      ...handledRequest(object),
    },
  }
}

/** What others still hold shows that its deletion and the last request were seen. */
export function goneStatus(object: Shown): BasicStatus {
  return object.finalizers.length === 0 ? {} : suspendedStatus(object)
}

/** What is going on, in Flux's words. */
export function progressOf({ observedGeneration, generation }: FluxMeta): string {
  return observedGeneration === generation
    ? 'reconciliation in progress'
    : `processing object: new generation ${observedGeneration} -> ${generation}`
}

function compose(
  object: Shown,
  nowMs: number,
  wishes: readonly WishedCondition[],
  fields: object,
): Readonly<Record<string, unknown>> {
  return {
    ...object.status,
    ...fields,
    ...handledRequest(object),
    conditions: fillConditions(object.conditions, wishes, object.generation, kubeTime(nowMs)),
  }
}
