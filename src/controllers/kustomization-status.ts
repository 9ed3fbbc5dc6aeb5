import {
  fillConditions,
  keptCondition,
  kubeTime,
  type StatusCondition,
  type WishedCondition,
} from '../kinds/conditions.ts'
import { renderDuration } from '../kinds/duration.ts'
import type { HistoryEntry, InventoryEntry, Kustomization } from '../kinds/kustomization.ts'
import { handledRequest, isReady, readyOf } from '../kinds/flux-object.ts'

/** Where a reconcile was when it stopped, in Flux's words. */
export type Phase = 'Fetching manifests' | 'Building manifests' | 'Detecting drift' | 'Running health checks'

/** How a reconcile ended. */
export type Ending = {
  readonly kustomization: Kustomization
  readonly nowMs: number
  readonly tookMs: number
  readonly revision: string
  readonly originRevision?: string
  /** Digest of the built objects; absent when the build failed. */
  readonly digest?: string
  /** What the cluster holds for this Kustomization now; absent: as before. */
  readonly inventory?: readonly InventoryEntry[]
}

const HISTORY_LENGTH = 5
const RETRY = 'ProgressingWithRetry'

/** The status after all went well. `healthyAfterMs` is how long the health check took; absent when there was none. */
export function succeededStatus(ending: Ending, healthyAfterMs: number | undefined): Readonly<Record<string, unknown>> {
  const { kustomization, revision } = ending
  const reason = 'ReconciliationSucceeded'
  const wishes: WishedCondition[] = [
    { type: 'Ready', status: 'True', reason, message: `Applied revision: ${revision}` },
  ]
  if (healthyAfterMs !== undefined)
    wishes.push({
      type: 'Healthy',
      status: 'True',
      reason: 'Succeeded',
      message: `Health check passed in ${renderDuration(healthyAfterMs)}`,
    })
  return {
    ...attempted(ending, reason),
    conditions: fill(ending, wishes),
    lastAppliedRevision: revision,
    lastAppliedOriginRevision: ending.originRevision,
    observedGeneration: kustomization.generation,
  }
}

/** The status after a failure that is tried again: what went on last stays standing beside it. */
export function failedStatus(
  ending: Ending,
  phase: Phase,
  reason: string,
  message: string,
  unhealthy?: string,
): Readonly<Record<string, unknown>> {
  const { kustomization, revision } = ending
  const progress = progressText(kustomization, revision, phase)
  const wishes: WishedCondition[] = [
    { type: 'Reconciling', status: 'True', reason: RETRY, message: progress },
    { type: 'Ready', status: 'False', reason, message },
  ]
  if (unhealthy === undefined) wishes.push(...keptHealthy(kustomization))
  else wishes.push({ type: 'Healthy', status: 'False', reason, message: unhealthy })
  const base = phase === 'Fetching manifests' ? answered(kustomization) : attempted(ending, reason)
  return { ...base, conditions: fill(ending, wishes) }
}

/** The status while objects become healthy. */
export function waitingStatus(ending: Ending): Readonly<Record<string, unknown>> {
  const { kustomization, revision } = ending
  const message = progressText(kustomization, revision, 'Running health checks')
  const wishes: WishedCondition[] = [
    { type: 'Reconciling', status: 'True', reason: 'Progressing', message },
    { type: 'Ready', status: 'Unknown', reason: 'Progressing', message: 'Reconciliation in progress' },
    { type: 'Healthy', status: 'Unknown', reason: 'Progressing', message },
  ]
  return {
    ...shownStatus(kustomization),
    ...(ending.inventory ? { inventory: { entries: ending.inventory } } : {}),
    lastAttemptedRevision: revision,
    conditions: fill(ending, wishes),
  }
}

/** The status of one that cannot start: Ready=False, and what an earlier try left standing. */
export function blockedStatus(
  kustomization: Kustomization,
  nowMs: number,
  reason: string,
  message: string,
): Readonly<Record<string, unknown>> {
  return {
    ...answered(kustomization),
    conditions: fill({ kustomization, nowMs }, [
      ...keptUnfinished(kustomization),
      { type: 'Ready', status: 'False', reason, message },
      ...keptHealthy(kustomization),
    ]),
  }
}

/** Refusals of what the cluster's owner does not allow: Flux does not call the generation seen for them. */
const UNSEEN = ['AccessDenied', 'FeatureGateDisabled']

