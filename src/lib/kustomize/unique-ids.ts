import { toValue } from '../yaml/to-value.ts'
import { buildError } from './failure.ts'
import { goJson } from './hash.ts'
import { currentKey, type Resource } from './resource.ts'

/** Refuses two objects of the same id, listing them. */
export function checkUniqueIds(resources: readonly Resource[], message: string): void {
  const seen = new Map<string, Resource>()
  for (const resource of resources) {
    if (resource.isDeleted) continue
    const key = currentKey(resource)
    const first = seen.get(key)
    if (first) {
      const both = [first, resource].map((one) => goJson(toValue(one.node, { integers: 'bigint' })))
      throw buildError(`${message}[${both.join(' ')}]`, resource.node)
    }
    seen.set(key, resource)
  }
}
