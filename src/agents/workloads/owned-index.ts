import type { WatchCache } from '../../adapters/kube/types.ts'
import { matchesSelector } from '../../lib/kube/label-selector.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { controllerOf, keyOf } from './meta.ts'
import { as } from './shapes.ts'

/** Objects of one cache by the owner that controls them, kept up to date by its changes: no controller ever looks through everything. */
export type OwnedIndex = {
  /** What the owner with that uid controls, and what nobody controls in the namespace. */
  readonly candidates: (uid: string, namespace: string) => KubeObject[]
  /** What the owner with that uid controls. */
  readonly of: (uid: string) => KubeObject[]
}

type Entry = { readonly owner: string; readonly ownerKey: string; readonly object: KubeObject }

/**
 * Indexes a cache by controlling owner of one kind.
 *
 * @param onOwner called with the key of the owner whose objects changed (also of the one that lost an object)
 * @param onOrphan called with an object that nobody controls
 */
export function indexByOwner(
  cache: WatchCache,
  ownerKind: string,
  onOwner: (ownerKey: string) => void,
  onOrphan: (object: KubeObject) => void,
): OwnedIndex {
  const entries = new Map<string, Entry>()
  const groups = new Map<string, Map<string, KubeObject>>()

  const leave = (key: string, entry: Entry): void => {
    const group = groups.get(entry.owner)
    group?.delete(key)
    if (group?.size === 0) groups.delete(entry.owner)
    entries.delete(key)
  }
  const enter = (key: string, object: KubeObject): Entry => {
    const controller = controllerOf(object)
    const namespace = object.metadata.namespace ?? ''
    const owner = controller?.uid ?? `${namespace}/`
    const ownerKey = controller?.kind === ownerKind ? `${namespace}/${controller.name}` : ''
    const entry = { owner, ownerKey, object }
    const group = groups.get(owner) ?? new Map<string, KubeObject>()
    groups.set(owner, group)
    group.set(key, object)
    entries.set(key, entry)
    return entry
  }
  const take = (object: KubeObject, type: 'ADDED' | 'MODIFIED' | 'DELETED'): void => {
    const key = keyOf(object)
    const before = entries.get(key)
    if (before) leave(key, before)
    const after = type === 'DELETED' ? undefined : enter(key, object)
    if (before?.ownerKey) onOwner(before.ownerKey)
    if (after?.ownerKey && after.ownerKey !== before?.ownerKey) onOwner(after.ownerKey)
    if (after && after.ownerKey === '' && controllerOf(object) === undefined) onOrphan(object)
  }
  cache.onChange(take)
  for (const object of cache.list()) take(object, 'ADDED')
  const of = (uid: string): KubeObject[] => [...(groups.get(uid)?.values() ?? [])]
  return { of, candidates: (uid, namespace) => [...of(uid), ...of(`${namespace}/`)] }
}

/** Indexes what owners of a kind control; wakes an owner whose objects change, or whose selector fits an object that nobody controls. */
export function indexForOwners(
  cache: WatchCache,
  owners: WatchCache,
  ownerKind: string,
  wake: (ownerKey: string) => void,
  selectorOf: (owner: KubeObject) => Selector | undefined = (owner) => as<Selecting>(owner).spec.selector,
): OwnedIndex {
  return indexByOwner(cache, ownerKind, wake, (orphan) => {
    for (const owner of owners.list(orphan.metadata.namespace))
      if (matchesSelector(selectorOf(owner), orphan.metadata.labels)) wake(keyOf(owner))
  })
}

type Selector = Parameters<typeof matchesSelector>[0]
type Selecting = KubeObject & { readonly spec: { readonly selector?: Selector } }
