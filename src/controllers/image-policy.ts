import { backoffMs } from '../engine/backoff.ts'
import { BACKOFF } from '../engine/controller.ts'
import type { Decision } from '../engine/decision.ts'
import type { ImagePolicy, ImageRefStatus } from '../kinds/image.ts'
import { isRequested, readyOf } from '../kinds/flux-object.ts'
import { choosePolicyTag, explainPolicy, type PolicyChoice } from '../pipeline/image/policy.ts'
import { ruleOf } from '../pipeline/image/not-chosen.ts'
import {
  finalizerChange,
  goneStatus,
  type BasicStatus,
  progressOf,
  readyStatus,
  retryStatus,
  stalledNews,
  suspendedStatus,
  waitingStatus,
} from './basic-status.ts'
import { settlingMs } from './settling.ts'

/** What the digest of the chosen tag came to. */
export type DigestOutcome =
  | { readonly kind: 'known'; readonly tag: string; readonly digest: string }
  | { readonly kind: 'failed'; readonly tag: string; readonly message: string }

/** The ImageRepository of a policy, as far as it counts. */
export type PolicyRepository =
  | { readonly kind: 'missing' }
  | { readonly kind: 'forbidden'; readonly hasAccessFrom: boolean }
  /** In another namespace, which no object may reach here. */
  | { readonly kind: 'blocked' }
  /** Its image is none. */
  | { readonly kind: 'invalid'; readonly fault: string }
  | { readonly kind: 'unscanned'; readonly wasScanned: boolean; readonly isSuspended: boolean }
  | {
      readonly kind: 'scanned'
      readonly image: string
      readonly tags: readonly string[]
      /** How long before the policy it was made, in whole seconds. */
      readonly olderByMs: number
    }

/** Everything that the decision about an ImagePolicy needs. */
export type ImagePolicySeen = {
  readonly policy: ImagePolicy
  readonly repository: PolicyRepository
  readonly traps: 'safe' | 'flux'
  readonly nowMs: number
  readonly failures: number
  /** How long this engine has known it. */
  readonly knownMs: number
  readonly digest?: DigestOutcome
  /** With digestReflectionPolicy Always: how long until the digest must be asked again. */
  readonly digestDueInMs: number
  /** Its repository was scanned, with other tags, since the last decision. */
  readonly isNewScan: boolean
}

/** What an ImagePolicy may need done. */
export type ImagePolicyChange =
  | { readonly kind: 'add finalizer' | 'remove finalizer' }
  | { readonly kind: 'look up digest'; readonly image: string; readonly tag: string }

/** The status, and the choice behind it for the record. */
export type ImagePolicyStatus = BasicStatus & {
  readonly image?: string
  readonly choice?: PolicyChoice
  readonly digest?: string
}

type Answer = Decision<ImagePolicyChange, ImagePolicyStatus>
type Done = Extract<Answer, { readonly kind: 'done' }>

/** Decides what an ImagePolicy resolves to. */
export function decideImagePolicy(seen: ImagePolicySeen): Answer {
  const { policy, repository, nowMs } = seen
  const first = finalizerChange(policy)
  if (first === 'gone') return { kind: 'done', status: goneStatus(policy) }
  if (first !== undefined) return { kind: 'act', changes: [{ kind: first }] }
  if (policy.isSuspended) return { kind: 'done', status: suspendedStatus(policy) }
  if (policy.digestReflection === 'Always' && policy.intervalMs === undefined)
    return refused(seen, 'IntervalNotConfigured', NO_INTERVAL)
  switch (repository.kind) {
    case 'missing': {
      const settles = settlingMs(policy, seen.knownMs)
      if (settles > 0) return { kind: 'wait', afterMs: settles, status: {} }
      return dependency(
        seen,
        `failed to get the referred ImageRepository: referenced ImageRepository does not exist: ImageRepository.image.toolkit.fluxcd.io "${policy.repository.name}" not found`,
      )
    }
    case 'forbidden':
      return denied(seen, `access denied: ${accessFault(policy, repository.hasAccessFrom)}`)
    case 'blocked':
      return denied(
        seen,
        `cannot access 'ImageRepository/${keyOf(policy)}', cross-namespace references have been blocked`,
      )
    case 'unscanned': {
      // After a restart the tags come back with the first scan; what the policy says stays true until then.
      if (repository.wasScanned && policy.latestRef && policy.observedGeneration === policy.generation)
        return { kind: 'done', status: {} }
      if (seen.traps === 'flux' && !repository.isSuspended && !repository.wasScanned) return withoutTags(seen)
      return { kind: 'done', status: { status: waitingStatus(policy, nowMs, waitingFor(seen, repository)) } }
    }
    case 'invalid':
      return refused(seen, 'ImageURLInvalid', repository.fault)
    case 'scanned':
      if (seen.traps === 'flux' && repository.tags.length === 0) return withoutTags(seen)
      if (seen.traps === 'flux' && isMadeTogether(policy, repository)) return { ...withoutTags(seen), againAfterMs: 0 }
      return resolve(seen, repository)
  }
}

