import { listOf, objectsOf } from '../../../lib/kube/json.ts'
import { type Obj, specOf } from '../object.ts'

const NOT_READY = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

/** A pod stays for five minutes on a node that is not ready or not reached, unless it says otherwise. In place. */
export function tolerateForAWhile(pod: Obj): void {
  const spec = specOf(pod)
  const tolerations = listOf(spec.tolerations)
  for (const key of NOT_READY) {
    const isTolerated = objectsOf(tolerations).some(
      (each) =>
        (each.key === key || (each.key ?? '') === '') && (each.effect === 'NoExecute' || (each.effect ?? '') === ''),
    )
    if (!isTolerated) tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 })
  }
  spec.tolerations = tolerations
}
