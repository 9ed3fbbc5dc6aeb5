import { byCreation } from '../meta.ts'
import type { Deployment, ReplicaSet } from '../shapes.ts'
import { desiredAnnotation, maxAnnotation } from './replica-sets.ts'
import { isRolling, maxSurge, sizeOf, totalReplicas, wantedReplicas, type Sizes } from './scaling.ts'

/** Whether the Deployment was scaled since its ReplicaSets were last sized. */
export function isScaled(deployment: Deployment, all: readonly ReplicaSet[]): boolean {
  return all.some((set) => {
    const desired = desiredAnnotation(set)
    return sizeOf(set) > 0 && desired !== undefined && desired !== wantedReplicas(deployment)
  })
}

/**
 * The sizes after scaling, or while paused: the only ReplicaSet takes the new number; in the middle of a rollout the difference is shared out in
 * proportion to the sizes, and the remainder goes to the largest.
 */
export function scaleSizes(deployment: Deployment, current: ReplicaSet | undefined, old: readonly ReplicaSet[]): Sizes {
  const wanted = wantedReplicas(deployment)
  const single = activeOrLatest(current, old)
  if (single) return new Map(sizeOf(single) === wanted ? [] : [[single.metadata.name, wanted]])
  if (current && isSaturated(deployment, current))
    return new Map(old.filter((set) => sizeOf(set) > 0).map((set) => [set.metadata.name, 0]))
  return isRolling(deployment) ? sharedSizes(deployment, current ? [...old, current] : old) : new Map()
}

function activeOrLatest(current: ReplicaSet | undefined, old: readonly ReplicaSet[]): ReplicaSet | undefined {
  const active = (current ? [...old, current] : old).filter((set) => sizeOf(set) > 0)
  if (active.length > 1) return undefined
  return active[0] ?? current ?? old.at(-1)
}

function isSaturated(deployment: Deployment, current: ReplicaSet): boolean {
  const wanted = wantedReplicas(deployment)
  return (
    sizeOf(current) === wanted &&
    desiredAnnotation(current) === wanted &&
    (current.status?.availableReplicas ?? 0) === wanted
  )
}

function sharedSizes(deployment: Deployment, all: readonly ReplicaSet[]): Sizes {
  const active = all.filter((set) => sizeOf(set) > 0)
  const wanted = wantedReplicas(deployment)
  const allowed = wanted > 0 ? wanted + maxSurge(deployment) : 0
  const toAdd = allowed - totalReplicas(active)
  // Growth favours the newer of two equals, shrinking the older.
  active.sort((a, b) => sizeOf(b) - sizeOf(a) || (toAdd > 0 ? byCreation(b, a) : byCreation(a, b)))
  const sizes = new Map<string, number>()
  let added = 0
  for (const set of active) {
    const share = proportionOf(deployment, set, toAdd, added)
    sizes.set(set.metadata.name, sizeOf(set) + share)
    added += share
  }
  const [largest] = active
  if (largest && toAdd !== 0) {
    const size = (sizes.get(largest.metadata.name) ?? 0) + toAdd - added
    sizes.set(largest.metadata.name, Math.max(size, 0))
  }
  return sizes
}

function proportionOf(deployment: Deployment, set: ReplicaSet, toAdd: number, added: number): number {
  if (sizeOf(set) === 0 || toAdd === 0 || toAdd === added) return 0
  const share = fractionOf(deployment, set)
  const rest = toAdd - added
  return toAdd > 0 ? Math.min(share, rest) : Math.max(share, rest)
}

function fractionOf(deployment: Deployment, set: ReplicaSet): number {
  const wanted = wantedReplicas(deployment)
  if (wanted === 0) return -sizeOf(set)
  const before = maxAnnotation(set) ?? deployment.status?.replicas ?? 0
  if (before === 0) return 0
  return Math.round((sizeOf(set) * (wanted + maxSurge(deployment))) / before) - sizeOf(set)
}
