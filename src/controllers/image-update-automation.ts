import { backoffMs, jitterMs } from '../engine/backoff.ts'
import type { Decision } from '../engine/decision.ts'
import { kubeTime } from '../kinds/conditions.ts'
import { blockedReference, isReady, isRequested, readyOf } from '../kinds/flux-object.ts'
import { type ImageRefStatus, type ImageUpdateAutomation, selectorFault } from '../kinds/image.ts'
import type { MarkerProblem } from '../pipeline/image/setters.ts'
import {
  finalizerChange,
  goneStatus,
  type BasicStatus,
  progressOf,
  readyStatus,
  retryStatus,
  stalledStatus,
  suspendedStatus,
} from './basic-status.ts'

/** What a run came to. `sourceRevision` is what the branch is at now. */
export type AutomationOutcome =
  | {
      readonly kind: 'up-to-date'
      readonly sourceRevision: string
      readonly problems: readonly MarkerProblem[]
      /** Neither policies nor the branch have changed since the last run, and nothing was looked at. */
      readonly isSkipped?: true
    }
  | {
      readonly kind: 'pushed'
      readonly sourceRevision: string
      readonly problems: readonly MarkerProblem[]
      readonly commit: string
      readonly branch: string
      readonly refspec: string | undefined
      readonly message: string
    }
  | {
      readonly kind: 'failed'
      readonly reason: string
      readonly message: string
      /** Only a change of the object helps. */
      readonly isStalled?: true
    }

/** Everything that the decision about an ImageUpdateAutomation needs. */
export type AutomationSeen = {
  readonly automation: ImageUpdateAutomation
  /** The revision that the source offers; '' when it offers none yet, undefined when there is no such source. */
  readonly sourceRevision: string | undefined
  /** The source's revision that the last run looked at; its own push may not have come back yet. */
  readonly lastSeenRevision: string
  /** The source's spec is another than when the last run looked at it. */
  readonly isSourceEdited: boolean
  /** What the selected policies resolve to, by name. */
  readonly policies: Readonly<Record<string, ImageRefStatus>>
  readonly traps: 'safe' | 'flux'
  /** False: a source of another namespace is out of reach. */
  readonly crossNamespace: boolean
  readonly nowMs: number
  readonly random: number
  /** How long until the branch must be looked at again; 0 or less: now. */
  readonly dueInMs: number
  readonly failures: number
  readonly outcome?: AutomationOutcome
  /** What the policies resolved to when the run of `outcome` began; they may have moved on meanwhile. */
  readonly ranWith?: Readonly<Record<string, ImageRefStatus>>
}

/** What an ImageUpdateAutomation may need done. */
export type AutomationChange = 'add finalizer' | 'remove finalizer' | 'run'

/** Decides what an ImageUpdateAutomation needs: a run when policies, source or interval ask for one, then the status. */
export function decideImageUpdateAutomation(seen: AutomationSeen): Decision<AutomationChange, BasicStatus> {
  const { automation, outcome } = seen
  const first = finalizerChange(automation)
  if (first === 'gone') return { kind: 'done', status: goneStatus({ ...automation, requestedAt: undefined }) }
  if (first !== undefined) return { kind: 'act', changes: [first] }
  // A request waits for the end of the suspension, as in Flux.
  if (automation.isSuspended)
    return { kind: 'done', status: suspendedStatus({ ...automation, requestedAt: undefined }) }
  const refusal = refusalOf(seen)
  if (refusal !== undefined) return stalled(seen, refusal.reason, refusal.message)
  if (seen.sourceRevision === undefined) return sourceMissing(seen)
  if (outcome?.kind === 'failed')
    return outcome.isStalled ? stalled(seen, outcome.reason, outcome.message) : failed(seen, outcome)
  if (outcome) return succeeded(seen, outcome)
  if (needsRun(seen)) return { kind: 'act', changes: ['run'] }
  if (!isAsked(seen)) return { kind: 'done', status: {}, againAfterMs: Math.max(seen.dueInMs, 0) }
  return {
    kind: 'done',
    status: { status: ready(seen, {}), event: NO_CHANGE },
    againAfterMs: Math.max(seen.dueInMs, 0),
  }
}

const NO_CHANGE = {
  severity: 'trace',
  reason: 'Succeeded',
  message: 'no change since last reconciliation',
} as const

/** What can never run as it is written, in Flux's words. */
function refusalOf({
  automation: { namespace, source, hasGit, updateStrategy, policySelector, pushRefspec },
  crossNamespace,
}: AutomationSeen): { readonly reason: string; readonly message: string } | undefined {
  const reason = 'InvalidSourceConfiguration'
  const selector = policySelector && selectorFault(policySelector)
  if (selector !== undefined)
    return { reason: 'InvalidPolicySelector', message: `failed to parse policy selector: ${selector}` }
  if (source.kind !== 'GitRepository')
    return { reason, message: `source kind '${source.kind}' not supported: invalid source configuration` }
  if (!hasGit)
    return { reason, message: `source kind 'GitRepository' necessitates field .spec.git: invalid source configuration` }
  if (!crossNamespace && source.namespace !== namespace)
    return { reason: 'AccessDenied', message: blockedReference(source) }
  const push = pushRefspec?.startsWith(':') ? 'deletion' : pushRefspec?.startsWith('+') ? 'force update' : undefined
  if (push !== undefined)
    return { reason, message: `push refspec must not specify a ${push}: invalid source configuration` }
  if (updateStrategy === 'Setters') return undefined
  return { reason: 'InvalidUpdateStrategy', message: `unsupported update strategy: ${updateStrategy}` }
}

function isAsked({ automation }: AutomationSeen): boolean {
  return isRequested(automation) || automation.generation !== automation.observedGeneration
}

