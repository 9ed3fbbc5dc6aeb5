import { clone, equal, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { type Environment, timestamp } from '../environment.ts'
import type { Obj } from '../object.ts'
import { grantNames, hasItsNames } from '../resources/definition-names.ts'
import { isEnding, isServed, placeOfObjects, resourcesOf } from '../resources/definitions.ts'
import { clearDefinition } from './definition-end.ts'
import { DEFINITIONS, isTrue, withCondition, writeDefinitionStatus } from './definition-status.ts'

/** Serves the kinds of a definition, or stops when it is gone; and says so in its status. */
export function installDefinition(env: Environment, object: Obj, exists: boolean): void {
  const { name } = object.metadata
  if (!exists) {
    env.registry.setCustom(name, [])
    const place = placeOfObjects(object)
    for (const each of [...env.store.list(place)]) env.store.remove(place, clone(each))
    return reconsiderOthers(env, object)
  }
  if (isEnding(object)) {
    serve(env, object)
    const last = clearDefinition(env, object)
    return last === undefined ? undefined : installDefinition(env, last, false)
  }
  const served = establish(env, object)
  serve(env, served)
  if (!equal(objectOf(served.status).acceptedNames, objectOf(object.status).acceptedNames))
    reconsiderOthers(env, served)
}

/** Ends the definition of an object that is gone, where it waited for nothing else; true when it did. All were marked when the end began. */
export function endWithLast(env: Environment, { apiVersion, kind }: Obj): boolean {
  const [group = ''] = apiVersion.split('/')
  const { custom } = env.registry.allCustom().find((each) => each.group === group && each.kind === kind) ?? {}
  if (custom?.isEnding !== true) return false
  const definition = env.store.get(DEFINITIONS, '', custom.definition)
  if (definition === undefined || !env.store.isEmpty(placeOfObjects(definition))) return false
  const last = clearDefinition(env, definition)
  if (last !== undefined) installDefinition(env, last, false)
  return last !== undefined
}

/** Serves every stored definition again after a start, and ends what was about to end. */
export function installStored(env: Environment): void {
  for (const object of env.store.list(DEFINITIONS)) serve(env, object)
  for (const object of env.store.list(DEFINITIONS).filter(isEnding)) installDefinition(env, object, true)
}

function serve(env: Environment, object: Obj): void {
  env.registry.setCustom(object.metadata.name, isServed(object) ? resourcesOf(object) : [])
}

const groupOf = ({ spec }: Obj): string => stringOf(objectOf(spec).group)

/** What one definition gives up another of its group may have asked for. */
function reconsiderOthers(env: Environment, object: Obj): void {
  for (const { metadata } of env.store.list(DEFINITIONS)) {
    const other = env.store.get(DEFINITIONS, '', metadata.name)
    if (other === undefined || metadata.name === object.metadata.name || groupOf(other) !== groupOf(object)) continue
    if (!hasItsNames(other) && !isEnding(other)) installDefinition(env, other, true)
  }
}

const WELCOME = 'the initial names have been accepted'

/** Grants a definition its names; it is served from when it has had them all once. */
function establish(env: Environment, object: Obj): Obj {
  const status = objectOf(object.status)
  const now = timestamp(env.nowMs())
  const storage = stringOf(
    objectsOf(objectOf(object.spec).versions).find(({ storage: isStorage }) => isStorage === true)?.name,
  )
  const versions = listOf(status.storedVersions)
  const group = env.store.list(DEFINITIONS).filter((each) => groupOf(each) === groupOf(object))
  const { acceptedNames, conflict } = grantNames(object, group)
  const { reason, message } = conflict ?? { reason: 'NoConflicts', message: 'no conflicts found' }
  const named: JsonObject = withCondition(
    { ...status, acceptedNames, storedVersions: versions.includes(storage) ? versions : [...versions, storage] },
    { type: 'NamesAccepted', status: conflict === undefined ? 'True' : 'False', reason, message },
    now,
  )
  const told = (isServed: boolean, why: string, text: string): JsonObject =>
    withCondition(named, { type: 'Established', status: isServed ? 'True' : 'False', reason: why, message: text }, now)
  if (isTrue(status, 'Established')) return settle(env, object, named)
  if (conflict !== undefined) return settle(env, object, told(false, 'NotAccepted', 'not all names are accepted'))
  // Two controllers of the real server write one after the other, which watchers see.
  const installing = settle(env, object, told(false, 'Installing', WELCOME))
  return settle(env, installing, told(true, 'InitialNamesAccepted', WELCOME))
}

function settle(env: Environment, object: Obj, status: JsonObject): Obj {
  return equal(status, objectOf(object.status)) ? object : writeDefinitionStatus(env, object, status)
}
