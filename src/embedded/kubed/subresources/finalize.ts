import { clone, equal, isObject, type Json, listOf, objectOf, stringOf } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { type FieldError, invalid, unnamed } from '../fault.ts'
import type { Obj } from '../object.ts'
import { checkFinalizer } from '../validation/meta.ts'
import { afterWrite } from '../upkeep/after-write.ts'
import { finish, isFinished } from '../verbs/end.ts'

/** PUT of namespaces/finalize: takes the finalizers of spec. */
export function finalize(env: Environment, call: Call, stored: Obj, body: Json): Obj {
  if (isObject(body) && stringOf(objectOf(body.metadata).name) === '') throw unnamed(call.name)
  const spec = objectOf(isObject(body) ? body.spec : undefined)
  const next = clone(stored)
  const finalizers = listOf(spec.finalizers)
  next.spec = finalizers.length > 0 ? { finalizers } : {}
  const errors: FieldError[] = []
  finalizers.forEach((each, index) => checkFinalizer(stringOf(each), `spec.finalizers[${index}]`, errors))
  if (errors.length > 0) throw invalid(call.resource, call.name, errors)
  if (call.dryRun) return next
  if (equal(next, stored)) return stored
  if (isFinished(next)) return finish(env, call, stored, next)
  const kept = env.store.put(call.resource.storageKey, next)
  afterWrite(env, kept, stored)
  return kept
}
