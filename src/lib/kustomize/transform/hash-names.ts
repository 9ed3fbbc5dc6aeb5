import { hashOf } from '../objects/hash.ts'
import { currentId, metadataOf, setText, storePreviousId, type Resource } from '../objects/resource.ts'

/** Puts the hash of its content behind the name of each generated object. */
export function hashNames(resources: readonly Resource[]): void {
  for (const resource of resources) {
    if (!resource.needsHash) continue
    const hash = hashOf(resource)
    storePreviousId(resource)
    setText(metadataOf(resource), 'name', `${currentId(resource).name}-${hash}`, '')
  }
}
