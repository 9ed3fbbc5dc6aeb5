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

/** Whether an Alert asks for an event, and what in the Alert is wrong: a pattern that is none counts for nothing, as in Flux. */
export type Match = { readonly isWanted: boolean; readonly faults: readonly string[] }

/**
 * Whether an Alert asks for an event.
 *
 * @param crossNamespace whether an Alert may hear of objects of another namespace
 */
export function matchAlert(alert: Alert, event: ToldEvent, crossNamespace = true): Match {
  const faults: string[] = []
  if (!crossNamespace && alert.namespace !== event.object.namespace) return { isWanted: false, faults }
  const isWanted = isSource(alert, event) && isLetThrough(alert, event, faults)
  return { isWanted, faults }
}

function isSource(alert: Alert, { severity, object, objectLabels }: ToldEvent): boolean {
  if (alert.isSuspended || severity === 'trace') return false
  if (alert.severity === 'error' && severity !== 'error') return false
  return alert.sources.some(
    (source) =>
      source.kind === object.kind &&
      source.namespace === object.namespace &&
      (source.name === '*' || source.name === object.name) &&
      Object.entries(source.matchLabels).every(([key, value]) => objectLabels[key] === value),
  )
}

function isLetThrough({ inclusionList, exclusionList }: Alert, { message }: ToldEvent, faults: string[]): boolean {
  const matches = (pattern: string, list: 'inclusion' | 'exclusion'): boolean => {
    try {
      return compileRegexp(pattern).test(message)
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error
      faults.push(`failed to compile ${list} regex: ${pattern}`)
      return false
    }
  }
  if (inclusionList.length > 0 && !inclusionList.some((pattern) => matches(pattern, 'inclusion'))) return false
  return !exclusionList.some((pattern) => matches(pattern, 'exclusion'))
}

/** Makes what is sent. Metadata: annotations of the object, then the Alert's, then its summary, then the controller's own. */
export function makeMessage(alert: Alert, event: ToldEvent): Message {
  const metadata = Object.fromEntries(metadataSources(alert, event).flatMap(({ values }) => Object.entries(values)))
  return {
    involvedObject: event.object,
    severity: event.severity === 'error' ? 'error' : 'info',
    timestamp: event.timestamp,
    message: event.message,
    reason: event.reason,
    ...(Object.keys(metadata).length > 0 ? { metadata: sortKeys(metadata) } : {}),
    reportingController: event.controller,
    reportingInstance: event.host,
  }
}

/** Where metadata comes from, in Flux's words; later ones count before earlier ones. */
function metadataSources(
  alert: Alert,
  { annotations, object }: ToldEvent,
): readonly { readonly name: string; readonly values: Readonly<Record<string, string>> }[] {
  return [
    { name: 'involved object annotations', values: withPrefix(annotations, 'event.toolkit.fluxcd.io/') },
    { name: 'Alert object .spec.eventMetadata', values: alert.metadata },
    { name: 'Alert object .spec.summary', values: alert.summary === '' ? {} : { summary: alert.summary } },
    { name: 'involved object controller metadata', values: withPrefix(annotations, `${groupOf(object.apiVersion)}/`) },
  ]
}

/** Keys of metadata that come from more than one place, each with the places: `{revision: "Alert object .spec.eventMetadata, involved …"}`. */
export function metadataConflicts(alert: Alert, event: ToldEvent): Readonly<Record<string, string>> {
  const places = new Map<string, string[]>()
  for (const { name, values } of metadataSources(alert, event))
    for (const key of Object.keys(values)) places.set(key, [...(places.get(key) ?? []), name])
  return Object.fromEntries(
    [...places].filter(([, names]) => names.length > 1).map(([key, names]) => [key, names.join(', ')]),
  )
}

function withPrefix(annotations: Readonly<Record<string, string>>, prefix: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]): [string, string] => [key.slice(prefix.length), value])
      .filter(([key]) => !INTERNAL.has(key)),
  )
}

/** What makes two events the same news, as in Flux: object, words, revisions and the request that asked. */
export function sameness({
  object,
  message,
  annotations = {},
}: Pick<ToldEvent, 'object' | 'message'> & Partial<ToldEvent>): readonly string[] {
  const group = groupOf(object.apiVersion)
  const marks = ['originRevision', 'revision', 'token'].map((name) => annotations[`${group}/${name}`] ?? '')
  return [object.kind, object.namespace, object.name, message, ...marks]
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
