import { isClusterScoped } from '../schema/cluster-scope.ts'

/** Group, version and kind. */
export type Gvk = { readonly group: string; readonly version: string; readonly kind: string }

/** What kustomize knows an object by, at one moment of the build. */
export type ResId = Gvk & { readonly name: string; readonly namespace: string }

/** The namespace of what has none. */
export const NOT_A_NAMESPACE = '_non_namespaceable_'

/** Splits an apiVersion. */
export function splitApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/')
  if (slash < 0) return { group: '', version: apiVersion }
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

/** `group/version`, or the version alone. */
function apiVersionOf({ group, version }: Gvk): string {
  return group === '' ? version : `${group}/${version}`
}

/** Whether kustomize is sure that the kind has no namespace. */
export function isCluster(id: Gvk): boolean {
  return isClusterScoped(apiVersionOf(id), id.kind)
}

/** The namespace that counts: none is `default`, a cluster-scoped object has a name of its own. */
export function effectiveNamespace(id: ResId): string {
  if (isCluster(id)) return NOT_A_NAMESPACE
  return id.namespace === '' ? 'default' : id.namespace
}

/** A key for maps: equal ids have equal keys. */
export function idKey(id: ResId): string {
  return `${id.group}\n${id.version}\n${id.kind}\n${id.name}\n${effectiveNamespace(id)}`
}

/** `Kind.version.group/name.namespace`, as kustomize prints it. */
export function formatId(id: ResId): string {
  return `${formatGvk(id)}/${id.name || '[noName]'}.${id.namespace || '[noNs]'}`
}

/** `Kind.version.group`. */
export function formatGvk(id: Gvk): string {
  return `${id.kind || '[noKind]'}.${id.version || '[noVer]'}.${id.group || '[noGrp]'}`
}

/** As Go's `%#v` prints an id. */
export function goId(id: ResId): string {
  const q = JSON.stringify
  return `resid.ResId{Gvk:resid.Gvk{Group:${q(id.group)}, Version:${q(id.version)}, Kind:${q(id.kind)}, isClusterScoped:${isCluster(id)}}, Name:${q(id.name)}, Namespace:${q(id.namespace)}}`
}

/** Whether every part that the selector names is equal. */
export function isSelectedGvk(id: Gvk, selector: Partial<Gvk>): boolean {
  return (
    (!selector.group || selector.group === id.group) &&
    (!selector.version || selector.version === id.version) &&
    (!selector.kind || selector.kind === id.kind)
  )
}
