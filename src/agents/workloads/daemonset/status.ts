import { withoutNoughts } from '../meta.ts'
import { isReadyPod } from '../pods.ts'
import { isAvailable, type Crew } from './crew.ts'
import { isUpdated } from './placement.ts'
import type { DaemonSetStatus } from './shapes.ts'

/** Counts nodes, not pods: of several pods on a node the senior one counts. */
export function statusOf(crew: Crew): DaemonSetStatus {
  const { set, hash, posts } = crew
  const wanted = posts.filter(({ verdict }) => verdict?.shouldRun)
  const seniors = wanted.flatMap(({ pods }) => pods.slice(0, 1))
  const ready = seniors.filter(isReadyPod)
  const available = ready.filter((pod) => isAvailable(crew, pod)).length
  const { collisionCount, conditions } = set.status ?? {}
  return {
    currentNumberScheduled: seniors.length,
    numberMisscheduled: posts.filter(({ verdict, pods }) => verdict && !verdict.shouldRun && pods.length > 0).length,
    desiredNumberScheduled: wanted.length,
    numberReady: ready.length,
    ...(set.metadata.generation !== undefined && { observedGeneration: set.metadata.generation }),
    ...withoutNoughts({
      updatedNumberScheduled: seniors.filter((pod) => isUpdated(set, pod, hash)).length,
      numberAvailable: available,
      numberUnavailable: wanted.length - available,
    }),
    ...(collisionCount !== undefined && { collisionCount }),
    ...(conditions && { conditions }),
  }
}