/** A new source revision or another choice of a policy; the interval; a last run that failed; the first run. */
function needsRun(seen: AutomationSeen): boolean {
  const { automation, sourceRevision, lastSeenRevision, policies, dueInMs } = seen
  const { status } = automation
  if (dueInMs <= 0 || status['observedSourceRevision'] === undefined) return true
  if (!isReady(automation)) return true
  const observed: unknown = status['observedPolicies'] ?? {}
  if (canonical(observed) !== canonical(policies)) return true
  // Flux never hears of a new revision, and asks the remote itself when it is asked.
  if (seen.traps === 'flux') return isAsked(seen) || seen.isSourceEdited
  const isKnown = sourceRevision === status['observedSourceRevision'] || sourceRevision === lastSeenRevision
  if (sourceRevision !== '' && !isKnown) return true
  // Flux does not look at a changed update.path until something else changes; we do.
  return automation.generation !== automation.observedGeneration
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

function ready(
  seen: AutomationSeen,
  fields: object,
  problems: readonly MarkerProblem[] = [],
): Readonly<Record<string, unknown>> {
  const message = `repository up-to-date${problemText(seen, problems)}`
  return readyStatus(seen.automation, seen.nowMs, message, { ...runTime(seen), ...fields })
}

/** Markers that were not followed are said in the status; Flux says nothing. */
function problemText({ traps }: AutomationSeen, problems: readonly MarkerProblem[]): string {
  if (traps === 'flux' || problems.length === 0) return ''
  const shown = problems.slice(0, 5).map(({ where, problem }) => `${where}: ${problem}`)
  const more = problems.length > shown.length ? `; and ${problems.length - shown.length} more` : ''
  const count = problems.length === 1 ? '1 marker was not followed' : `${problems.length} markers were not followed`
  return `; ${count}: ${shown.join('; ')}${more}`
}

function runTime({ nowMs }: AutomationSeen): { readonly lastAutomationRunTime: string } {
  return { lastAutomationRunTime: kubeTime(nowMs) }
}

function succeeded(
  seen: AutomationSeen,
  outcome: Exclude<AutomationOutcome, { kind: 'failed' }>,
): Decision<AutomationChange, BasicStatus> {
  const { automation, nowMs } = seen
  const policies = seen.ranWith ?? seen.policies
  const { observedPolicies: _old, ...kept } = automation.status
  const fields = {
    observedSourceRevision: outcome.sourceRevision,
    ...(Object.keys(policies).length > 0 ? { observedPolicies: policies } : {}),
    ...(outcome.kind === 'pushed' ? { lastPushCommit: outcome.commit, lastPushTime: kubeTime(nowMs) } : {}),
  }
  const status = ready({ ...seen, automation: { ...automation, status: kept } }, fields, outcome.problems)
  return {
    kind: 'done',
    status: { status, ...eventOf(seen, outcome) },
    againAfterMs: jitterMs(automation.intervalMs, seen.random),
  }
}

function eventOf(
  seen: AutomationSeen,
  outcome: Exclude<AutomationOutcome, { kind: 'failed' }>,
): Pick<BasicStatus, 'event'> {
  if (outcome.kind === 'pushed') {
    const refspec = outcome.refspec === undefined ? '' : ` and refspecs '${outcome.refspec}'`
    const said = outcome.message === '' ? '' : `\n${outcome.message}`
    const message = `pushed commit '${outcome.commit.slice(0, 7)}' to branch '${outcome.branch}'${refspec}${said}`
    return { event: { severity: 'info', reason: 'Succeeded', message } }
  }
  if (outcome.isSkipped) return { event: NO_CHANGE }
  const message = `repository up-to-date${problemText(seen, outcome.problems)}`
  const before = readyOf(seen.automation)
  const isKnown = before?.status === 'True' && before.message === message && !isAsked(seen)
  if (seen.traps === 'safe' && isKnown) return {}
  const severity = seen.automation.status['observedSourceRevision'] === undefined ? 'info' : 'trace'
  return { event: { severity, reason: 'Succeeded', message } }
}

function failed(
  seen: AutomationSeen,
  { reason, message }: Extract<AutomationOutcome, { kind: 'failed' }>,
): Decision<AutomationChange, BasicStatus> {
  const { automation, nowMs } = seen
  const status = retryStatus(automation, nowMs, { reason, message, progress: progressOf(automation) }, runTime(seen))
  return {
    kind: 'wait',
    afterMs: Math.min(backoffMs(seen.failures), automation.intervalMs),
    status: { status, event: { severity: 'error', reason, message } },
  }
}

function sourceMissing(seen: AutomationSeen): Decision<AutomationChange, BasicStatus> {
  const { automation, nowMs } = seen
  const reason = 'SourceManagerFailed'
  const message = `failed configuring source manager: referenced git repository does not exist: GitRepository.source.toolkit.fluxcd.io "${automation.source.name}" not found`
  const status = retryStatus(automation, nowMs, { reason, message, progress: progressOf(automation) }, runTime(seen))
  return { kind: 'done', status: { status, ...toldOnce(seen, reason, message) } }
}

function stalled(seen: AutomationSeen, reason: string, message: string): Decision<AutomationChange, BasicStatus> {
  const before = readyOf(seen.automation)
  if (before?.message === message && !isAsked(seen)) return { kind: 'done', status: {} }
  const status = stalledStatus(seen.automation, seen.nowMs, reason, message, runTime(seen))
  return { kind: 'done', status: { status, ...toldOnce(seen, reason, message) } }
}

function toldOnce({ automation }: AutomationSeen, reason: string, message: string): Pick<BasicStatus, 'event'> {
  const before = readyOf(automation)
  if (before?.reason === reason && before.message === message) return {}
  return { event: { severity: 'error', reason, message } }
}
