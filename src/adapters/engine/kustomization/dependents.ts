/** Who depends on whom, kept up to date key by key: with a thousand Kustomizations nobody can look at all of them at every change of one. */
export type Dependents = {
  /** Says what a Kustomization depends on now; an empty list when it is gone. */
  readonly note: (key: string, dependsOn: readonly string[]) => void
  /** The keys that depend on one. */
  readonly of: (key: string) => readonly string[]
  /** The keys that depend on any: only they can be in a cycle. */
  readonly depending: () => readonly string[]
}

/** Makes an empty index. */
export function indexDependents(): Dependents {
  const dependencies = new Map<string, readonly string[]>()
  const dependents = new Map<string, Set<string>>()
  return {
    note(key, dependsOn) {
      for (const before of dependencies.get(key) ?? []) remove(dependents, before, key)
      if (dependsOn.length === 0) return void dependencies.delete(key)
      dependencies.set(key, dependsOn)
      for (const one of dependsOn) dependents.set(one, (dependents.get(one) ?? new Set()).add(key))
    },
    of: (key) => [...(dependents.get(key) ?? [])],
    depending: () => [...dependencies.keys()],
  }
}

function remove(dependents: Map<string, Set<string>>, dependency: string, key: string): void {
  const keys = dependents.get(dependency)
  keys?.delete(key)
  if (keys?.size === 0) dependents.delete(dependency)
}
