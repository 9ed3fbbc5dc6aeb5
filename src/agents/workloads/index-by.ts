import type { WatchCache } from '../../adapters/kube/types.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { keyOf } from './meta.ts'

/** The objects of a cache that name something, in no order. */
export type NameIndex = (name: string) => readonly KubeObject[]

/**
 * Indexes a cache by what its objects name (a pod its node, its claims), kept up to date by its changes: a question costs what it answers,
 * not what there is.
 *
 * @param cache ready already; for as long as it lives
 * @param namesOf what an object names; none for one that is in no answer
 * @param onName called with each name whose answer may have changed
 */
export function indexBy(
  cache: WatchCache,
  namesOf: (object: KubeObject) => readonly string[],
  onName: (name: string) => void = () => undefined,
): NameIndex {
  const named = new Map<string, Map<string, KubeObject>>()
  const namesBefore = new Map<string, readonly string[]>()
  const take = (object: KubeObject, type: 'ADDED' | 'MODIFIED' | 'DELETED'): void => {
    const key = keyOf(object)
    const names = type === 'DELETED' ? [] : namesOf(object)
    const before = namesBefore.get(key) ?? []
    for (const name of before) {
      const group = named.get(name)
      group?.delete(key)
      if (group?.size === 0) named.delete(name)
    }
    for (const name of names) {
      const group = named.get(name) ?? new Map<string, KubeObject>()
      named.set(name, group.set(key, object))
    }
    if (names.length > 0) namesBefore.set(key, names)
    else namesBefore.delete(key)
    for (const name of new Set([...before, ...names])) onName(name)
  }
  cache.onChange(take)
  for (const object of cache.list()) take(object, 'ADDED')
  return (name) => [...(named.get(name)?.values() ?? [])]
}
