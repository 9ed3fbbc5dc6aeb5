import type { Decision } from '../engine/decision.ts'
import { backoffMs, jitterMs } from '../engine/backoff.ts'
import type { OidcProvider, Receiver } from '../kinds/receiver.ts'
import { compileCel } from '../lib/cel/compile.ts'
import { SluiceError } from '../lib/error/sluice-error.ts'
import { compileFilter } from '../pipeline/receiver/resource-filter.ts'
import { renderInterval } from '../kinds/duration.ts'
import { isReady, isRequested, readyOf } from '../kinds/flux-object.ts'
import {
  finalizerChange,
  goneStatus,
  type BasicStatus,
  readyStatus,
  retryStatus,
  stalledStatus,
  suspendedStatus,
} from './basic-status.ts'
import { settlingMs } from './settling.ts'

/** Everything that the decision about a Receiver needs. */
export type ReceiverSeen = {
  readonly receiver: Receiver
  readonly nowMs: number
  /** In [0, 1). */
  readonly random: number
  /** How long until it must be looked at again; 0 or less: now. */
  readonly dueInMs: number
  /** The path that its token makes, or why there is none. */
  readonly path: { readonly path: string } | { readonly missing: string }
  /** Failures in a row. */
  readonly failures: number
  /** How long this engine has known it. */
  readonly knownMs: number
  /** `flux`: tells of every reconcile, also of one that changed nothing. */
  readonly traps: 'safe' | 'flux'
}

/** What a Receiver may need done. */
export type ReceiverChange = 'add finalizer' | 'remove finalizer'

const TERMINAL = 'Reconciliation failed terminally due to configuration error: '

/** Decides what a Receiver needs: finalizer, then the status that says its path or what is wrong with it. */
export function decideReceiver(seen: ReceiverSeen): Decision<ReceiverChange, BasicStatus> {
  const { receiver, nowMs, path } = seen
  const first = finalizerChange(receiver)
  if (first === 'gone') return { kind: 'done', status: goneStatus(receiver) }
  if (first !== undefined) return { kind: 'act', changes: [first] }
  if (receiver.isSuspended) return { kind: 'done', status: seen.dueInMs > 0 ? {} : suspended(seen) }
  if (seen.dueInMs > 0) return { kind: 'done', status: {}, againAfterMs: seen.dueInMs }
  const fault = specFault(receiver)
  if (fault) {
    const message = `${TERMINAL}${fault.message}`
    const status = stalledStatus(receiver, nowMs, fault.reason, message)
    return { kind: 'done', status: { status, event: { severity: 'error', reason: fault.reason, message } } }
  }
  if ('missing' in path) return withoutToken(seen, path.missing)
  const message = `Receiver initialized for path: ${path.path}`
  const status = readyStatus(receiver, nowMs, message, { webhookPath: path.path })
  return {
    kind: 'done',
    status: { status, ...(isNews(seen, message) ? { event: finished(receiver) } : {}) },
    againAfterMs: jitterMs(receiver.intervalMs, seen.random),
  }
}

/** What is told of a reconcile that ended well. */
export function finished({ intervalMs }: Receiver): NonNullable<BasicStatus['event']> {
  const message = `Reconciliation finished, next run in ${renderInterval(intervalMs)}`
  return { severity: 'trace', reason: 'Succeeded', message }
}

/** Flux says of a look that did nothing what it says of any other. */
function suspended({ receiver, traps }: ReceiverSeen): BasicStatus {
  return {
    ...suspendedStatus(receiver),
    ...(isReady(receiver) && traps === 'flux' ? { event: finished(receiver) } : {}),
  }
}

function withoutToken(seen: ReceiverSeen, message: string): Decision<ReceiverChange, BasicStatus> {
  const { receiver, nowMs } = seen
  const settles = settlingMs(receiver, seen.knownMs)
  if (settles > 0) return { kind: 'wait', afterMs: settles, status: {} }
  const { webhookPath: _, ...rest } = receiver.status
  const said = { reason: 'TokenNotFound', message, progress: 'Reconciliation in progress' }
  const status = retryStatus({ ...receiver, status: rest }, nowMs, said)
  return {
    kind: 'wait',
    afterMs: retryAfterMs(seen),
    status: { status, event: { severity: 'error', reason: 'Failed', message } },
  }
}