function resolve(seen: ImagePolicySeen, { image, tags }: Extract<PolicyRepository, { kind: 'scanned' }>): Answer {
  const { policy, traps, nowMs } = seen
  const choice = choosePolicyTag({ rule: ruleOf(policy), filter: policy.filterTags, tags, traps })
  if (choice.fault) return nothingChosen(seen, image, choice)
  const tag = choice.tag ?? ''
  const digest = digestFor(seen, image, tag)
  if (digest === 'unknown') return { kind: 'act', changes: [{ kind: 'look up digest', image, tag }] }
  if (digest !== undefined && digest.kind === 'failed') return digestFailed(seen, digest.message)
  const latest: ImageRefStatus = { name: image, tag, ...(digest ? { digest: digest.digest } : {}) }
  const previous = sameRef(policy.latestRef, latest) ? policy.observedPreviousRef : policy.latestRef
  const message = readyMessage(latest, previous)
  const before = readyOf(policy)
  const isNews = before?.status !== 'True' || before.message !== message || isToldAgain(seen)
  const status = readyStatus(policy, nowMs, message, {
    latestRef: latest,
    ...(previous ? { observedPreviousRef: previous } : {}),
  })
  return {
    kind: 'done',
    status: {
      status,
      image,
      choice,
      ...(digest ? { digest: digest.digest } : {}),
      ...(isNews ? { event: { severity: 'info', reason: 'Succeeded', message } } : {}),
    },
    ...(policy.digestReflection === 'Always' && policy.intervalMs !== undefined
      ? { againAfterMs: Math.max(seen.digestDueInMs, 1000) }
      : {}),
  }
}

/** The digest to reflect; undefined when none is wanted, `unknown` when it must be looked up. */
function digestFor(seen: ImagePolicySeen, image: string, tag: string): DigestOutcome | 'unknown' | undefined {
  const { policy, digest } = seen
  if (policy.digestReflection === 'Never') return undefined
  const { latestRef } = policy
  const isSame = latestRef?.name === image && latestRef.tag === tag && latestRef.digest !== undefined
  if (digest?.tag === tag) return digest
  if (policy.digestReflection === 'IfNotPresent' && isSame)
    return { kind: 'known', tag, digest: latestRef.digest ?? '' }
  if (policy.digestReflection === 'Always' && isSame && seen.digestDueInMs > 0 && !isAsked(policy))
    return { kind: 'known', tag, digest: latestRef.digest ?? '' }
  return 'unknown'
}

/** Flux says it again at every look that a scan, an edit or a request made it take. */
function isToldAgain({ policy, traps, isNewScan }: ImagePolicySeen): boolean {
  return traps === 'flux' && (isNewScan || isAsked(policy))
}

/** The policy was changed, or somebody asks. */
function isAsked(policy: ImagePolicy): boolean {
  return policy.generation !== policy.observedGeneration || isRequested(policy)
}

function nothingChosen(seen: ImagePolicySeen, image: string, choice: PolicyChoice): Answer {
  const { policy, traps, nowMs } = seen
  const { reason = 'Failure', message: fluxMessage = '' } = choice.fault ?? {}
  const why = traps === 'safe' && reason === 'Failure' ? explainPolicy(choice) : undefined
  const message = why === undefined ? fluxMessage : `${fluxMessage}: ${why}`
  if (reason === 'InvalidPolicy')
    return { kind: 'done', status: { ...refusedNews(seen, reason, message), image, choice } }
  const status = retryStatus(policy, nowMs, { reason, message, progress: progressOf(policy) })
  // Flux tries again and tells again; but only other tags or another policy help, and both wake it.
  if (traps === 'flux')
    return {
      kind: 'wait',
      afterMs: BACKOFF,
      status: { status, image, choice, event: { severity: 'error', reason, message } },
    }
  return { kind: 'done', status: { status, image, choice, ...told(policy, reason, message) } }
}

