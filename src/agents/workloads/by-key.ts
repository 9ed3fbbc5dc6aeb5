import type { WatchCache } from '../../adapters/kube/types.ts'
import type { Wake } from '../../engine/controller.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { keyOf } from './meta.ts'
import { as } from './shapes.ts'

/** Wakes every object of a cache, now and when it changes. */
export function wakeFor(cache: WatchCache, wake: Wake['now']): void {
  cache.onChange((object) => wake(keyOf(object)))
  for (const object of cache.list()) wake(keyOf(object))
}

/** The object that a key stands for, as the cache has it. */
export function lookUp<T extends KubeObject = KubeObject>(cache: WatchCache, key: string): T | undefined {
  const [name = '', namespace = ''] = key.split('/').reverse()
  const object = cache.get(namespace, name)
  return object && as<T>(object)
}
