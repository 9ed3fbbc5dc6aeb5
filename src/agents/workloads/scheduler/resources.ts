import { asJson, objectOf } from '../../../lib/kube/json.ts'
import { isQuantityError, parseQuantity, type Quantity } from '../../../lib/kube/quantity.ts'
import { podResources } from '../../../lib/kube/quota.ts'
import type { Pod } from '../shapes.ts'

/** What is asked of a node, by resource, in thousandths. */
export type Demand = ReadonlyMap<string, number>

/** A quantity in thousandths; 0 when it is none. Near enough for fitting: beyond 2^53 it is rounded. */
export function milli(quantity: string | number): number {
  const parsed = parseQuantity(quantity)
  return isQuantityError(parsed) ? 0 : inThousandths(parsed)
}

function inThousandths({ nano }: Quantity): number {
  return Number(nano / 1_000_000n) + Number(nano % 1_000_000n) / 1e6
}

/** Every pod of a node is counted for every pod that wants to go there. */
const known = new WeakMap<Pod, Demand>()

/**
 * What a pod asks of a node: what its containers and sidecars ask for together, or what is needed at most while it starts, and its overhead. What it asks
 * for as a whole comes first; while it is being resized the larger counts.
 */
export function demandOf(pod: Pod): Demand {
  const before = known.get(pod)
  if (before !== undefined) return before
  const { requests } = podResources(objectOf(asJson(pod)))
  const demand = new Map([...requests].map(([name, amount]) => [name, inThousandths(amount)]))
  known.set(pod, demand)
  return demand
}

/** Several demands together. */
export function sumOf(demands: readonly Demand[]): Demand {
  const sum = new Map<string, number>()
  for (const demand of demands) for (const [name, amount] of demand) sum.set(name, (sum.get(name) ?? 0) + amount)
  return sum
}
