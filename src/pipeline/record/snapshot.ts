import { SluiceError } from '../../lib/error/sluice-error.ts'
import { Deliveries } from './deliveries.ts'
import type { Delivery } from './delivery.ts'
import { emptyLedger, type Ledger } from './ledger.ts'

/** The shape of what is written here; who changes it reads the ones before it, too. */
const VERSION = 1

/** A ledger as text, so that a start need not fold all facts again. */
export function writeLedger(ledger: Ledger): string {
  return JSON.stringify({ version: VERSION, ledger }, (_key, value: unknown) => {
    if (value instanceof Map) return { $map: [...value] }
    if (value instanceof Set) return { $set: [...value] }
    return value
  })
}

/** Reads what `writeLedger` wrote. @throws SluiceError STATE_NEWER: a later version wrote it */
export function readLedger(text: string): Ledger {
  const { version, ledger } = JSON.parse(text, (_key, value: unknown) => {
    if (hasList(value, '$map')) return new Map(value.$map as [unknown, unknown][])
    if (hasList(value, '$set')) return new Set(value.$set)
    return value
  }) as { readonly version: number; readonly ledger: Ledger }
  if (version !== VERSION)
    throw new SluiceError('STATE_NEWER', `the record is of version ${version}, this sluice reads version ${VERSION}`, {
      hint: 'start the newer sluice again, or restore a backup of before the upgrade',
    })
  const deliveries = new Deliveries()
  for (const [id, delivery] of ledger.deliveries as ReadonlyMap<string, Delivery>) deliveries.set(id, delivery)
  return { ...emptyLedger(), ...ledger, deliveries }
}

function hasList<K extends string>(value: unknown, key: K): value is Readonly<Record<K, readonly unknown[]>> {
  return typeof value === 'object' && value !== null && Array.isArray((value as Record<string, unknown>)[key])
}
