import { asJson, objectOf, type JsonObject } from '../../../lib/kube/json.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { addTo, isInScope, namesOfKind, NOTHING, type QuotaKind, usageOf } from '../../../lib/kube/quota.ts'
import type { Quantity } from '../../../lib/kube/quantity.ts'
import type { WorkloadDecision } from '../decision.ts'
import { isSame } from '../meta.ts'
import type { Write } from '../write.ts'

/** A ResourceQuota. */
export type Quota = KubeObject & {
  readonly spec?: { readonly hard?: Readonly<Record<string, string>> }
  readonly status?: {
    readonly hard?: Readonly<Record<string, string>>
    readonly used?: Readonly<Record<string, string>>
  }
}

/** The objects of one kind in the quota's namespace. */
export type Counted = { readonly kind: QuotaKind; readonly objects: readonly KubeObject[] }

/** What a quota's decision needs. */
export type QuotaSeen = { readonly quota: Quota; readonly counted: readonly Counted[]; readonly nowMs: number }

/** As often as the original counts anew: what the time alone changes, like a pod that ought to be gone. */
const AGAIN_MS = 300_000

/** Pure. Keeps the sums by which the API server allows or refuses new objects. */
export function decideQuota({ quota, counted, nowMs }: QuotaSeen): WorkloadDecision {
  const hard = quota.spec?.hard ?? {}
  const sum = new Map<string, Quantity>()
  for (const { kind, objects } of counted)
    for (const object of objects)
      if (isInScope(jsonOf(quota), kind, jsonOf(object))) addTo(sum, usageOf(kind, jsonOf(object), nowMs))
  const before = quota.status?.used ?? {}
  const isKnown = (name: string): boolean => counted.some(({ kind }) => namesOfKind(kind, [name]).length > 0)
  // a name that no kind has is limited, and never counted: what is told of it stays
  const used = Object.fromEntries(
    Object.keys(hard).flatMap((name): [string, string][] => {
      if (isKnown(name)) return [[name, (sum.get(name) ?? NOTHING).text]]
      return before[name] === undefined ? [] : [[name, before[name]]]
    }),
  )
  const status = { hard, used }
  const changed: Write[] = isSame(status, quota.status)
    ? []
    : [{ do: 'replace', object: { ...quota, status }, subresource: 'status' }]
  return { kind: 'done', status: changed, againAfterMs: AGAIN_MS }
}

const jsonOf = (object: KubeObject): JsonObject => objectOf(asJson(object))
