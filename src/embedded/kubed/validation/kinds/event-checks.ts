import { internalForm } from '../../../../lib/kube-schema/go-types.ts'
import { equal, isObject, type Json, type JsonObject, numberOf, objectOf, stringOf } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { type Check, invalidFor, invalidValue, required } from '../fault-list.ts'
import { labelKeyErrors } from '../../../../lib/kube/names.ts'

/** Names of the fields in the internal kind, by which the server tells of both versions. */
type Event = { readonly regarding: JsonObject; readonly controllerField: string; readonly controller: string }

const MOST_CHARACTERS: Readonly<Record<string, number>> = { reportingInstance: 128, action: 128, reason: 128 }
const LONGEST_NOTE = 1024

/** Checks of events, old and new. @see k8s.io/kubernetes/pkg/apis/core/validation events.go */
export const EVENT_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.Event': (event, _path, errors) =>
    checkEvent(
      event,
      {
        regarding: objectOf(event.involvedObject),
        controllerField: 'reportingComponent',
        controller: stringOf(event.reportingComponent),
      },
      errors,
    ),
  'events.v1.Event': (event, _path, errors) => {
    const controller = stringOf(event.reportingController)
    checkEvent(
      event,
      { regarding: objectOf(event.regarding), controllerField: 'reportingController', controller },
      errors,
    )
  },
}

function checkEvent(event: JsonObject, { regarding, controllerField, controller }: Event, errors: FieldError[]): void {
  const own = stringOf(objectOf(event.metadata).namespace)
  const theirs = stringOf(regarding.namespace)
  const isNew = isSet(event.eventTime)
  const free = isNew ? ['default', 'kube-system'] : ['', 'default']
  const fits = theirs === '' ? free.includes(own) : isNew || theirs === own
  if (!fits) invalidValue(errors, 'involvedObject.namespace', theirs, 'does not match event.namespace')
  if (!isNew) return
  if (controller === '') required(errors, controllerField)
  invalidFor(errors, controllerField, controller, labelKeyErrors(controller))
  for (const [field, most] of Object.entries(MOST_CHARACTERS)) {
    const text = stringOf(event[field])
    if (text === '') required(errors, field)
    if (text.length > most) invalidValue(errors, field, '', `can have at most ${most} characters`)
  }
  if (stringOf(event.note ?? event.message).length > LONGEST_NOTE)
    invalidValue(errors, 'message', '', `can have at most ${LONGEST_NOTE} characters`)
}

/** Checks of events that are made by the newer version. */
export function checkNewEvent(event: JsonObject, errors: FieldError[]): void {
  const { deprecatedSource, deprecatedCount } = event
  checkSeries(event, errors)
  if (!isSet(event.eventTime)) required(errors, 'eventTime')
  const type = stringOf(event.type)
  if (type !== 'Normal' && type !== 'Warning') invalidValue(errors, 'type', '', `has invalid value: ${type}`)
  if (isSet(event.deprecatedFirstTimestamp)) invalidValue(errors, 'firstTimestamp', '', 'needs to be unset')
  if (isSet(event.deprecatedLastTimestamp)) invalidValue(errors, 'lastTimestamp', '', 'needs to be unset')
  if ((numberOf(deprecatedCount) ?? 0) !== 0) invalidValue(errors, 'count', '', 'needs to be unset')
  const { component, host } = objectOf(deprecatedSource)
  if (stringOf(component) !== '' || stringOf(host) !== '') invalidValue(errors, 'source', '', 'needs to be unset')
}

function checkSeries({ series }: JsonObject, errors: FieldError[]): void {
  if (series === undefined) return
  const { count, lastObservedTime } = objectOf(series)
  if ((numberOf(count) ?? 0) < 2) invalidValue(errors, 'series.count', '', 'should be at least 2')
  if (!isSet(lastObservedTime)) required(errors, 'series.lastObservedTime')
}

/** Fields that stay, by the names by which the server tells of them, in its order. */
const KEPT: readonly (readonly [field: string, told: string])[] = [
  ['regarding', 'involvedObject'],
  ['reason', 'reason'],
  ['note', 'message'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
  ['reason', 'reason'],
  ['type', 'type'],
  ['eventTime', 'eventTime'],
  ...['action', 'related', 'reportingController', 'reportingInstance'].map((each) => [each, each] as const),
]

/** Checks of a change by the newer version: only the series of an event goes on. */
export function checkEventChange(event: JsonObject, before: JsonObject, errors: FieldError[]): void {
  if (!equal(event.series ?? null, before.series ?? null)) checkSeries(event, errors)
  for (const [field, told] of KEPT) {
    const [wanted, had] = [event, before].map((each) => printed(field, each[field]))
    if (!equal(wanted ?? null, had ?? null)) invalidValue(errors, told, wanted ?? null, 'field is immutable')
  }
}

function printed(field: string, value: Json | undefined): Json {
  switch (field) {
    case 'regarding':
      return internalForm('core/ObjectReference', objectOf(value))
    case 'related':
      return isObject(value) ? internalForm('core/ObjectReference', value) : null
    case 'deprecatedSource':
      return internalForm('core/EventSource', objectOf(value))
    case 'deprecatedCount':
      return value ?? 0
    default:
      return value ?? (/[tT]ime/.test(field) ? null : '')
  }
}

const isSet = (time: JsonObject[string]): boolean => typeof time === 'string' && time !== ''
