import { type LabelSelector, matchesSelector } from '../../lib/kube/label-selector.ts'
import { refOf, type KubeObject } from '../../lib/kube/object.ts'
import { controlledBy, controllerOf } from './meta.ts'
import type { Write } from './write.ts'

/** What belongs to an owner, and the writes that make it so. */
export type Claims<T extends KubeObject> = { readonly mine: readonly T[]; readonly writes: readonly Write[] }

/**
 * Which candidates an owner controls: it keeps its own that match its selector, releases its own that no longer do, and adopts matching orphans
 * (unless it is being deleted). Pure.
 *
 * @param finalizer held by what the owner controls, from its adoption to its release
 */
export function claim<T extends KubeObject>(
  owner: KubeObject,
  selector: LabelSelector,
  candidates: readonly T[],
  finalizer?: string,
): Claims<T> {
  const mine: T[] = []
  const writes: Write[] = []
  const isLeaving = owner.metadata.deletionTimestamp !== undefined
  for (const candidate of candidates) {
    const controller = controllerOf(candidate)
    const isMatching = matchesSelector(selector, candidate.metadata.labels)
    if (controller?.uid === owner.metadata.uid) {
      if (isMatching) mine.push(candidate)
      else if (!isLeaving) writes.push(release(candidate, owner, finalizer))
      continue
    }
    const isFree = controller === undefined && isMatching && candidate.metadata.deletionTimestamp === undefined
    if (isFree && !isLeaving) writes.push(adopt(candidate, owner, finalizer))
  }
  return { mine, writes }
}

function adopt(candidate: KubeObject, owner: KubeObject, finalizer: string | undefined): Write {
  const held = finalizer === undefined ? {} : { finalizers: [finalizer] }
  const body = { metadata: { ownerReferences: [controlledBy(owner)], uid: candidate.metadata.uid, ...held } }
  return { do: 'patch', ref: refOf(candidate), type: 'strategic', body }
}

function release(candidate: KubeObject, owner: KubeObject, finalizer: string | undefined): Write {
  const ownerReferences = [{ $patch: 'delete', uid: owner.metadata.uid }]
  const free = finalizer === undefined ? {} : { '$deleteFromPrimitiveList/finalizers': [finalizer] }
  const body = { metadata: { ownerReferences, uid: candidate.metadata.uid, ...free } }
  return { do: 'patch', ref: refOf(candidate), type: 'strategic', body }
}
