import { type KubeObject, refOf } from '../../../lib/kube/object.ts'
import { isRecord } from '../../../lib/value/is-record.ts'
import { inventoryEntry, staleEntries, unite } from '../../../pipeline/apply/inventory.ts'
import { compareForApply } from '../../../pipeline/apply/order.ts'
import { ApiError } from '../../kube/api-error.ts'
import { writeStatus } from '../status-writer.ts'
import { STATUS_MANAGER, type KustomizationTools } from './memory.ts'

/**
 * Tells the cluster what is about to be applied and stands in no inventory yet; an engine that may not write the shared book of them writes the
 * object's own status. Flux writes the inventory after the apply only; so do we with its traps.
 */
export async function holdInventory(
  { context, view, find, held }: KustomizationTools,
  key: string,
  objects: readonly KubeObject[],
): Promise<void> {
  const object = view.get(key)
  if (!object || context.traps === 'flux') return
  const before = find(key)?.inventory ?? []
  const fresh = staleEntries(objects.map(refOf).sort(compareForApply).map(inventoryEntry), before)
  if (fresh.length === 0) return
  try {
    await held.hold(key, object.metadata.uid ?? '', fresh)
  } catch (error) {
    if (!(error instanceof ApiError) || error.status >= 500) throw error
    const { status } = object
    const inventory = { entries: unite(before, fresh) }
    const whole = { ...(isRecord(status) ? status : {}), inventory }
    const written = await writeStatus(context.client, object, whole, STATUS_MANAGER)
    if (written) view.put(key, written)
  }
}
