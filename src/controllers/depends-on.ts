import type { Kustomization } from '../kinds/kustomization.ts'
import { isReady } from '../kinds/flux-object.ts'

/** A dependency as it stands; `undefined` object: there is none of that name. */
export type DependencyState = {
  readonly key: string
  readonly kustomization: Kustomization | undefined
  /** What `readyExpr` answered; absent when there is none. An error text is why it could not be answered. */
  readonly expression?: { readonly isReady: boolean } | { readonly error: string; readonly isTerminal: boolean }
}

/** Why a Kustomization must wait for others; `undefined` when all are ready. */
export type DependencyBlock = { readonly message: string; readonly isTerminal: boolean }

/**
 * Whether every dependency is ready: seen in its generation, Ready=True, and on the same revision when both use one source.
 * A `readyExpr` replaces that check, as in Flux.
 */
export function blockedBy(
  kustomization: Kustomization,
  revision: string,
  dependencies: readonly DependencyState[],
): DependencyBlock | undefined {
  for (const { key, kustomization: dependency, expression } of dependencies) {
    if (!dependency) return { message: missing(key), isTerminal: false }
    if (expression) {
      if ('error' in expression) return { message: expression.error, isTerminal: expression.isTerminal }
      if (!expression.isReady)
        return { message: `dependency '${key}' is not ready according to readyExpr eval`, isTerminal: false }
      continue
    }
    if (!isReadyNow(dependency)) return { message: `dependency '${key}' is not ready`, isTerminal: false }
    if (sameSource(kustomization, dependency) && dependency.lastAppliedRevision !== revision)
      return { message: `dependency '${key}' revision is not up to date`, isTerminal: false }
  }
  return undefined
}

function missing(key: string): string {
  const name = key.slice(key.indexOf('/') + 1)
  return `dependency '${key}' not found: kustomizations.kustomize.toolkit.fluxcd.io "${name}" not found`
}

function isReadyNow(kustomization: Kustomization): boolean {
  return kustomization.observedGeneration === kustomization.generation && isReady(kustomization)
}

function sameSource(a: Kustomization, b: Kustomization): boolean {
  const { kind, namespace, name } = a.sourceRef
  return kind === b.sourceRef.kind && namespace === b.sourceRef.namespace && name === b.sourceRef.name
}

/** The first cycle of dependencies that leads back to `start`, as keys in order; `undefined` when there is none. */
export function findCycle(
  start: string,
  dependenciesOf: (key: string) => readonly string[],
): readonly string[] | undefined {
  const path: string[] = []
  const done = new Set<string>()
  const visit = (key: string): readonly string[] | undefined => {
    if (key === start && path.length > 0) return [...path, key]
    if (done.has(key)) return undefined
    done.add(key)
    path.push(key)
    for (const next of dependenciesOf(key)) {
      const cycle = visit(next)
      if (cycle) return cycle
    }
    path.pop()
    return undefined
  }
  return visit(start)
}
