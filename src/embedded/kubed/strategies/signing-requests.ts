import { type JsonObject, objectOf, objectsOf } from '../../../lib/kube/json.ts'
import { type User, userInfo } from '../request/user.ts'
import { timestamp } from '../environment.ts'
import { type Obj, specOf } from '../object.ts'

/** Who asks for a certificate is who sends the request, whatever it says. In place. */
export function stampRequester(request: Obj, user: User): void {
  const spec = specOf(request)
  for (const field of ['username', 'uid', 'groups', 'extra']) delete spec[field]
  Object.assign(spec, userInfo(user))
  request.spec = spec
}

/** Keeps what the subresource of a CertificateSigningRequest does not write, and dates new conditions. In place. */
export function settleSigningRequest(request: Obj, before: Obj, subresource: string, nowMs: number): void {
  request.spec = before.spec
  const old = objectOf(before.status)
  const next = subresource === '' ? old : objectOf(request.status)
  const conditions = objectsOf(next.conditions).map((each) => dated(each, objectsOf(old.conditions), timestamp(nowMs)))
  const kept = subresource === 'status' ? preserved(conditions, objectsOf(old.conditions)) : conditions
  const rest = subresource === 'approval' ? old : next
  request.status = { ...rest, ...(kept.length > 0 ? { conditions: kept } : { conditions: undefined }) }
}

function dated(condition: JsonObject, old: readonly JsonObject[], now: string): JsonObject {
  const same = old.find(({ type, status }) => type === condition.type && status === condition.status)
  return {
    ...condition,
    lastUpdateTime: condition.lastUpdateTime ?? now,
    lastTransitionTime: condition.lastTransitionTime ?? same?.lastTransitionTime ?? now,
  }
}

const DECISIONS = new Set<unknown>(['Approved', 'Denied'])

/** The status is for signers; who decides writes the approval. */
function preserved(conditions: readonly JsonObject[], old: readonly JsonObject[]): JsonObject[] {
  return conditions.map((each) =>
    DECISIONS.has(each.type) ? (old.find(({ type }) => type === each.type) ?? each) : each,
  )
}
