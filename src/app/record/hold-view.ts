import type { DispatchFault } from '../../pipeline/notify/dispatch.ts'
import { haltsOf, mutesOf } from '../../pipeline/record/halt.ts'
import type { Ledger } from '../../pipeline/record/ledger.ts'
import { fluxObjectsOf, type Helpers } from '../../pipeline/record/wait.ts'
import type { HoldView } from '../page-view.ts'

/** The objects of Flux's kinds that are suspended or not ready, unless a stop tells of them, and Alerts that reach nobody. Pure. */
export function holdViews(ledger: Ledger, helpers: Helpers, faults: readonly DispatchFault[]): readonly HoldView[] {
  const told = toldOf(ledger)
  return [...haltsOf(fluxObjectsOf(helpers)), ...mutesOf(helpers.others, faults)]
    .filter(({ object, isSuspended }) => isSuspended || !told.has(object))
    .map(({ object, cause, next }) => ({ object, cause, ...(next === undefined ? {} : { next }) }))
}

/** What is not ready for a cause that the record has. */
function toldOf({ environments, policyCauses }: Ledger): ReadonlySet<string> {
  const kustomizations = [...environments].filter(([, { cause }]) => cause !== undefined)
  return new Set([
    ...kustomizations.map(([key]) => `Kustomization ${key}`),
    ...[...policyCauses.values()].map(({ policy }) => `ImagePolicy ${policy}`),
  ])
}
