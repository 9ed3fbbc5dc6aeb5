import type { Decision } from '../engine/decision.ts'
import { jitterMs } from '../engine/backoff.ts'
import { BACKOFF } from '../engine/controller.ts'
import { renderDuration, renderInterval } from '../kinds/duration.ts'
import { FINALIZER, isReady } from '../kinds/flux-object.ts'
import type { InventoryEntry, Kustomization } from '../kinds/kustomization.ts'
import { blockedBy, type DependencyState } from './depends-on.ts'
import {
  blockedStatus,
  failedStatus,
  stalledStatus,
  succeededStatus,
  suspendedStatus,
  waitingStatus,
  type Ending,
  type Phase,
} from './kustomization-status.ts'
import { describeRef } from '../lib/kube/object.ts'
import { summarize, type Checked } from '../pipeline/health/summarize.ts'

/** What the source of a Kustomization offers. */
export type SourceState =
  | { readonly kind: 'missing'; readonly message: string }
  | {
      readonly kind: 'no artifact'
      /** The source is so new that it has said nothing yet: how long it may stay silent before that is told. */
      readonly graceMs?: number
    }
  | {
      readonly kind: 'ready'
      readonly revision: string
      readonly digest: string
      /** The commit that the source was made from, when that is another thing than its revision. */
      readonly originRevision?: string
    }

/** A step that went wrong. */
export type StepFailure = {
  readonly phase: Phase
  readonly reason: string
  readonly message: string
  /** What the record says when it is not the message: the same with the place in Git first. */
  readonly cause?: string
  /** What the event says when it is not the message. */
  readonly eventMessage?: string
  /** What Healthy says of it, when it is a fault of the health check. */
  readonly unhealthy?: string
  /** The API server's own trouble: tried again by backoff, not only after `retryInterval`. */
  readonly passes?: boolean
}

/** What has been done so far for one revision; every field is filled by one act. */
export type Attempt = {
  readonly revision: string
  readonly originRevision?: string
  readonly digest: string
  readonly generation: number
  readonly requestedAt: string | undefined
  readonly startedMs: number
  readonly failure?: StepFailure
  readonly build?: { readonly digest: string }
  /** What the cluster holds after the apply: the new inventory, and what could not be pruned. */
  readonly inventory?: readonly InventoryEntry[]
  readonly isPruned?: boolean
  /** Something was created or configured. */
  readonly hasChanged?: boolean
  /** When this attempt, or one before it, last created or configured something. */
  readonly changedMs?: number
  /** The health check before this attempt had passed. */
  readonly wasHealthy: boolean
  readonly healthStartedMs?: number
}

/** Everything that the decision about a Kustomization needs. */
export type KustomizationSeen = {
  readonly kustomization: Kustomization
  /** The time that is told. */
  readonly nowMs: number
  /** The time that nobody sets: that of an attempt's steps. */
  readonly monotonicMs: number
  /** After what time a missing source or dependency is looked at again, besides when it changes. */
  readonly dependencyRetryMs: number
  /** In [0, 1). */
  readonly random: number
  /** How long until a reconcile is due; 0 or less: now. */
  readonly dueInMs: number
  /** Objects of a deleted Kustomization are still going: how long until the next look. */
  readonly terminationLookInMs: number
  readonly source: SourceState
  readonly dependencies: readonly DependencyState[]
  /** Being blocked by dependencies has not been told for this revision yet. */
  readonly isBlockNews: boolean
  /** The cycle of dependencies that this one is in. */
  readonly cycle?: readonly string[]
  /** A field that this version does not serve, or a value that can never work. */
  readonly refusal?: { readonly reason: string; readonly message: string }
  readonly attempt?: Attempt
  /** How long objects may take to become healthy before that is worth a status. */
  readonly healthGraceMs: number
  /** Judgements of the objects whose health counts; filled once the health check has begun. */
  readonly health: readonly Checked[]
}

