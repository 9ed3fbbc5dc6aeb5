import { objectOf, stringOf } from '../../../lib/kube/json.ts'
import type { Obj } from '../object.ts'

/** A pod's class of service is what it was made with. In place. */
export function keepClass(pod: Obj, before: Obj): void {
  const { qosClass } = objectOf(before.status)
  const status = objectOf(pod.status)
  if (stringOf(status.qosClass) === '' && qosClass !== undefined) pod.status = { ...status, qosClass }
}
