import type { Decision } from '../engine/decision.ts'
import { backoffMs, jitterMs } from '../engine/backoff.ts'
import { fillConditions, kubeTime, type StatusCondition, type WishedCondition } from '../kinds/conditions.ts'
import { FINALIZER } from '../kinds/flux-object.ts'
import type { ArtifactStatus, GitRepository } from '../kinds/git-repository.ts'

/** What a look at the remote found. */
export type LookOutcome =
  | { readonly kind: 'unchanged'; readonly revision: string }
  | {
      readonly kind: 'stored'
      readonly artifact: ArtifactStatus
      readonly included: readonly ArtifactStatus[]
      readonly commitMessage: string
    }
  | {
      readonly kind: 'failed'
      readonly reason: string
      readonly message: string
      /** The condition that says it besides Ready. */
      readonly condition: 'FetchFailed' | 'IncludeUnavailable' | 'SourceVerified' | 'StorageOperationFailed'
      /** Only a change of the object helps. */
      readonly isStalled?: boolean
    }

/** Everything that the decision about a GitRepository needs. */
export type GitRepositorySeen = {
  readonly repository: GitRepository
  readonly nowMs: number
  /** In [0, 1). */
  readonly random: number
  /** How long until the remote must be looked at again; 0 or less: now. */
  readonly dueInMs: number
  /** Failed looks in a row, this one included. */
  readonly failures: number
  /** What the look of this reconcile found; absent before it. */
  readonly outcome?: LookOutcome
}

/** What a GitRepository may need done. */
export type GitRepositoryChange = 'add finalizer' | 'remove artifacts and finalizer' | 'look at the remote'

/** What to write and tell; nothing at all when `status` is absent. */
export type GitRepositoryStatus = {
  /** When the remote is looked at again by itself; absent: as planned before. */
  readonly nextLookInMs?: number
  readonly status?: Readonly<Record<string, unknown>>
  readonly event?: {
    readonly severity: 'trace' | 'info' | 'error'
    readonly reason: string
    readonly message: string
    readonly annotations?: Readonly<Record<string, string>>
  }
}

const JITTER = 0.05
/** Only a change of the object or a request brings it back. */
const NEVER_MS = Number.MAX_SAFE_INTEGER / 4

/** Decides what a GitRepository needs: finalizer, a look at the remote when one is due, then the status that says what it found. */
export function decideGitRepository(seen: GitRepositorySeen): Decision<GitRepositoryChange, GitRepositoryStatus> {
  const { repository, outcome } = seen
  const hasFinalizer = repository.finalizers.includes(FINALIZER)
  if (repository.isDeleting)
    return hasFinalizer ? { kind: 'act', changes: ['remove artifacts and finalizer'] } : { kind: 'done', status: {} }
  if (!hasFinalizer) return { kind: 'act', changes: ['add finalizer'] }
  if (repository.isSuspended) return { kind: 'done', status: suspendedStatus(repository) }
  if (outcome === undefined && seen.dueInMs > 0) return { kind: 'done', status: {}, againAfterMs: seen.dueInMs }
  if (outcome === undefined) return { kind: 'act', changes: ['look at the remote'] }
  if (outcome.kind !== 'failed') {
    const againAfterMs = jitterMs(repository.intervalMs, JITTER, seen.random)
    const status = { status: readyStatus(seen, outcome), ...eventOf(repository, outcome), nextLookInMs: againAfterMs }
    return { kind: 'done', status, againAfterMs }
  }
  const status = failedStatus(seen, outcome)
  if (outcome.isStalled) return { kind: 'done', status: { ...status, nextLookInMs: NEVER_MS } }
  const afterMs = Math.min(backoffMs(seen.failures), repository.intervalMs)
  return { kind: 'wait', afterMs, status: { ...status, nextLookInMs: afterMs } }
}

/** A suspended object only answers that it has seen its generation. */
function suspendedStatus({ conditions, generation, requestedAt, status }: GitRepository): GitRepositoryStatus {
  if (conditions.length === 0) return {}
  return {
    status: {
      ...status,
      conditions: conditions.map((condition) =>
        condition.type === 'Ready' ? { ...condition, observedGeneration: generation } : condition,
      ),
      observedGeneration: generation,
      ...(requestedAt === '' ? {} : { lastHandledReconcileAt: requestedAt }),
    },
  }
}

function readyStatus(
  { repository, nowMs }: GitRepositorySeen,
  outcome: Exclude<LookOutcome, { kind: 'failed' }>,
): Readonly<Record<string, unknown>> {
  const revision = outcome.kind === 'stored' ? outcome.artifact.revision : outcome.revision
  const said = { status: 'True', reason: 'Succeeded', message: `stored artifact for revision '${revision}'` } as const
  const artifact = outcome.kind === 'stored' ? outcome.artifact : repository.artifact
  const included = outcome.kind === 'stored' ? outcome.included : repository.status['includedArtifacts']
  return {
    ...observedConfig(repository),
    ...(Array.isArray(included) && included.length > 0 ? { includedArtifacts: included } : {}),
    artifact,
    conditions: fill(repository, nowMs, [
      { type: 'Ready', ...said },
      { type: 'ArtifactInStorage', ...said },
    ]),
    ...handled(repository),
    observedGeneration: repository.generation,
  }
}

