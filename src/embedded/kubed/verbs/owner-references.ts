import { type Json, objectOf, sorted, stringOf } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import type { Obj } from '../object.ts'

/**
 * An owner that is said twice is kept once, and the writer told; another owner of the same uid stays. In place.
 *
 * Before owners of fields are counted for what is sent as a whole; after it for what a patch makes.
 */
export function dropRepeatedOwners(call: Call, { metadata }: Obj): void {
  const { ownerReferences } = metadata
  if (!Array.isArray(ownerReferences)) return
  const kept = new Map<string, Json>()
  const repeated: string[] = []
  for (const each of ownerReferences) {
    const text = JSON.stringify(sorted(each))
    if (kept.has(text)) repeated.push(stringOf(objectOf(each).uid))
    else kept.set(text, each)
  }
  if (repeated.length === 0) return
  metadata.ownerReferences = [...kept.values()]
  const when = call.method === 'PATCH' ? ' after mutating admission happens' : ''
  call.warnings.push(
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${repeated.join(', ')}`,
  )
}
