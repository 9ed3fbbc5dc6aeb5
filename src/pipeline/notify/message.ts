import type { Alert } from '../../kinds/notification.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { compileRegexp } from '../../lib/go-regexp/go-regexp.ts'
import { groupOf } from '../../lib/kube/object.ts'

/** The object an event is about. */
export type InvolvedObject = {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly apiVersion: string
  readonly resourceVersion: string
}

/** An event as a controller told it, with what the object itself says. */
export type ToldEvent = {
  readonly object: InvolvedObject
  readonly severity: 'trace' | 'info' | 'error'
  readonly reason: string
  readonly message: string
  /** Of the event, `kustomize.toolkit.fluxcd.io/revision`; and of its object, `event.toolkit.fluxcd.io/…`. */
  readonly annotations: Readonly<Record<string, string>>
  readonly objectLabels: Readonly<Record<string, string>>
  readonly controller: string
  /** `2026-01-01T00:00:00Z`. */
  readonly timestamp: string
  readonly host: string
}

/** A notification: Flux's event, as generic hooks get it. */
export type Message = {
  readonly involvedObject: InvolvedObject
  readonly severity: 'info' | 'error'
  readonly timestamp: string
  readonly message: string
  readonly reason: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly reportingController: string
  readonly reportingInstance: string
}

const INTERNAL = new Set(['token', 'digest', 'checksum'])

/**
 * Whether an Alert asks for an event.
 *
 * @throws SluiceError REGEXP_SYNTAX when one of its patterns is none
 */
export function matchesAlert(alert: Alert, event: ToldEvent): boolean {
  if (alert.isSuspended || event.severity === 'trace') return false
  if (alert.severity === 'error' && event.severity !== 'error') return false
  const { kind, name, namespace } = event.object
  const isSource = alert.sources.some(
    (source) =>
      source.kind === kind &&
      source.namespace === namespace &&
      (source.name === '*' || source.name === name) &&
      Object.entries(source.matchLabels).every(([key, value]) => event.objectLabels[key] === value),
  )
  if (!isSource) return false
  const matches = (pattern: string): boolean => compile(pattern, alert).test(event.message)
  if (alert.inclusionList.length > 0 && !alert.inclusionList.some(matches)) return false
  return !alert.exclusionList.some(matches)
}

function compile(pattern: string, alert: Alert): ReturnType<typeof compileRegexp> {
  try {
    return compileRegexp(pattern)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    throw new SluiceError(error.code, error.message, { where: `Alert/${alert.namespace}/${alert.name}`, cause: error })
  }
}

/** Makes what is sent. Metadata: annotations of the object, then the Alert's, then its summary, then the controller's own. */
export function makeMessage(alert: Alert, event: ToldEvent): Message {
  const prefix = `${groupOf(event.object.apiVersion)}/`
  const metadata = {
    ...withPrefix(event.annotations, 'event.toolkit.fluxcd.io/'),
    ...alert.metadata,
    ...(alert.summary === '' ? {} : { summary: alert.summary }),
    ...withPrefix(event.annotations, prefix),
  }
  const { involvedObject, severity } = {
    involvedObject: event.object,
    severity: event.severity === 'error' ? 'error' : 'info',
  } as const
  return {
    involvedObject,
    severity,
    timestamp: event.timestamp,
    message: event.message,
    reason: event.reason,
    ...(Object.keys(metadata).length > 0 ? { metadata: sortKeys(metadata) } : {}),
    reportingController: event.controller,
    reportingInstance: event.host,
  }
}

function withPrefix(annotations: Readonly<Record<string, string>>, prefix: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]): [string, string] => [key.slice(prefix.length), value])
      .filter(([key]) => !INTERNAL.has(key)),
  )
}

function sortKeys(map: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** What an event says of itself, whatever the Alert adds. */
export type EventMarks = {
  /** `event.toolkit.fluxcd.io/commit` of the object. */
  readonly hasCommit: boolean
  /** `event.toolkit.fluxcd.io/change_request` of the object. */
  readonly hasChangeRequest: boolean
  /** "Reconciliation finished …": for commit statuses and programs, not for people. */
  readonly isCommitStatusUpdate: boolean
}

/** Reads the marks of an event. */
export function marksOf({ annotations, object }: ToldEvent): EventMarks {
  return {
    hasCommit: (annotations['event.toolkit.fluxcd.io/commit'] ?? '') !== '',
    hasChangeRequest: (annotations['event.toolkit.fluxcd.io/change_request'] ?? '') !== '',
    isCommitStatusUpdate: annotations[`${groupOf(object.apiVersion)}/commit_status`] === 'update',
  }
}
