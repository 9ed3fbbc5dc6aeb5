import { listOf, objectOf, stringOf } from '../../../lib/kube/json.ts'
import type { Body } from '../decoding/body.ts'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { type FieldError, invalid } from '../fault.ts'
import type { Obj } from '../object.ts'
import { checkFinalizer } from '../validation/meta.ts'
import { replace } from '../verbs/change.ts'

/** PUT of namespaces/finalize: an update that takes the finalizers of spec, and no status. */
export function finalize(env: Environment, call: Call, stored: Obj, body: Body): Obj {
  const { metadata, spec } = objectOf(body.value)
  const errors: FieldError[] = []
  listOf(objectOf(spec).finalizers).forEach((each, index) =>
    checkFinalizer(stringOf(each), `spec.finalizers[${index}]`, errors),
  )
  if (errors.length > 0 && objectOf(metadata).name === call.name) throw invalid(call.resource, call.name, errors)
  return replace(env, call, stored, body)
}
