import { clone, isObject, listOf } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { finalizersOf, type Obj } from '../object.ts'
import { asKept, toStored } from '../conversion/convert.ts'
import { afterWrite } from '../upkeep/after-write.ts'

/** True when an object that is being deleted is held by nothing more. */
export function isFinished(object: Obj): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = object.metadata
  if (deletionTimestamp === undefined || finalizersOf(object).length > 0 || (deletionGracePeriodSeconds ?? 0) > 0)
    return false
  return object.kind !== 'Namespace' || listOf(isObject(object.spec) ? object.spec.finalizers : undefined).length === 0
}

/** Removes an object for good; answers it as it last was. */
export function finish(env: Environment, call: Call, stored: Obj, last: Obj): Obj {
  end(env, call, stored, last)
  return asKept(call.resource, last)
}

/** Removes an object for good; answers the version of its end. */
export function end(env: Environment, call: Call, stored: Obj, last: Obj): string | undefined {
  const { resourceVersion } = env.store.remove(call.resource.storageKey, clone(toStored(call.resource, last))).metadata
  afterWrite(env, undefined, stored)
  return resourceVersion
}
