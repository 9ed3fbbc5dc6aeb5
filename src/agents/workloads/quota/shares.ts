import type { KubeObject } from '../../../lib/kube/object.ts'
import { keyOf } from '../meta.ts'
import { isFinishedPod } from '../pods.ts'
import { as, type Pod, type Service } from '../shapes.ts'

/** What decides how much objects take of quotas, as last seen. */
export type Shares = {
  /** Whether the object may take another share than before; also when nobody knows what it took before. */
  readonly hasChanged: (object: KubeObject, isGone: boolean) => boolean
}

/**
 * Remembers of each object only what its share follows from: pods change all the time, and rarely what they take.
 *
 * @see k8s.io/kubernetes/pkg/quota/v1/install `DefaultUpdateFilter`
 */
export function createShares(): Shares {
  const known = new Map<string, string>()
  return {
    hasChanged(object, isGone) {
      const key = `${object.kind} ${keyOf(object)}`
      if (isGone) return known.delete(key)
      const share = shareOf(object)
      const before = known.get(key)
      known.set(key, share)
      return before !== share
    },
  }
}

function shareOf(object: KubeObject): string {
  if (object.kind === 'Service') return as<Service>(object).spec.type ?? ''
  if (object.kind === 'Pod') return shareOfPod(as<Pod>(object))
  return JSON.stringify([object['spec'], object['status']])
}

/** Whether it has ended, whether it is to end by itself, and what its containers ask for and have. */
function shareOfPod(pod: Pod): string {
  const { activeDeadlineSeconds, containers, initContainers = [], resources } = pod.spec
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {}
  return JSON.stringify([
    isFinishedPod(pod),
    activeDeadlineSeconds === undefined,
    resources,
    [...containers, ...initContainers].map((container) => container.resources),
    [...containerStatuses, ...initContainerStatuses].map((status) => status.resources),
  ])
}
