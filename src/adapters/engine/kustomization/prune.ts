import type { InventoryEntry, Kustomization } from '../../../kinds/kustomization.ts'
import type { ObjectRef } from '../../../lib/kube/object.ts'
import { parseInventoryEntry } from '../../../pipeline/apply/inventory.ts'
import { compareForApply } from '../../../pipeline/apply/order.ts'
import { ownerOf, rulesOf } from '../../../pipeline/apply/rules.ts'
import { ApiError } from '../../kube/api-error.ts'
import type { Target } from './target.ts'

/** What a prune did to one object. */
export type Pruned = { readonly ref: ObjectRef; readonly action: 'deleted' | 'skipped' }

/** A prune: what it did, and what could not be deleted (it stays in the inventory). */
export type PruneResult = {
  readonly pruned: readonly Pruned[]
  readonly failures: readonly { readonly entry: InventoryEntry; readonly message: string }[]
}

/**
 * Deletes what left Git, in the reverse order of applying. Only objects that still carry this Kustomization's labels and do not ask to stay;
 * what is gone already counts as deleted.
 */
export async function pruneObjects(
  { context: { client }, live }: Target,
  { namespace, name }: Kustomization,
  entries: readonly InventoryEntry[],
): Promise<PruneResult> {
  const pruned: Pruned[] = []
  const failures: { entry: InventoryEntry; message: string }[] = []
  const named = entries.flatMap((entry) => {
    const ref = parseInventoryEntry(entry)
    return ref ? [{ entry, ref }] : []
  })
  named.sort((a, b) => compareForApply(b.ref, a.ref))
  for (const { entry, ref } of named)
    try {
      pruned.push({ ref, action: await pruneOne(ref) })
    } catch (error) {
      failures.push({ entry, message: error instanceof Error ? error.message : String(error) })
    }
  return { pruned, failures }

  async function pruneOne(ref: ObjectRef): Promise<Pruned['action']> {
    const resource = await client.resource(ref.apiVersion, ref.kind)
    if (!resource) return 'deleted'
    const existing = await client.get(ref)
    live.forget(ref)
    if (!existing) return 'deleted'
    if (rulesOf(existing).isKept || ownerOf(existing) !== `${namespace}/${name}`) return 'skipped'
    const { uid } = existing.metadata
    try {
      await client.delete(ref, { propagationPolicy: 'Background', ...(uid === undefined ? {} : { uid }) })
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error
    }
    return 'deleted'
  }
}
