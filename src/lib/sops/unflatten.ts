import { SluiceError } from '../error/sluice-error.ts'
import type { SopsEntry, SopsMap, SopsNode } from './tree.ts'

/** A tree being put together: one of value, fields and items. */
type Slot = { value?: SopsNode; readonly fields: Map<string, Slot>; readonly items: Map<number, Slot> }

const MOST_ITEMS = 10_000

/**
 * Puts together what formats without nesting wrote flat: `age__list_0__map_recipient` is `age[0].recipient`.
 *
 * @throws SluiceError SOPS_DECRYPT when the keys contradict each other
 */
export function unflatten(entries: readonly SopsEntry[]): SopsMap {
  const root = emptySlot()
  for (const entry of entries) if ('key' in entry) place(root, entry.key, entry.value)
  const node = gather(root)
  return node.kind === 'map' ? node : { kind: 'map', entries: [] }
}

function place(root: Slot, key: string, value: SopsNode): void {
  const parts = key.split(/(?=__map_|__list_)/)
  let slot = root
  for (const part of parts) {
    const position = /^__list_(\d+)$/.exec(part)?.[1]
    slot =
      position === undefined ? below(slot.fields, part.replace(/^__map_/, '')) : below(slot.items, Number(position))
  }
  if (slot.value !== undefined) throw fault(`Duplicate value "${key}"`)
  slot.value = value
}

function below<Key>(slots: Map<Key, Slot>, key: Key): Slot {
  const slot = slots.get(key) ?? emptySlot()
  slots.set(key, slot)
  return slot
}

function emptySlot(): Slot {
  return { fields: new Map(), items: new Map() }
}

function gather({ value, fields, items }: Slot): SopsNode {
  if (Number(value !== undefined) + Number(fields.size > 0) + Number(items.size > 0) > 1) throw fault('Type mismatch')
  if (value !== undefined) return value
  if (items.size === 0)
    return { kind: 'map', entries: [...fields].map(([key, slot]) => ({ key, value: gather(slot) })) }
  if (items.size > MOST_ITEMS) throw fault('the list is too long')
  return {
    kind: 'list',
    items: Array.from({ length: items.size }, (_, at) => {
      const slot = items.get(at)
      if (!slot) throw fault('Incomplete list')
      return gather(slot)
    }),
  }
}

function fault(why: string): SluiceError {
  return new SluiceError('SOPS_DECRYPT', `Error while unflattening: ${why}`, { where: 'sops' })
}
