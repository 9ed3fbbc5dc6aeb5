import { clone, equal, numberOf, type JsonObject } from '../../../lib/kube/json.ts'
import { type Environment, timestamp } from '../environment.ts'
import { finalizersOf, type Obj } from '../object.ts'
import { CLEANUP, placeOfObjects } from '../resources/definitions.ts'
import {
  DEFINITIONS,
  isTrue,
  statusOf,
  trackStatus,
  withCondition,
  writeDefinitionStatus,
} from './definition-status.ts'

const TYPE = 'Terminating'
const BEGUN = {
  type: TYPE,
  status: 'True',
  reason: 'InstanceDeletionInProgress',
  message: 'CustomResource deletion is in progress',
}
const DONE = { type: TYPE, status: 'False', reason: 'InstanceDeletionCompleted', message: 'removed all instances' }
const NOTHING = { type: TYPE, status: 'False', reason: 'NeverEstablished', message: 'resource was never established' }

/** A definition as it is once it is to go: it waits for its objects. */
export function toEnd(definition: Obj, now: string): Obj {
  const { metadata } = definition
  const condition = {
    type: TYPE,
    status: 'True',
    reason: 'InstanceDeletionPending',
    message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
  }
  const finalizers = finalizersOf(definition)
  return {
    ...definition,
    metadata: {
      ...metadata,
      deletionTimestamp: now,
      finalizers: finalizers.includes(CLEANUP) ? finalizers : [...finalizers, CLEANUP],
    },
    status: withCondition(statusOf(definition), condition, now),
  }
}

/**
 * Deletes the objects of a definition that is to go. When none is left the definition is released, and removed unless others hold it: then it
 * is answered as it last was.
 *
 * @see k8s.io/apiextensions-apiserver/pkg/controller/finalizer
 */
export function clearDefinition(env: Environment, definition: Obj): Obj | undefined {
  if (!finalizersOf(definition).includes(CLEANUP)) return undefined
  const now = timestamp(env.nowMs())
  const status = withCondition(statusOf(definition), BEGUN, now)
  const begun = equal(status, statusOf(definition)) ? definition : writeDefinitionStatus(env, definition, status)
  const place = placeOfObjects(definition)
  for (const each of [...env.store.list(place)]) removeObject(env, place, each, now)
  if (!env.store.isEmpty(place)) return undefined
  return release(env, begun, withCondition(status, isTrue(status, 'Established') ? DONE : NOTHING, now))
}

function removeObject(env: Environment, place: string, object: Obj, now: string): void {
  if (finalizersOf(object).length === 0) return void env.store.remove(place, clone(object))
  if (object.metadata.deletionTimestamp !== undefined) return
  const marked = clone(object)
  marked.metadata.deletionTimestamp = now
  marked.metadata.deletionGracePeriodSeconds = 0
  marked.metadata.generation = (numberOf(marked.metadata.generation) ?? 0) + 1
  env.store.put(place, marked)
}

function release(env: Environment, before: Obj, status: JsonObject): Obj | undefined {
  const next: Obj = { ...clone(before), status }
  const left = finalizersOf(before).filter((each) => each !== CLEANUP)
  if (left.length > 0) next.metadata.finalizers = left
  else delete next.metadata.finalizers
  trackStatus(env, before, next)
  if (left.length === 0) return env.store.remove(DEFINITIONS, next)
  env.store.put(DEFINITIONS, next)
  return undefined
}
