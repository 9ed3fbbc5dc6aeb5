import type { Decision } from '../engine/decision.ts'
import { backoffMs, jitterMs } from '../engine/backoff.ts'
import {
  fillConditions,
  keptCondition,
  kubeTime,
  type StatusCondition,
  type WishedCondition,
} from '../kinds/conditions.ts'
import { NEVER_MS } from '../kinds/duration.ts'
import { FINALIZER, handledRequest } from '../kinds/flux-object.ts'
import type { ArtifactStatus, SourceObject } from '../kinds/source.ts'
import { settlingMs } from './settling.ts'

/** What a look at the remote found. */
export type LookOutcome =
  | {
      readonly kind: 'unchanged'
      readonly revision: string
      readonly verified?: Verified
      /** The text of the event that tells that it works again, where more than the revision is known. */
      readonly news?: string
      /** Nothing but the name of the revision was asked for, which Git tells in other words. */
      readonly isBriefly?: boolean
      /** The last signature stays in the status though `spec.verify` is gone: Flux comes to it only with a commit in its hands. */
      readonly keepsVerified?: boolean
    }
  | {
      readonly kind: 'stored'
      readonly artifact: ArtifactStatus
      /** What of other sources went in: `status.includedArtifacts`. */
      readonly included?: readonly ArtifactStatus[]
      /** The text of the event that tells it. */
      readonly news: string
      readonly verified?: Verified
    }
  | (FailedProgress & {
      readonly kind: 'failed'
      readonly reason: string
      readonly message: string
      /** The condition that says it besides Ready. */
      readonly condition: 'FetchFailed' | 'IncludeUnavailable' | 'SourceVerified' | 'StorageOperationFailed'
      /** Only a change of the object helps. */
      readonly isStalled?: boolean
    })

/** How far a look came before it failed. */
export type FailedProgress = {
  /** The commit that the remote has. */
  readonly revision?: string
  /** The sources that go in have other revisions than before. */
  readonly includesDiffer?: boolean
  /** What the remote has, where it is known before the files are there: `new revision '…' for '…'`. */
  readonly upstream?: string
}

/** What a verified signature leaves in the status; the mode is Git's. */
export type Verified = { readonly message: string; readonly mode?: string }

/** Everything that the decision about a source needs. */
export type SourceSeen<Source extends SourceObject> = {
  readonly source: Source
  readonly nowMs: number
  /** In [0, 1). */
  readonly random: number
  /** How long until the remote must be looked at again; 0 or less: now. */
  readonly dueInMs: number
  /** Failed looks in a row, this one included. */
  readonly failures: number
  /** How long this engine has known it. */
  readonly knownMs: number
  /** What the look of this reconcile found; absent before it. */
  readonly outcome?: LookOutcome
}

/** What a source may need done. */
export type SourceChange = 'add finalizer' | 'remove artifacts and finalizer' | 'look at the remote'

/** What to write and tell; nothing at all when `status` is absent. */
export type SourceStatus = {
  /** When the remote is looked at again by itself; absent: as planned before. */
  readonly nextLookInMs?: number
  readonly status?: Readonly<Record<string, unknown>>
  readonly event?: SourceEvent
  /** Told besides, when it works again and nothing is new. */
  readonly recovery?: SourceEvent
  /** Told first, when a signature of Git was good that had not been looked at before. */
  readonly verification?: SourceEvent
}

type SourceEvent = {
  readonly severity: 'trace' | 'info' | 'error'
  readonly reason: string
  readonly message: string
  readonly annotations?: Readonly<Record<string, string>>
}

/** Where the kinds of sources differ: their words, and what of the spec they note in the status. */
export type SourceWords<Source extends SourceObject> = {
  readonly stored: (revision: string) => string
  readonly unchanged: (outcome: Extract<LookOutcome, { kind: 'unchanged' }>) => {
    readonly reason: string
    readonly message: string
  }
  readonly observed: (source: Source) => Readonly<Record<string, unknown>>
  readonly isVerified: (source: Source) => boolean
  /** Whether the status has the address of the newest artifact; a GitRepository's lost it with v1. */
  readonly namesLatest: boolean
}

/** What most sources say when the remote has nothing new. */
export function upToDate({ revision }: Extract<LookOutcome, { kind: 'unchanged' }>): {
  readonly reason: string
  readonly message: string
} {
  return { reason: 'ArtifactUpToDate', message: `artifact up-to-date with remote revision: '${revision}'` }
}

/** The name of the newest artifact of an object, whatever its revision: Flux's link to it. */
export const LATEST = 'latest.tar.gz'

