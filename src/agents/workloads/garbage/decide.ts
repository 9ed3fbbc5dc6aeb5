import type { KubeObject, OwnerReference } from '../../../lib/kube/object.ts'
import type { GraphNode } from './graph.ts'

/** Finalizers by which the API server asks for the order of a deletion. */
export const FOREGROUND = 'foregroundDeletion'
export const ORPHAN = 'orphan'

/**
 * How an owner is found to be. Of one that cannot be looked for nothing may be concluded: the server does not serve its kind (`unserved`), or it would
 * be in a namespace that nobody says (`unknown`).
 */
export type OwnerState = 'present' | 'absent' | 'waiting' | 'unserved' | 'unknown'

/** What a collector's decision needs: an object as it is on the server now, its owners' states and its dependents. */
export type GarbageSeen = {
  readonly object: KubeObject
  readonly owners: readonly { readonly owner: OwnerReference; readonly state: OwnerState }[]
  readonly dependents: readonly GraphNode[]
}

/** What is to be done about one object: something to write, or a look at others that ought to go before it. */
export type GarbageStep = GarbageWrite | { readonly do: 'collect'; readonly dependents: readonly GraphNode[] }

/** What is to be written about one object. */
export type GarbageWrite =
  | { readonly do: 'delete'; readonly propagationPolicy: 'Background' | 'Foreground' | 'Orphan' }
  | { readonly do: 'dropOwners'; readonly uids: readonly string[] }
  | { readonly do: 'dropFinalizer'; readonly finalizer: string }
  /** Lets the object's owners go before it does. */
  | { readonly do: 'unblock' }
  | { readonly do: 'orphan'; readonly dependents: readonly GraphNode[] }

/**
 * Pure. An object all of whose owners are gone goes too; one that waits for its dependents asks them to go, and ends when those that block it have gone.
 *
 * @see https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
export function decideGarbage({ object, owners, dependents }: GarbageSeen): readonly GarbageStep[] {
  const { finalizers = [], deletionTimestamp, uid = '' } = object.metadata
  if (deletionTimestamp !== undefined) return endingSteps(finalizers, dependents, uid)
  if (owners.length === 0 || owners.some(({ state }) => state === 'unserved' || state === 'unknown')) return []
  const absent = owners.filter(({ state }) => state === 'absent')
  const waiting = owners.filter(({ state }) => state === 'waiting')
  if (absent.length + waiting.length < owners.length) {
    const uids = [...absent, ...waiting].map(({ owner }) => owner.uid)
    return uids.length > 0 ? [{ do: 'dropOwners', uids }] : []
  }
  const isForeground = waiting.length > 0 && dependents.length > 0
  // what waits for its dependents and is one of ours may be an owner of ours, too: nobody of a circle would ever go first
  const isInCircle = dependents.some((each) => each.isDeleting && each.finalizers.includes(FOREGROUND))
  if (isForeground && isInCircle && owners.some(({ owner }) => owner.blockOwnerDeletion === true))
    return [{ do: 'unblock' }]
  return [{ do: 'delete', propagationPolicy: isForeground ? 'Foreground' : policyOf(finalizers) }]
}

function endingSteps(
  finalizers: readonly string[],
  dependents: readonly GraphNode[],
  uid: string,
): readonly GarbageStep[] {
  if (finalizers.includes(ORPHAN))
    return dependents.length > 0 ? [{ do: 'orphan', dependents }] : [{ do: 'dropFinalizer', finalizer: ORPHAN }]
  if (!finalizers.includes(FOREGROUND)) return []
  const blocking = dependents.filter(({ owners }) => owners.some((o) => o.uid === uid && o.blockOwnerDeletion === true))
  if (blocking.length === 0) return [{ do: 'dropFinalizer', finalizer: FOREGROUND }]
  const present = dependents.filter(({ isDeleting }) => !isDeleting)
  return present.length > 0 ? [{ do: 'collect', dependents: present }] : []
}

function policyOf(finalizers: readonly string[]): 'Background' | 'Foreground' | 'Orphan' {
  if (finalizers.includes(ORPHAN)) return 'Orphan'
  return finalizers.includes(FOREGROUND) ? 'Foreground' : 'Background'
}