/** What a Kustomization may need done. */
export type KustomizationChange =
  'add finalizer' | 'finalize' | 'begin' | 'build' | 'apply' | 'prune' | 'begin health check'

/** What to write and tell. */
export type KustomizationStatus = {
  readonly status?: Readonly<Record<string, unknown>>
  readonly events?: readonly {
    readonly severity: 'trace' | 'info' | 'error'
    readonly reason: string
    readonly message: string
    readonly revision: string
    readonly originRevision?: string
    readonly isCommitStatus?: boolean
    /** Nobody needs to hear of it: it was ready and nothing but the revision has changed, or it took but a moment. */
    readonly isRoutine?: boolean
  }[]
  /** The attempt is over; facts may be told. */
  readonly ended?: 'succeeded' | 'failed'
  readonly cause?: string
  /** What a health check that failed waited for: `Deployment/default/web`. */
  readonly unhealthy?: readonly string[]
}

type Answer = Decision<KustomizationChange, KustomizationStatus>

const SETTLE_MS = 5_000

/** Decides the next step of a Kustomization; called again after every step until it waits or is done. */
export function decideKustomization(seen: KustomizationSeen): Answer {
  const { kustomization, attempt } = seen
  const hasFinalizer = kustomization.finalizers.includes(FINALIZER)
  if (kustomization.isDeleting && hasFinalizer && seen.terminationLookInMs > 0)
    return { kind: 'wait', afterMs: seen.terminationLookInMs, status: {} }
  if (kustomization.isDeleting) return hasFinalizer ? act('finalize') : letGo(kustomization)
  if (!hasFinalizer) return act('add finalizer')
  if (kustomization.isSuspended) return decideSuspended(seen)
  if (attempt === undefined && seen.dueInMs > 0) return { kind: 'done', status: {}, againAfterMs: seen.dueInMs }
  if (seen.refusal) return stalled(seen, seen.refusal.reason, seen.refusal.message, '')
  const blocked = sourceBlock(seen) ?? dependencyBlock(seen)
  if (blocked) return blocked
  if (attempt === undefined || isOutdated(seen, attempt)) return act('begin')
  return decideAttempt(seen, attempt)
}

/** What was applied before is still judged, as Flux does: nobody else would end the status that says so. */
function decideSuspended(seen: KustomizationSeen): Answer {
  const { kustomization, attempt } = seen
  if (attempt?.healthStartedMs !== undefined && attempt.failure === undefined)
    return decideHealth(seen, attempt, attempt.healthStartedMs)
  return { kind: 'done', status: { status: suspendedStatus(kustomization) } }
}

/** What others still hold shows that its deletion was seen. */
function letGo(kustomization: Kustomization): Answer {
  const isHeld = kustomization.finalizers.length > 0
  return { kind: 'done', status: isHeld ? { status: suspendedStatus(kustomization) } : {} }
}

function decideAttempt(seen: KustomizationSeen, attempt: Attempt): Answer {
  if (attempt.failure) return failed(seen, attempt, attempt.failure)
  if (attempt.build === undefined) return act('build')
  if (attempt.inventory === undefined) return act('apply')
  if (!attempt.isPruned) return act('prune')
  const { wait, healthChecks } = seen.kustomization
  if (!wait && healthChecks.length === 0) return succeeded(seen, attempt, undefined)
  if (attempt.healthStartedMs === undefined) return act('begin health check')
  return decideHealth(seen, attempt, attempt.healthStartedMs)
}