/** Decides what a source needs: finalizer, a look at the remote when one is due, then the status that says what it found. */
export function decideSource<Source extends SourceObject>(
  seen: SourceSeen<Source>,
  words: SourceWords<Source>,
): Decision<SourceChange, SourceStatus> {
  const { source, outcome } = seen
  const hasFinalizer = source.finalizers.includes(FINALIZER)
  if (source.isDeleting)
    return hasFinalizer
      ? { kind: 'act', changes: ['remove artifacts and finalizer'] }
      : { kind: 'done', status: goneStatus(source) }
  if (!hasFinalizer) return { kind: 'act', changes: ['add finalizer'] }
  if (source.isSuspended) return { kind: 'done', status: suspendedStatus(source) }
  if (outcome === undefined && seen.dueInMs > 0) return { kind: 'done', status: {}, againAfterMs: seen.dueInMs }
  if (outcome === undefined) return { kind: 'act', changes: ['look at the remote'] }
  if (outcome.kind !== 'failed') {
    const againAfterMs = jitterMs(source.intervalMs, seen.random)
    const status = readyStatus(seen, outcome, words)
    return {
      kind: 'done',
      status: {
        status,
        ...verificationOf(source, outcome),
        ...eventOf(source, outcome, words),
        nextLookInMs: againAfterMs,
      },
      againAfterMs,
    }
  }
  const status = failedStatus(seen, outcome)
  if (outcome.isStalled) return { kind: 'done', status: { ...status, nextLookInMs: NEVER_MS } }
  const settles = settlingMs(source, seen.knownMs)
  if (settles > 0) return { kind: 'wait', afterMs: settles, status: { nextLookInMs: settles } }
  const afterMs = Math.min(backoffMs(seen.failures), source.intervalMs)
  return { kind: 'wait', afterMs, status: { ...status, nextLookInMs: afterMs } }
}

/** A suspended object only answers that it has seen its generation. */
function suspendedStatus(source: SourceObject): SourceStatus {
  const { conditions, generation, requestedAt, status } = source
  if (conditions.length === 0)
    return requestedAt === undefined ? {} : { status: { ...status, ...handledRequest(source) } }
  return {
    status: {
      ...status,
      conditions: conditions.map((condition) =>
        condition.type === 'Ready' || condition.type === 'Reconciling'
          ? { ...condition, observedGeneration: generation }
          : condition,
      ),
      observedGeneration: generation,
      ...handledRequest(source),
    },
  }
}

/** What others still hold offers nothing any more, and shows that its deletion was seen. */
function goneStatus(source: SourceObject): SourceStatus {
  if (source.finalizers.length === 0) return {}
  const { status = source.status } = suspendedStatus(source)
  return { status: { ...status, artifact: undefined } }
}

type Good = Exclude<LookOutcome, { kind: 'failed' }>
type Failed = Extract<LookOutcome, { kind: 'failed' }>

function readyStatus<Source extends SourceObject>(
  { source, nowMs }: SourceSeen<Source>,
  outcome: Good,
  words: SourceWords<Source>,
): Readonly<Record<string, unknown>> {
  const revision = outcome.kind === 'stored' ? outcome.artifact.revision : outcome.revision
  const said = { status: 'True', reason: 'Succeeded', message: words.stored(revision) } as const
  const artifact = outcome.kind === 'stored' ? outcome.artifact : source.artifact
  const included = outcome.kind === 'stored' ? outcome.included : source.status['includedArtifacts']
  const mode = outcome.verified?.mode ?? (keepsVerified(outcome) ? source.status['sourceVerificationMode'] : undefined)
  const wishes: WishedCondition[] = [
    { type: 'Ready', ...said },
    { type: 'ArtifactInStorage', ...said },
    ...verifiedCondition(source, outcome, words),
  ]
  return {
    ...words.observed(source),
    ...(Array.isArray(included) && included.length > 0 ? { includedArtifacts: included } : {}),
    ...(mode === undefined ? {} : { sourceVerificationMode: mode }),
    artifact,
    ...(words.namesLatest && artifact ? { url: artifact.url.replace(/[^/]*$/, LATEST) } : {}),
    conditions: fill(source, nowMs, wishes),
    ...handledRequest(source),
    observedGeneration: source.generation,
  }
}

function keepsVerified(outcome: Good): boolean {
  return outcome.kind === 'unchanged' && outcome.keepsVerified === true
}

/** A signature that was verified before stays verified while nothing has changed. */
function verifiedCondition<Source extends SourceObject>(
  source: Source,
  outcome: Good,
  words: SourceWords<Source>,
): readonly WishedCondition[] {
  const { verified } = outcome
  if (!words.isVerified(source) && !keepsVerified(outcome)) return []
  if (verified) return [{ type: 'SourceVerified', status: 'True', reason: 'Succeeded', message: verified.message }]
  const before = source.conditions.find(({ type, status }) => type === 'SourceVerified' && status === 'True')
  return before ? [keptCondition(before)] : []
}

