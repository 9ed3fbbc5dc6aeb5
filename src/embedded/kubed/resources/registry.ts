import { builtinResources } from './builtin.ts'
import { apiVersionOf, type Resource } from './resource.ts'

/** All kinds that the server has now. Definitions of custom resources add to it and take away. */
export type Registry = {
  readonly find: (group: string, version: string, plural: string) => Resource | undefined
  readonly findKind: (apiVersion: string, kind: string) => Resource | undefined
  readonly all: () => readonly Resource[]
  /** Those of definitions alone. */
  readonly allCustom: () => readonly Resource[]
  /** True when some version of the group is served. */
  readonly hasGroupVersion: (group: string, version: string) => boolean
  /** Replaces the resources that a definition brings; none removes them. */
  readonly setCustom: (definition: string, resources: readonly Resource[]) => void
  /** Any kind that is kept under the key. */
  readonly byStorageKey: (key: string) => Resource | undefined
  /** Counts up with every change: for caches of documents. */
  readonly revision: () => number
}

/** The kinds of a fresh server. */
export function makeRegistry(): Registry {
  const byPath = new Map<string, Resource>()
  const custom = new Map<string, readonly Resource[]>()
  let revision = 1
  const pathOf = ({ group, version, plural }: Resource): string => `${group}/${version}/${plural}`
  for (const resource of builtinResources()) byPath.set(pathOf(resource), resource)
  return {
    find: (group, version, plural) => byPath.get(`${group}/${version}/${plural}`),
    findKind: (apiVersion, kind) => {
      for (const resource of byPath.values())
        if (resource.kind === kind && apiVersionOf(resource) === apiVersion) return resource
      return undefined
    },
    all: () => [...byPath.values()],
    allCustom: () => [...custom.values()].flat(),
    hasGroupVersion: (group, version) => {
      for (const resource of byPath.values()) if (resource.group === group && resource.version === version) return true
      return false
    },
    setCustom: (definition, resources) => {
      for (const old of custom.get(definition) ?? []) byPath.delete(pathOf(old))
      custom.delete(definition)
      if (resources.length > 0) custom.set(definition, resources)
      for (const resource of resources) byPath.set(pathOf(resource), resource)
      revision++
    },
    byStorageKey: (key) => {
      for (const resource of byPath.values())
        if (resource.storageKey === key && apiVersionOf(resource) === resource.storedVersion) return resource
      return undefined
    },
    revision: () => revision,
  }
}