function decideHealth(seen: KustomizationSeen, attempt: Attempt, startedMs: number): Answer {
  const { kustomization, monotonicMs, healthGraceMs } = seen
  const verdict = summarize(seen.health)
  // There was nothing to wait for.
  if (kustomization.wait && seen.health.length === 0) return succeeded(seen, attempt, undefined)
  if (verdict.kind === 'healthy') return succeeded(seen, attempt, monotonicMs - startedMs)
  const leftMs = startedMs + kustomization.timeoutMs - monotonicMs
  const graceMs = startedMs + healthGraceMs - monotonicMs
  if (verdict.kind === 'waiting' && graceMs > 0) return { kind: 'wait', afterMs: Math.min(graceMs, leftMs), status: {} }
  // A Deployment that goes back to what it was still shows the end of the rollout before; Flux looks again after five seconds.
  const settlesInMs = Math.min((attempt.changedMs ?? -SETTLE_MS) + SETTLE_MS - monotonicMs, leftMs)
  if (verdict.kind === 'stalled' && settlesInMs > 0) return { kind: 'wait', afterMs: settlesInMs, status: {} }
  if (verdict.kind === 'waiting' && leftMs > 0)
    return {
      kind: 'wait',
      afterMs: leftMs,
      status: kustomization.isSuspended ? {} : { status: waitingStatus(endingOf(seen, attempt)) },
    }
  const why =
    verdict.kind === 'stalled'
      ? `failed early due to stalled resources: [${verdict.objects}]`
      : `timeout waiting for: [${verdict.objects}]`
  const message = `health check failed after ${renderDuration(precise(monotonicMs - startedMs, seen.random))}: ${why}`
  const failure = { phase: 'Running health checks', reason: 'HealthCheckFailed', message } as const
  return failed(seen, attempt, failure, { why, objects: verdict.open.map(describeRef) })
}

/** A newer revision, object or request: what was begun is not worth finishing. Only while waiting for health can it happen. */
function isOutdated({ kustomization, source }: KustomizationSeen, attempt: Attempt): boolean {
  if (attempt.failure !== undefined) return false
  return (
    (source.kind === 'ready' && (source.revision !== attempt.revision || source.digest !== attempt.digest)) ||
    kustomization.generation !== attempt.generation ||
    kustomization.requestedAt !== attempt.requestedAt
  )
}

function sourceBlock({ source, kustomization, nowMs, dependencyRetryMs }: KustomizationSeen): Answer | undefined {
  if (source.kind === 'ready') return undefined
  if (source.kind === 'no artifact' && source.graceMs !== undefined && source.graceMs > 0)
    return { kind: 'wait', afterMs: source.graceMs, status: {} }
  const again = renderDuration(dependencyRetryMs)
  const message = source.kind === 'missing' ? source.message : `Source artifact not found, retrying in ${again}`
  return {
    kind: 'wait',
    afterMs: dependencyRetryMs,
    status: { status: blockedStatus(kustomization, nowMs, 'ArtifactFailed', message) },
  }
}

function dependencyBlock(seen: KustomizationSeen): Answer | undefined {
  const { kustomization, nowMs, source, dependencies, cycle, dependencyRetryMs } = seen
  if (source.kind !== 'ready' || dependencies.length === 0) return undefined
  const block = blockedBy(kustomization, source.revision, dependencies)
  if (!block) return undefined
  if (block.isTerminal) return stalled(seen, 'InvalidCELExpression', block.message, source.revision)
  const message = cycle ? `${block.message}: dependency cycle ${cycle.join(' -> ')}` : block.message
  return {
    kind: 'wait',
    afterMs: dependencyRetryMs,
    status: {
      status: blockedStatus(kustomization, nowMs, 'DependencyNotReady', message),
      events: seen.isBlockNews ? [blockEvent(source.revision, dependencyRetryMs)] : [],
    },
  }
}

function blockEvent(revision: string, againAfterMs: number): NonNullable<KustomizationStatus['events']>[number] {
  const message = `Dependencies do not meet ready condition, retrying in ${renderDuration(againAfterMs)}`
  return { severity: 'info', reason: 'DependencyNotReady', message, revision }
}

function stalled(
  { kustomization, nowMs }: KustomizationSeen,
  reason: string,
  message: string,
  revision: string,
): Answer {
  const status = stalledStatus(kustomization, nowMs, reason, message)
  return { kind: 'done', status: { status, events: [{ severity: 'error', reason, message, revision }] } }
}