function failedStatus<Source extends SourceObject>(
  { source, nowMs }: SourceSeen<Source>,
  outcome: Failed,
): SourceStatus {
  const { reason, message, condition } = outcome
  const lead: WishedCondition = outcome.isStalled
    ? { type: 'Stalled', status: 'True', reason, message }
    : { type: 'Reconciling', status: 'True', reason: 'ProgressingWithRetry', message: progressOf(source, outcome) }
  const said: WishedCondition = {
    type: condition,
    status: condition === 'SourceVerified' ? 'False' : 'True',
    reason,
    message,
  }
  const others = source.conditions.filter(
    ({ type, status }) =>
      type === 'ArtifactInStorage' ||
      (type === 'SourceVerified' && condition !== 'SourceVerified' && status === 'True'),
  )
  const ready = { type: 'Ready', status: 'False', reason, message } as const
  const wishes = [lead, ready, ...outdatedCondition(source, outcome), said, ...others.map(keptCondition)]
  const status = {
    ...source.status,
    conditions: fill(source, nowMs, wishes),
    ...handledRequest(source),
    ...(outcome.isStalled ? { observedGeneration: source.generation } : {}),
  }
  const severity = condition === 'IncludeUnavailable' ? 'trace' : 'error'
  return { status, event: { severity, reason, message } }
}

/** The last thing that was going on, as Flux leaves it standing beside a failure. */
function progressOf({ artifact, observedGeneration, generation }: SourceObject, outcome: Failed): string {
  const upstream = newUpstream(artifact, outcome)
  if (upstream !== undefined) return `building artifact: ${upstream}`
  if (outcome.includesDiffer) return 'building artifact: included artifacts differ from last observed includes'
  if (artifact === undefined) return 'building artifact'
  if (observedGeneration !== generation)
    return `processing object: new generation ${observedGeneration} -> ${generation}`
  return 'reconciliation in progress'
}

function outdatedCondition({ artifact }: SourceObject, outcome: Failed): readonly WishedCondition[] {
  const message = newUpstream(artifact, outcome)
  if (artifact === undefined || message === undefined) return []
  return [{ type: 'ArtifactOutdated', status: 'True', reason: 'NewRevision', message }]
}

/** What fails once the files are there has seen a new revision; before that nothing is said of it, unless the look itself says so. */
function newUpstream(artifact: ArtifactStatus | undefined, outcome: Failed): string | undefined {
  const { condition, revision, upstream } = outcome
  if (upstream !== undefined) return upstream
  const isNew = condition === 'StorageOperationFailed' && revision !== undefined && revision !== artifact?.revision
  return isNew ? `new upstream revision '${revision}'` : undefined
}

function fill(source: SourceObject, nowMs: number, wishes: readonly WishedCondition[]): StatusCondition[] {
  return fillConditions(source.conditions, wishes, source.generation, kubeTime(nowMs))
}

/** OCI artifacts are verified without an event. */
function verificationOf({ conditions }: SourceObject, { verified }: Good): Pick<SourceStatus, 'verification'> {
  if (verified?.mode === undefined) return {}
  const { message } = verified
  const isKnown = conditions.some(
    (one) => one.type === 'SourceVerified' && one.status === 'True' && one.message === message,
  )
  return isKnown ? {} : { verification: { severity: 'trace', reason: 'Succeeded', message } }
}

const FAILURES = ['FetchFailed', 'IncludeUnavailable', 'StorageOperationFailed']

function eventOf<Source extends SourceObject>(
  source: Source,
  outcome: Good,
  words: SourceWords<Source>,
): Pick<SourceStatus, 'event' | 'recovery'> {
  const hadFailed = source.conditions.some(({ type }) => FAILURES.includes(type))
  if (outcome.kind === 'unchanged') {
    const event = { severity: 'trace', ...words.unchanged(outcome) } as const
    if (!hadFailed || !source.artifact) return { event }
    return {
      event,
      recovery: storedEvent(
        source.artifact,
        'Succeeded',
        outcome.news ?? `stored artifact for commit '${outcome.revision}'`,
      ),
    }
  }
  const { artifact, news } = outcome
  const isNew = source.artifact?.digest !== artifact.digest && !isRepacked(source, outcome)
  return isNew || hadFailed ? { event: storedEvent(artifact, isNew ? 'NewArtifact' : 'Succeeded', news) } : {}
}

/** The same in another archive: made by Flux, or by another version of this program. Nobody is told of that. */
function isRepacked(source: SourceObject, { artifact, included = [] }: Good & { readonly kind: 'stored' }): boolean {
  const isSameSpec = source.observedGeneration === source.generation
  return isSameSpec && source.artifact?.revision === artifact.revision && included.length === 0
}

function storedEvent({ revision, digest }: ArtifactStatus, reason: string, message: string): SourceEvent {
  const annotations = {
    'source.toolkit.fluxcd.io/revision': revision,
    'source.toolkit.fluxcd.io/digest': digest,
  }
  return { severity: 'info', reason, message, annotations }
}
