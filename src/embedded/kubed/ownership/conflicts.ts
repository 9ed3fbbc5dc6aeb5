import type { OwnershipConflict } from '../../../lib/kube-typed/merge/owners.ts'
import { renderPaths } from '../../../lib/kube-typed/merge/path-set.ts'
import { type Cause, Fault } from '../fault.ts'
import { compareText, internalName, type Manager } from './managers.ts'
import type { State } from './state.ts'

/** The real server tells of managers in the order of what it calls them inside. */
const rankOf = (entry: Manager | undefined): string => (entry === undefined ? '' : internalName(entry))

/** Tells who owns the fields that an apply would change. */
export function conflictFault(conflicts: OwnershipConflict['conflicts'], { managers }: State): Fault {
  const causes: Cause[] = []
  const told: string[] = []
  const byManager = [...conflicts]
    .sort(([a], [b]) => compareText(rankOf(managers.get(a)), rankOf(managers.get(b))))
    .map(([id, set]) => ({ manager: managers.get(id), fields: renderPaths(set) }))
  const isOne = byManager.length === 1 && byManager[0]?.fields.length === 1
  for (const { manager, fields } of byManager) {
    const via = manager?.subresource ? ` with subresource "${manager.subresource}"` : ''
    const using = manager?.operation === 'Update' ? ` using ${manager.apiVersion}` : ''
    const name = `"${manager?.manager ?? ''}"${via}${using}`
    told.push(
      isOne
        ? `conflict with ${name}: ${fields[0]}`
        : `conflicts with ${name}:\n${fields.map((field) => `- ${field}`).join('\n')}`,
    )
    for (const field of fields) causes.push({ reason: 'FieldManagerConflict', message: `conflict with ${name}`, field })
  }
  const count = causes.length
  const message = `Apply failed with ${count} conflict${count === 1 ? '' : 's'}: ${told.join('\n')}`
  return new Fault(409, 'Conflict', message, { causes })
}
