import { scaledValue } from '../meta.ts'
import type { Deployment, ReplicaSet } from '../shapes.ts'

/** Wanted sizes of ReplicaSets, by name. */
export type Sizes = ReadonlyMap<string, number>

const DEFAULT_SHARE = '25%'

/** Replicas that the Deployment wants. */
export function wantedReplicas(deployment: Deployment): number {
  return deployment.spec.replicas ?? 1
}

/** Whether pods are replaced a few at a time (the default), not all at once. */
export function isRolling(deployment: Deployment): boolean {
  return deployment.spec.strategy?.type !== 'Recreate'
}

/** How many pods more than wanted there may be during an update: percentages round up. */
export function maxSurge(deployment: Deployment): number {
  if (!isRolling(deployment)) return 0
  return scaledValue(
    deployment.spec.strategy?.rollingUpdate?.maxSurge ?? DEFAULT_SHARE,
    wantedReplicas(deployment),
    'up',
  )
}

/** How many of the wanted pods may be missing: percentages round down; both bounds at nought would never move, so it is 1 then. */
export function maxUnavailable(deployment: Deployment): number {
  const replicas = wantedReplicas(deployment)
  if (!isRolling(deployment) || replicas === 0) return 0
  const wish = deployment.spec.strategy?.rollingUpdate?.maxUnavailable ?? DEFAULT_SHARE
  const share = scaledValue(wish, replicas, 'down')
  return Math.min(share === 0 && maxSurge(deployment) === 0 ? 1 : share, replicas)
}

/** Sum of wanted sizes. */
export function totalReplicas(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + sizeOf(set), 0)
}

/** Sum of pods that are there or wanted: a set that was told to shrink still has its pods until its own controller took them away. */
function presentReplicas(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + Math.max(sizeOf(set), set.status?.replicas ?? 0), 0)
}

/** Sum of pods that are available. */
export function totalAvailable(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + (set.status?.availableReplicas ?? 0), 0)
}

/** Pods of a ReplicaSet that are available, and stay: one that was told to shrink has no more of them than it is to keep, whatever its status says yet. */
function stayingAvailable(set: ReplicaSet): number {
  return Math.min(set.status?.availableReplicas ?? 0, sizeOf(set))
}

/** Wanted size of a ReplicaSet. */
export function sizeOf(set: ReplicaSet): number {
  return set.spec.replicas ?? 1
}

/** The size that the present template's ReplicaSet may have now. */
export function nextSize(deployment: Deployment, all: readonly ReplicaSet[], current: ReplicaSet | undefined): number {
  const wanted = wantedReplicas(deployment)
  const size = current ? sizeOf(current) : 0
  if (!isRolling(deployment) || size > wanted) return wanted
  const room = wanted + maxSurge(deployment) - presentReplicas(all)
  return room <= 0 ? size : size + Math.min(room, wanted - size)
}

/**
 * The sizes to which old ReplicaSets may shrink now: first pods that were never healthy, then as many healthy ones as are available beyond the minimum.
 * Keeps `available >= wanted - maxUnavailable` at every step.
 */
export function shrinkOld(deployment: Deployment, current: ReplicaSet, old: readonly ReplicaSet[]): Sizes {
  const sizes = new Map<string, number>()
  const all = [...old, current]
  const minAvailable = wantedReplicas(deployment) - maxUnavailable(deployment)
  const currentUnavailable = sizeOf(current) - stayingAvailable(current)
  const mostDown = totalReplicas(all) - minAvailable - currentUnavailable
  if (mostDown <= 0) return sizes

  let unhealthyDown = 0
  for (const set of old) {
    const down = Math.min(mostDown - unhealthyDown, sizeOf(set) - stayingAvailable(set))
    if (sizeOf(set) === 0 || down <= 0) continue
    sizes.set(set.metadata.name, sizeOf(set) - down)
    unhealthyDown += down
  }
  let spare = all.reduce((sum, set) => sum + stayingAvailable(set), 0) - minAvailable
  for (const set of old) {
    const size = sizes.get(set.metadata.name) ?? sizeOf(set)
    const down = Math.min(size, spare)
    if (down <= 0) continue
    sizes.set(set.metadata.name, size - down)
    spare -= down
  }
  return sizes
}
