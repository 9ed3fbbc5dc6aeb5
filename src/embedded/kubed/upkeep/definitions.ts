import { clone, equal, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { type Environment, timestamp } from '../environment.ts'
import type { Obj } from '../object.ts'
import { trackUpdate } from '../ownership/managed-fields.ts'
import { resourcesOf } from '../resources/definitions.ts'

const KEY = 'apiextensions.k8s.io/customresourcedefinitions'

/** Serves the kinds of a definition, or stops when it is gone; and says so in its status. */
export function installDefinition(env: Environment, object: Obj, exists: boolean): void {
  const { name } = object.metadata
  if (!exists) {
    const [resource] = env.registry.all().filter(({ custom }) => custom?.definition === name)
    env.registry.setCustom(name, [])
    if (resource !== undefined)
      for (const each of [...env.store.list(resource.storageKey)]) env.store.remove(resource.storageKey, clone(each))
    return
  }
  env.registry.setCustom(name, resourcesOf(object))
  establish(env, object)
}

/** Serves every stored definition again after a start. */
export function installStored(env: Environment): void {
  for (const object of env.store.list(KEY)) env.registry.setCustom(object.metadata.name, resourcesOf(object))
}

function establish(env: Environment, object: Obj): void {
  const spec = objectOf(object.spec)
  const status = objectOf(object.status)
  const now = timestamp(env.nowMs())
  const storage = stringOf(objectsOf(spec.versions).find(({ storage: isStorage }) => isStorage === true)?.name)
  const versions = listOf(status.storedVersions)
  const had = (wanted: string): JsonObject | undefined =>
    objectsOf(status.conditions).find(({ type }) => type === wanted)
  const condition = (type: string, reason: string, message: string, isTrue = true): JsonObject => ({
    lastTransitionTime: had(type)?.lastTransitionTime ?? now,
    message,
    reason,
    status: isTrue ? 'True' : 'False',
    type,
  })
  const accepted = condition('NamesAccepted', 'NoConflicts', 'no conflicts found')
  const welcome = 'the initial names have been accepted'
  const others = objectsOf(status.conditions).filter(({ type }) => type !== 'NamesAccepted' && type !== 'Established')
  const next: JsonObject = {
    ...status,
    acceptedNames: spec.names,
    conditions: [accepted, condition('Established', 'InitialNamesAccepted', welcome), ...others],
    storedVersions: versions.includes(storage) ? versions : [...versions, storage],
  }
  if (equal(next, status) || object.metadata.deletionTimestamp !== undefined) return
  // Two controllers of the real server write one after the other, which watchers see.
  const installing = {
    ...next,
    conditions: [accepted, condition('Established', 'Installing', welcome, false), ...others],
  }
  writeStatus(env, had('Established') === undefined ? writeStatus(env, object, installing) : object, next)
}

function writeStatus(env: Environment, before: Obj, status: JsonObject): Obj {
  const next: Obj = { ...clone(before), status }
  const resource = env.registry.byStorageKey(KEY)
  const writer = { manager: 'kube-apiserver', now: timestamp(env.nowMs()), subresource: 'status' }
  if (resource !== undefined) trackUpdate(resource, before, next, undefined, writer)
  return env.store.put(KEY, next)
}
