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
 * What a pod asks of a node: its containers' requests together, or those of an init container where that is more, and its overhead. What it asks for
 * as a whole comes first.
 */
export function demandOf({ spec }: Pod): Demand {
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  const starters = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy !== 'Always')
  const running = [...spec.containers, ...sidecars]
  const requests = [...running, ...starters].map(({ resources }) => resources?.requests ?? {})
  const names = new Set([...requests, spec.overhead ?? {}, spec.resources?.requests ?? {}].flatMap(Object.keys))
  const ask = ({ resources }: Container, name: string): number => milli(resources?.requests?.[name] ?? 0)
  const together = (name: string): number => running.reduce((sum, container) => sum + ask(container, name), 0)
  const need = (name: string): number => {
    const whole = spec.resources?.requests?.[name]
    return whole === undefined ? Math.max(together(name), ...starters.map((one) => ask(one, name))) : milli(whole)
  }
  return new Map([...names].map((name) => [name, need(name) + milli(spec.overhead?.[name] ?? 0)]))
}

/** Several demands together. */
export function sumOf(demands: readonly Demand[]): Demand {
  const sum = new Map<string, number>()
  for (const demand of demands) for (const [name, amount] of demand) sum.set(name, (sum.get(name) ?? 0) + amount)
  return sum
}