function failed(
  seen: KustomizationSeen,
  attempt: Attempt,
  failure: StepFailure,
  unhealthy?: { readonly why: string; readonly objects: readonly string[] },
): Answer {
  const { phase, reason, message, eventMessage } = failure
  const status = failedStatus(endingOf(seen, attempt), phase, reason, message, unhealthy?.why ?? failure.unhealthy)
  const event = { severity: 'error', reason, message: eventMessage ?? message, ...revisionsOf(attempt) } as const
  return {
    kind: 'wait',
    afterMs: failure.passes ? BACKOFF : seen.kustomization.retryIntervalMs,
    status: {
      status,
      events: [event],
      ended: 'failed',
      cause: message.trim(),
      ...(unhealthy && { unhealthy: unhealthy.objects }),
    },
  }
}

function succeeded(seen: KustomizationSeen, attempt: Attempt, healthyAfterMs: number | undefined): Answer {
  const { kustomization, monotonicMs } = seen
  const revisions = revisionsOf(attempt)
  const took = renderDuration(precise(monotonicMs - attempt.startedMs, seen.random))
  const next = renderInterval(kustomization.intervalMs)
  const reason = 'ReconciliationSucceeded'
  const finished = `Reconciliation finished in ${took}, next run in ${next}`
  const isRoutine = isNothingNew(kustomization, attempt)
  const events = [
    { severity: 'info', reason, message: finished, ...revisions, isCommitStatus: true, isRoutine } as const,
  ]
  const passed =
    healthyAfterMs === undefined || !isHealthNews(kustomization, attempt)
      ? []
      : [
          {
            severity: 'info',
            reason: 'Progressing',
            message: `Health check passed in ${renderDuration(precise(healthyAfterMs, seen.random))}`,
            ...revisions,
            // The end of the reconcile follows at once and says it, too.
            isRoutine: healthyAfterMs < seen.healthGraceMs,
          } as const,
        ]
  return {
    kind: 'done',
    status: {
      status: succeededStatus(
        endingOf(seen, attempt),
        healthyAfterMs === undefined ? undefined : precise(healthyAfterMs, seen.random),
      ),
      events: [...passed, ...events],
      ended: 'succeeded',
    },
    againAfterMs: jitterMs(kustomization.intervalMs, seen.random),
  }
}

function revisionsOf({ revision, originRevision }: Attempt): Pick<Attempt, 'revision' | 'originRevision'> {
  return { revision, ...(originRevision === undefined ? {} : { originRevision }) }
}

/** It was ready, and the attempt has neither changed nor removed an object. */
function isNothingNew(kustomization: Kustomization, attempt: Attempt): boolean {
  const isSameCount = kustomization.inventory.length === attempt.inventory?.length
  return isReady(kustomization) && attempt.hasChanged === false && isSameCount
}

/** That all is healthy is told after it was not, and after a new revision changed something. */
function isHealthNews({ lastAppliedRevision }: Kustomization, attempt: Attempt): boolean {
  return !attempt.wasHealthy || (lastAppliedRevision !== attempt.revision && attempt.hasChanged === true)
}

/** The clock counts whole milliseconds; Flux's texts have parts of them, which keeps equal news apart. */
function precise(ms: number, random: number): number {
  return Math.max(ms, 1) + Math.round(random * 998 + 1) / 1000
}

function endingOf({ kustomization, nowMs, monotonicMs }: KustomizationSeen, attempt: Attempt): Ending {
  const { revision, originRevision, startedMs, build, inventory } = attempt
  return {
    kustomization,
    nowMs,
    tookMs: monotonicMs - startedMs,
    revision,
    ...(originRevision === undefined ? {} : { originRevision }),
    ...(build ? { digest: build.digest } : {}),
    ...(inventory ? { inventory } : {}),
  }
}

function act(change: KustomizationChange): Answer {
  return { kind: 'act', changes: [change] }
}
