import { refOf, type KubeObject } from '../../lib/kube/object.ts'
import { controlledBy, controllerOf, matchesSelector } from './meta.ts'
import type { LabelSelector } from './shapes.ts'
import type { Write } from './write.ts'

/** What belongs to an owner, and the writes that make it so. */
export type Claims<T extends KubeObject> = { readonly mine: readonly T[]; readonly writes: readonly Write[] }

/**
 * Which candidates an owner controls: it keeps its own that match its selector, releases its own that no longer do, and adopts matching orphans
 * (unless it is being deleted). Pure.
 */
export function claim<T extends KubeObject>(
  owner: KubeObject,
  selector: LabelSelector,
  candidates: readonly T[],
  mayAdopt: (candidate: T) => boolean = () => true,
): Claims<T> {
  const mine: T[] = []
  const writes: Write[] = []
  const isLeaving = owner.metadata.deletionTimestamp !== undefined
  for (const candidate of candidates) {
    const controller = controllerOf(candidate)
    const isMatching = matchesSelector(selector, candidate.metadata.labels)
    if (controller?.uid === owner.metadata.uid) {
      if (isMatching) mine.push(candidate)
      else if (!isLeaving) writes.push(release(candidate, owner))
      continue
    }
    const isFree = controller === undefined && isMatching && candidate.metadata.deletionTimestamp === undefined
    if (isFree && !isLeaving && mayAdopt(candidate)) writes.push(adopt(candidate, owner))
  }
  return { mine, writes }
}

function adopt(candidate: KubeObject, owner: KubeObject): Write {
  const body = { metadata: { ownerReferences: [controlledBy(owner)], uid: candidate.metadata.uid } }
  return { do: 'patch', ref: refOf(candidate), type: 'strategic', body }
}

function release(candidate: KubeObject, owner: KubeObject): Write {
  const ownerReferences = [{ $patch: 'delete', uid: owner.metadata.uid }]
  const body = { metadata: { ownerReferences, uid: candidate.metadata.uid } }
  return { do: 'patch', ref: refOf(candidate), type: 'strategic', body }
}
