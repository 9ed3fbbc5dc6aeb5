import type { Registry } from './registry.ts'

/** Groups in the order in which clients prefer them. */
const FIRST = [
  '',
  'apiregistration.k8s.io',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'resource.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'storagemigration.k8s.io',
]

/** Versions of each group, preferred first. */
export function groupsOf(registry: Registry): [group: string, versions: readonly string[]][] {
  const groups = new Map<string, Set<string>>()
  for (const { group, version } of registry.all()) groups.set(group, (groups.get(group) ?? new Set()).add(version))
  const rank = (group: string): number => (FIRST.includes(group) ? FIRST.indexOf(group) : FIRST.length)
  return [...groups]
    .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map(([group, versions]) => [group, [...versions].sort(compareVersions)])
}

/** Kubernetes' order: released before beta before alpha, newer first. */
export function compareVersions(a: string, b: string): number {
  const parts = (version: string): number[] => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
    if (match === null) return [-1, 0, 0]
    const stage = match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0
    return [stage, Number(match[1]), Number(match[3] ?? 0)]
  }
  const left = parts(a)
  const right = parts(b)
  for (const index of [0, 1, 2]) {
    const difference = (right[index] ?? 0) - (left[index] ?? 0)
    if (difference !== 0) return difference
  }
  return a < b ? -1 : 1
}
