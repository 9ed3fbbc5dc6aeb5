import type { Container, Pod } from '../shapes.ts'

/** What is asked of a node, by resource, in thousandths. */
export type Demand = ReadonlyMap<string, number>

const FACTORS: Record<string, number> = {
  n: 1e-6,
  u: 1e-3,
  m: 1,
  '': 1e3,
  k: 1e6,
  M: 1e9,
  G: 1e12,
  T: 1e15,
  P: 1e18,
  Ki: 1024e3,
  Mi: 1024 ** 2 * 1e3,
  Gi: 1024 ** 3 * 1e3,
  Ti: 1024 ** 4 * 1e3,
  Pi: 1024 ** 5 * 1e3,
}

/** A quantity in thousandths; 0 when it is none. Near enough for fitting: beyond 2^53 it is rounded. */
export function milli(quantity: string | number): number {
  const found = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([A-Za-z]*)$/.exec(String(quantity))
  const factor = FACTORS[found?.[2] ?? '-']
  return found && factor !== undefined ? Number(found[1]) * factor : 0
}

/**
 * What a pod asks of a node: what its containers and sidecars ask for together, or what is needed at most while it starts, and its overhead. What it asks
 * for as a whole comes first.
 */
export function demandOf({ spec }: Pod): Demand {
  const { containers, initContainers = [], overhead = {}, resources } = spec
  const whole = resources?.requests ?? {}
  const requests = [...containers, ...initContainers].map((each) => each.resources?.requests ?? {})
  const names = new Set([...requests, overhead, whole].flatMap(Object.keys))
  const need = (name: string): number => {
    const asked = whole[name]
    return asked === undefined ? peakOf(containers, initContainers, name) : milli(asked)
  }
  return new Map([...names].map((name) => [name, need(name) + milli(overhead[name] ?? 0)]))
}

/** The most that is needed at once: containers that start the pod run one after the other, beside the sidecars before them. */
function peakOf(containers: readonly Container[], starters: readonly Container[], name: string): number {
  const ask = ({ resources }: Container): number => milli(resources?.requests?.[name] ?? 0)
  let beside = 0
  let most = 0
  for (const starter of starters) {
    if (starter.restartPolicy === 'Always') beside += ask(starter)
    most = Math.max(most, starter.restartPolicy === 'Always' ? beside : beside + ask(starter))
  }
  return Math.max(
    most,
    containers.reduce((sum, container) => sum + ask(container), beside),
  )
}

/** Several demands together. */
export function sumOf(demands: readonly Demand[]): Demand {
  const sum = new Map<string, number>()
  for (const demand of demands) for (const [name, amount] of demand) sum.set(name, (sum.get(name) ?? 0) + amount)
  return sum
}
