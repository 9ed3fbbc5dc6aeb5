import { objectText } from './build-notes.ts'
import { buildError } from '../failure.ts'
import { currentKey, type Resource } from './resource.ts'

/** Follows the ids of objects while they change one by one. */
export type IdCount = {
  readonly leave: (resource: Resource) => void
  /** @throws SluiceError when another object has the id now */
  readonly enter: (resource: Resource) => void
}

/** Counts the ids of objects that are given a namespace. */
export function countIds(resources: readonly Resource[]): IdCount {
  const counts = new Map<string, number>()
  const add = (key: string, step: number): number => {
    const count = (counts.get(key) ?? 0) + step
    counts.set(key, count)
    return count
  }
  for (const resource of resources) if (!resource.isDeleted) add(currentKey(resource), 1)
  return {
    leave: (resource) => void add(currentKey(resource), -1),
    enter: (resource) => {
      const key = currentKey(resource)
      if (add(key, 1) === 1) return
      const same = resources.filter((one) => !one.isDeleted && currentKey(one) === key)
      const listed = same.map(objectText).join(' ')
      throw buildError(`namespace transformation produces ID conflict: [${listed}]`, resource.node)
    },
  }
}
