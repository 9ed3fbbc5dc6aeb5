import { isAvailablePod, isReadyPod } from '../pods.ts'
import { withoutNoughts } from '../meta.ts'
import type { Pod } from '../shapes.ts'
import { revisionLabel } from './identity.ts'
import { isLeaving, type Roster } from './roster.ts'
import { wantedReplicas, type StatefulSetStatus } from './shapes.ts'

/** The counts and revisions; once every pod is of the update revision and ready, that revision is the current one. */
export function statusOf(
  { set, current, update, nowMs }: Roster,
  pods: readonly Pod[],
  collisionCount: number,
): StatefulSetStatus {
  const ready = pods.filter((pod) => pod.status?.phase === 'Running' && isReadyPod(pod))
  const count = (revision: string): number =>
    pods.filter((pod) => !isLeaving(pod) && revisionLabel(pod) === revision).length
  const updated = count(update.metadata.name)
  const isComplete = [updated, ready.length, pods.length].every((number) => number === wantedReplicas(set))
  return {
    ...(set.metadata.generation !== undefined && { observedGeneration: set.metadata.generation }),
    replicas: pods.length,
    ...withoutNoughts({
      readyReplicas: ready.length,
      currentReplicas: isComplete ? updated : count(current.metadata.name),
      updatedReplicas: updated,
    }),
    availableReplicas: ready.filter((pod) => isAvailablePod(pod, set.spec.minReadySeconds ?? 0, nowMs)).length,
    currentRevision: isComplete ? update.metadata.name : current.metadata.name,
    updateRevision: update.metadata.name,
    collisionCount,
    ...(set.status?.conditions && { conditions: set.status.conditions }),
  }
}
