import type { InventoryEntry } from '../../kinds/kustomization.ts'
import { groupOf, versionOf, type ObjectRef } from '../../lib/kube/object.ts'

/** How Flux notes an object in `status.inventory`: `<namespace>_<name>_<group>_<kind>`, colons of RBAC names as `__`, and its version. */
export function inventoryEntry({ apiVersion, kind, namespace, name }: ObjectRef): InventoryEntry {
  const group = groupOf(apiVersion)
  const safe = group === 'rbac.authorization.k8s.io' ? name.replaceAll(':', '__') : name
  return { id: `${namespace}_${safe}_${group}_${kind}`, v: versionOf(apiVersion) }
}

/** Reads an inventory entry; `undefined` for an id that Flux did not write. */
export function parseInventoryEntry({ id, v }: InventoryEntry): ObjectRef | undefined {
  const first = id.indexOf('_')
  const last = id.lastIndexOf('_')
  const middle = id.lastIndexOf('_', last - 1)
  if (first < 0 || middle <= first) return undefined
  const group = id.slice(middle + 1, last)
  const written = id.slice(first + 1, middle)
  const name = group === 'rbac.authorization.k8s.io' ? written.replaceAll('__', ':') : written
  return {
    apiVersion: group === '' ? v : `${group}/${v}`,
    kind: id.slice(last + 1),
    namespace: id.slice(0, first),
    name,
  }
}

/** What an older inventory has and a newer one lacks, whatever the version: what is to be pruned. */
export function staleEntries(
  before: readonly InventoryEntry[],
  after: readonly InventoryEntry[],
): readonly InventoryEntry[] {
  const kept = new Set(after.map(({ id }) => id))
  return before.filter(({ id }) => !kept.has(id))
}

/** What was there before and what comes to be: nothing that was applied is ever lost from sight. */
export function unite(before: readonly InventoryEntry[], added: readonly InventoryEntry[]): readonly InventoryEntry[] {
  return [...before, ...staleEntries(added, before)]
}