/** The status of one that only a change of the object can help. */
export function stalledStatus(
  kustomization: Kustomization,
  nowMs: number,
  reason: string,
  message: string,
): Readonly<Record<string, unknown>> {
  return {
    ...answered(kustomization),
    conditions: fill({ kustomization, nowMs }, [
      { type: 'Stalled', status: 'True', reason, message },
      { type: 'Ready', status: 'False', reason, message },
      ...keptHealthy(kustomization),
    ]),
    ...(UNSEEN.includes(reason) ? {} : { observedGeneration: kustomization.generation }),
  }
}

/** One that is suspended, cannot be deleted yet, or is held by others, answers that it has seen the request, and its generation when it was ready. */
export function suspendedStatus(kustomization: Kustomization): Readonly<Record<string, unknown>> {
  const { conditions, generation } = kustomization
  // A failure goes on to be one that is tried again, whatever the generation.
  const retried = { reason: RETRY, observedGeneration: generation }
  return {
    ...answered(kustomization),
    ...(isReady(kustomization) ? { observedGeneration: generation } : {}),
    ...(readyOf(kustomization)?.status === 'False'
      ? { conditions: conditions.map((one) => (one.type === 'Reconciling' ? { ...one, ...retried } : one)) }
      : {}),
  }
}

/** What stands there; a generation that was never seen is -1, as the definition of the kind has it. */
function shownStatus({ status, observedGeneration }: Kustomization): Readonly<Record<string, unknown>> {
  return { observedGeneration, ...status }
}

/** The same, and which request was seen. */
function answered(kustomization: Kustomization): Readonly<Record<string, unknown>> {
  return { ...shownStatus(kustomization), ...handledRequest(kustomization) }
}

/** `Detecting drift for revision main@sha1:… with a timeout of 9m30s`. */
function progressText({ timeoutMs }: Kustomization, revision: string, phase: Phase): string {
  return `${phase} for revision ${revision} with a timeout of ${renderDuration(timeoutMs)}`
}

function attempted(ending: Ending, result: string): Readonly<Record<string, unknown>> {
  const { kustomization, digest, inventory, revision } = ending
  return {
    ...answered(kustomization),
    ...(digest === undefined ? {} : { history: addHistory(ending, digest, result) }),
    ...(inventory === undefined ? {} : { inventory: { entries: inventory } }),
    lastAttemptedRevision: revision,
  }
}

/** Newest first, one entry a digest and result, with counters, at most five. */
function addHistory(ending: Ending, digest: string, result: string): readonly HistoryEntry[] {
  const { history } = ending.kustomization
  const nowIso = kubeTime(ending.nowMs)
  const isSame = (entry: HistoryEntry): boolean => entry.digest === digest && entry.lastReconciledStatus === result
  const before = history.find(isSame)
  const entry: HistoryEntry = {
    digest,
    firstReconciled: before?.firstReconciled ?? nowIso,
    lastReconciled: nowIso,
    lastReconciledDuration: renderDuration(Math.max(ending.tookMs, 1)),
    lastReconciledStatus: result,
    metadata: {
      revision: ending.revision,
      ...(ending.originRevision === undefined ? {} : { originRevision: ending.originRevision }),
    },
    totalReconciliations: (before?.totalReconciliations ?? 0) + 1,
  }
  return [entry, ...history.filter((other) => !isSame(other))].slice(0, HISTORY_LENGTH)
}

function keptHealthy(kustomization: Kustomization): readonly WishedCondition[] {
  return kept(kustomization, ['Healthy'])
}

/** What did not end before: a try goes on to be one that is tried again. */
function keptUnfinished(kustomization: Kustomization): readonly WishedCondition[] {
  return kept(kustomization, ['Reconciling', 'Stalled']).map((one) =>
    one.type === 'Reconciling' ? { ...one, reason: RETRY, observedGeneration: kustomization.generation } : one,
  )
}

function kept({ conditions }: Kustomization, types: readonly string[]): readonly WishedCondition[] {
  return conditions.filter(({ type }) => types.includes(type)).map(keptCondition)
}

function fill(
  { kustomization, nowMs }: Pick<Ending, 'kustomization' | 'nowMs'>,
  wishes: readonly WishedCondition[],
): readonly StatusCondition[] {
  return fillConditions(kustomization.conditions, wishes, kustomization.generation, kubeTime(nowMs))
}
