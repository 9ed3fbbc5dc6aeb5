import { Deliveries } from './deliveries.ts'
import type { Delivery } from './delivery.ts'
import { emptyLedger, type Ledger } from './ledger.ts'

/** The shape of what is written here; a ledger of another shape is made from the facts that came after it no more. */
const VERSION = 1

/** A ledger as text, so that a start need not fold all facts again. */
export function writeLedger(ledger: Ledger): string {
  return JSON.stringify({ version: VERSION, ledger }, (_key, value: unknown) => {
    if (value instanceof Map) return { $map: [...value] }
    if (value instanceof Set) return { $set: [...value] }
    return value
  })
}

/** Reads what `writeLedger` wrote; `undefined` when it was written in another version. */
export function readLedger(text: string): Ledger | undefined {
  const { version, ledger } = JSON.parse(text, (_key, value: unknown) => {
    if (hasList(value, '$map')) return new Map(value.$map as [unknown, unknown][])
    if (hasList(value, '$set')) return new Set(value.$set)
    return value
  }) as { readonly version: number; readonly ledger: Ledger }
  if (version !== VERSION) return undefined
  const deliveries = new Deliveries()
  for (const [id, delivery] of ledger.deliveries as ReadonlyMap<string, Delivery>) deliveries.set(id, delivery)
  return { ...emptyLedger(), ...ledger, deliveries }
}

function hasList<K extends string>(value: unknown, key: K): value is Readonly<Record<K, readonly unknown[]>> {
  return typeof value === 'object' && value !== null && Array.isArray((value as Record<string, unknown>)[key])
}