/** Flux looks at what is new 750 ms after it was made: at a policy then before the scan of a repository of the same age has ended. */
function isMadeTogether({ conditions }: ImagePolicy, { olderByMs }: { readonly olderByMs: number }): boolean {
  return conditions.length === 0 && Math.abs(olderByMs) <= 1000
}

/** Flux looks for tags once it has read the rule, and for what the rule leaves of them after that. */
function withoutTags(seen: ImagePolicySeen): Done {
  const { policy, traps } = seen
  const { fault } = choosePolicyTag({ rule: ruleOf(policy), filter: undefined, tags: [], traps })
  if (fault?.reason === 'InvalidPolicy') return refused(seen, fault.reason, fault.message)
  return dependency(seen, NO_TAGS)
}

/** What a policy waits for that cannot say anything yet; Flux says that it is at it. */
function waitingFor(
  { policy, traps }: ImagePolicySeen,
  { isSuspended }: Extract<PolicyRepository, { kind: 'unscanned' }>,
): string {
  if (traps === 'flux') return progressOf(policy)
  const why = isSuspended ? 'is suspended and has not been scanned' : 'has not been scanned yet'
  return `ImageRepository '${keyOf(policy)}' ${why}`
}

function dependency(seen: ImagePolicySeen, message: string): Done {
  const { policy, nowMs } = seen
  const reason = 'DependencyNotReady'
  const status = retryStatus(policy, nowMs, { reason, message, progress: progressOf(policy) })
  return { kind: 'done', status: { status, ...told(policy, reason, message) } }
}

const NO_TAGS = 'retrying in 30s error: no tags in database'
const NO_INTERVAL = "spec.interval must be set when spec.digestReflectionPolicy is set to 'Always'"

function refused(seen: ImagePolicySeen, reason: string, message: string): Done {
  return { kind: 'done', status: refusedNews(seen, reason, message) }
}

/** Told when it is new; by Flux at every look that a scan, an edit or a request made it take. */
function refusedNews(seen: ImagePolicySeen, reason: string, message: string): BasicStatus {
  const { policy, nowMs, traps } = seen
  const { status, event } = stalledNews(policy, nowMs, { reason, message }, traps)
  const isKnown = policy.conditions.some((one) => one.type === 'Stalled' && one.message === message)
  return { status, ...(isKnown && !isToldAgain(seen) ? {} : { event }) }
}

/** Tried again: the labels of a namespace are nothing that wakes a policy. */
function denied(seen: ImagePolicySeen, why: string): Answer {
  const { policy, nowMs } = seen
  const [reason, message] = ['AccessDenied', `failed to get the referred ImageRepository: ${why}`]
  const status = retryStatus(policy, nowMs, { reason, message, progress: progressOf(policy) })
  return { kind: 'wait', afterMs: BACKOFF, status: { status, ...told(policy, reason, message) } }
}

function accessFault(policy: ImagePolicy, hasAccessFrom: boolean): string {
  const why = hasAccessFrom
    ? `due to ACL labels mismatch on namespace '${policy.namespace}'`
    : "due to missing ACL labels on 'accessFrom'"
  return `'${keyOf(policy)}' can't be accessed ${why}`
}

/** The ImageRepository that a policy names. */
function keyOf({ repository }: ImagePolicy): string {
  return `${repository.namespace}/${repository.name}`
}

function digestFailed(seen: ImagePolicySeen, message: string): Answer {
  const { policy, nowMs } = seen
  const reason = 'Failed'
  const status = retryStatus(policy, nowMs, { reason, message, progress: progressOf(policy) })
  return { kind: 'wait', afterMs: backoffMs(seen.failures), status: { status, ...told(policy, reason, message) } }
}

/** An error is told when it is new: not at every look. */
function told(policy: ImagePolicy, reason: string, message: string): Pick<BasicStatus, 'event'> {
  const before = readyOf(policy)
  if (before?.status === 'False' && before.reason === reason && before.message === message) return {}
  return { event: { severity: 'error', reason, message } }
}

function sameRef(a: ImageRefStatus | undefined, b: ImageRefStatus): boolean {
  return a?.name === b.name && a.tag === b.tag && a.digest === b.digest
}

function readyMessage(latest: ImageRefStatus, previous: ImageRefStatus | undefined): string {
  const digest = latest.digest === undefined ? '' : ` with digest ${latest.digest}`
  const before = previous
    ? ` (previously ${previous.name}:${previous.tag}${previous.digest === undefined ? '' : `@${previous.digest}`})`
    : ''
  return `Latest image tag for ${latest.name} resolved to ${latest.tag}${digest}${before}`
}
