import { type KubeObject, refOf } from '../../../lib/kube/object.ts'
import { isRecord } from '../../../lib/value/is-record.ts'
import { inventoryEntry, unite } from '../../../pipeline/apply/inventory.ts'
import { compareForApply } from '../../../pipeline/apply/order.ts'
import { writeStatus } from '../status-writer.ts'
import { STATUS_MANAGER, type KustomizationTools } from './memory.ts'

/**
 * Puts what is about to be applied into the inventory before it is: should this process end in between and Git drop the object, the next
 * apply still knows whose it is and prunes it (docs/adr/0046).
 *
 * Costs one write where objects are new, none otherwise. Flux writes the inventory after the apply only; so do we with its traps.
 */
export async function holdInventory(
  { context, view, find }: KustomizationTools,
  key: string,
  objects: readonly KubeObject[],
): Promise<void> {
  const object = view.get(key)
  if (!object || context.traps === 'flux') return
  const before = find(key)?.inventory ?? []
  const entries = unite(before, objects.map(refOf).sort(compareForApply).map(inventoryEntry))
  if (entries.length === before.length) return
  const { status } = object
  const held = { ...(isRecord(status) ? status : {}), inventory: { entries } }
  const written = await writeStatus(context.client, object, held, STATUS_MANAGER)
  if (written) view.put(key, written)
}
