import { objectsOf } from '../../../lib/kube/json.ts'
import { type Obj, specOf } from '../object.ts'

/** A new node takes no pods before it says that it is ready. @see admission plugin TaintNodesByCondition */
export function taintNew(node: Obj): void {
  const spec = specOf(node)
  const taints = objectsOf(spec.taints)
  const key = 'node.kubernetes.io/not-ready'
  if (!taints.some((taint) => taint.key === key && taint.effect === 'NoSchedule'))
    spec.taints = [...taints, { key, effect: 'NoSchedule' }]
}