/** How long a Receiver without a token waits. */
export function retryAfterMs({ failures, receiver }: ReceiverSeen): number {
  return Math.min(backoffMs(failures + 1), receiver.intervalMs)
}

function isNews({ receiver, traps }: ReceiverSeen, message: string): boolean {
  if (traps === 'flux') return true
  const ready = readyOf(receiver)
  return isRequested(receiver) || ready?.status !== 'True' || ready.message !== message
}

type Fault = { readonly reason: string; readonly message: string }

/** What only a change of the object can mend. */
function specFault(receiver: Receiver): Fault | undefined {
  const { type, resourceFilter, resources, oidcProviders } = receiver
  const isOidc = type === 'generic-oidc'
  const expressions = [
    { what: 'invalid resourceFilter expression', filter: resourceFilter },
    ...resources.map(({ kind, name, filter }, at) => ({
      what: `invalid filter expression for resources[${at}] (kind="${kind}", name="${name}")`,
      filter,
    })),
  ]
  for (const { what, filter } of expressions) {
    const why = filter === '' ? undefined : celFault(() => compileFilter(filter, isOidc))
    if (why !== undefined) return { reason: 'InvalidCELExpression', message: `${what}: ${why}` }
  }
  const shape = oidcFault(receiver)
  if (shape !== undefined) return { reason: 'ValidationFailed', message: shape }
  for (const [at, provider] of oidcProviders.entries()) {
    const why = claimsExpressionFault(provider)
    if (why === undefined) continue
    const message = `oidcProviders[${at}] (issuerURL="${provider.issuerUrl}"): ${why}`
    return { reason: 'InvalidCELExpression', message }
  }
  return undefined
}

function oidcFault({ type, oidcProviders, secretName }: Receiver): string | undefined {
  if (type !== 'generic-oidc') {
    if (oidcProviders.length > 0) return 'oidcProviders can only be set when type is generic-oidc'
    return secretName === undefined ? 'secretRef is required when type is not generic-oidc' : undefined
  }
  if (oidcProviders.length === 0) return 'generic-oidc receiver requires at least one oidcProvider'
  if (secretName !== undefined) return 'secretRef cannot be set when type is generic-oidc'
  const urls = oidcProviders.map(({ issuerUrl }) => issuerUrl)
  for (const [at, { issuerUrl, variables, validations }] of oidcProviders.entries()) {
    const here = `oidcProviders[${at}]`
    if (issuerUrl === '') return `${here}: issuerURL is required`
    if (!/^https?:\/\//.test(issuerUrl)) return `${here}: issuerURL "${issuerUrl}" must start with http:// or https://`
    if (urls.indexOf(issuerUrl) < at) return `${here}: duplicate issuerURL "${issuerUrl}"`
    const named = `${here} (issuerURL="${issuerUrl}")`
    if (validations.length === 0)
      return `${named}: at least one validation is required; without one, whoever gets a token of this issuer may call the Receiver`
    const empty = [
      ...variables.map(({ name, expression }) => name && expression),
      ...validations.map((it) => it.expression && it.message),
    ]
    if (empty.includes('')) return `${named}: variables need name and expression, validations expression and message`
  }
  return undefined
}

function claimsExpressionFault({ variables, validations }: OidcProvider): string | undefined {
  const names = ['claims', 'vars']
  for (const { name, expression } of variables) {
    const why = celFault(() => compileCel(expression, { variables: names }))
    if (why !== undefined) return `invalid expression for variable "${name}": ${why}`
  }
  for (const { message, expression } of validations) {
    const why = celFault(() => compileCel(expression, { variables: names, output: 'bool' }))
    if (why !== undefined) return `invalid expression for validation "${message}": ${why}`
  }
  return undefined
}

function celFault(compile: () => unknown): string | undefined {
  try {
    compile()
    return undefined
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return error.message
  }
}