/** What of the spec went into the artifact, as Flux notes it. */
function observedConfig(repository: GitRepository): Readonly<Record<string, unknown>> {
  const { ignore, include, recurseSubmodules, sparseCheckout } = repository
  return {
    ...(ignore === undefined ? {} : { observedIgnore: ignore }),
    ...(include.length === 0 ? {} : { observedInclude: observedInclude(repository) }),
    ...(recurseSubmodules ? { observedRecurseSubmodules: true } : {}),
    ...(sparseCheckout.length === 0 ? {} : { observedSparseCheckout: sparseCheckout }),
  }
}

/** `status.observedInclude`: the includes as they were built in. */
export function observedInclude({ include }: GitRepository): readonly object[] {
  return include.map(({ name, fromPath, toPath }) => ({
    repository: { name },
    ...(fromPath === '' ? {} : { fromPath }),
    ...(toPath === name ? {} : { toPath }),
  }))
}

function failedStatus(
  { repository, nowMs }: GitRepositorySeen,
  outcome: Extract<LookOutcome, { kind: 'failed' }>,
): GitRepositoryStatus {
  const { reason, message, condition } = outcome
  const lead: WishedCondition = outcome.isStalled
    ? { type: 'Stalled', status: 'True', reason, message }
    : { type: 'Reconciling', status: 'True', reason: 'ProgressingWithRetry', message: progressOf(repository) }
  const wishes: WishedCondition[] = [
    lead,
    { type: 'Ready', status: 'False', reason, message },
    { type: condition, status: condition === 'SourceVerified' ? 'False' : 'True', reason, message },
  ]
  const stored = repository.conditions.find(({ type }) => type === 'ArtifactInStorage')
  if (stored && condition !== 'StorageOperationFailed') wishes.push(kept(stored))
  const status = {
    ...repository.status,
    conditions: fill(repository, nowMs, wishes),
    ...handled(repository),
    ...(outcome.isStalled ? { observedGeneration: repository.generation } : {}),
  }
  const severity = condition === 'IncludeUnavailable' ? 'trace' : 'error'
  return { status, event: { severity, reason, message } }
}

function kept({ type, status, reason, message, observedGeneration }: StatusCondition): WishedCondition {
  return { type, status, reason, message, ...(observedGeneration === undefined ? {} : { observedGeneration }) }
}

/** The last thing that was going on, as Flux leaves it standing beside a failure. */
function progressOf({ artifact, observedGeneration, generation }: GitRepository): string {
  if (artifact === undefined) return 'building artifact'
  if (observedGeneration !== generation)
    return `processing object: new generation ${observedGeneration} -> ${generation}`
  return 'reconciliation in progress'
}

function fill(repository: GitRepository, nowMs: number, wishes: readonly WishedCondition[]): StatusCondition[] {
  return fillConditions(repository.conditions, wishes, repository.generation, kubeTime(nowMs))
}

function handled({ requestedAt, lastHandledReconcileAt }: GitRepository): { readonly lastHandledReconcileAt?: string } {
  const value = requestedAt || lastHandledReconcileAt
  return value === '' ? {} : { lastHandledReconcileAt: value }
}

function eventOf(
  repository: GitRepository,
  outcome: Exclude<LookOutcome, { kind: 'failed' }>,
): Pick<GitRepositoryStatus, 'event'> {
  if (outcome.kind === 'unchanged') {
    const message = repository.ref.semver
      ? `artifact up-to-date with remote revision: '${outcome.revision}'`
      : `no changes since last reconciliation: observed revision '${outcome.revision}'`
    const reason = repository.ref.semver ? 'ArtifactUpToDate' : 'GitOperationSucceeded'
    return { event: { severity: 'trace', reason, message } }
  }
  const { artifact, commitMessage } = outcome
  const isNew = repository.artifact?.digest !== artifact.digest
  const hadFailed = repository.conditions.some(({ type }) => type === 'FetchFailed' || type === 'IncludeUnavailable')
  if (!isNew && !hadFailed) return {}
  return {
    event: {
      severity: 'info',
      reason: isNew ? 'NewArtifact' : 'Succeeded',
      message: `stored artifact for commit '${commitMessage}'`,
      annotations: {
        'source.toolkit.fluxcd.io/revision': artifact.revision,
        'source.toolkit.fluxcd.io/digest': artifact.digest,
      },
    },
  }
}
