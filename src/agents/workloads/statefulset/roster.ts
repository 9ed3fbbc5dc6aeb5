import type { ControllerRevision } from '../history/revision.ts'
import { isAvailablePod } from '../pods.ts'
import type { Pod } from '../shapes.ts'
import type { ClaimNamed } from './claims.ts'
import { isWanted, ordinalOf } from './identity.ts'
import type { StatefulSet } from './shapes.ts'

/** A StatefulSet's pods in their places, and the revisions between which it moves. */
export type Roster = {
  readonly set: StatefulSet
  /** Pods that it wants, by ordinal. */
  readonly pods: ReadonlyMap<number, Pod>
  /** Pods beyond what it wants, highest ordinal first. */
  readonly condemned: readonly Pod[]
  readonly current: ControllerRevision
  readonly update: ControllerRevision
  readonly claimNamed: ClaimNamed
  readonly nowMs: number
}

/** Puts a StatefulSet's pods in their places. */
export function callRoster(given: Omit<Roster, 'pods' | 'condemned'>, pods: readonly Pod[]): Roster {
  const placed = pods
    .map((pod) => ({ pod, ordinal: ordinalOf(given.set, pod) ?? -1 }))
    .sort((a, b) => b.ordinal - a.ordinal)
  const wanted = placed.filter(({ ordinal }) => isWanted(given.set, ordinal))
  const condemned = placed.filter(({ ordinal }) => ordinal >= 0 && !isWanted(given.set, ordinal)).map(({ pod }) => pod)
  return { ...given, pods: new Map(wanted.map(({ pod, ordinal }) => [ordinal, pod])), condemned }
}

/** Whether the pod serves: ready for long enough, and not leaving. */
export function isServing({ set, nowMs }: Roster, pod: Pod): boolean {
  return !isLeaving(pod) && isAvailablePod(pod, set.spec.minReadySeconds ?? 0, nowMs)
}

/** Whether the pod is being deleted. */
export function isLeaving(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined
}
