import type { Container, Pod } from '../shapes.ts'

/** What pods ask a node for: CPU in thousandths, memory in bytes. */
export type Demand = { readonly cpu: number; readonly memory: number; readonly pods: number }

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

/** The demand of a pod: its containers' requests together, or the largest of its init containers where that is more. */
export function demandOf(pod: Pod): Demand {
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  const starters = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy !== 'Always')
  const running = [...pod.spec.containers, ...sidecars]
  const ask = (container: Container, name: string): number => milli(container.resources?.requests?.[name] ?? 0)
  const need = (name: string): number =>
    Math.max(
      running.reduce((sum, container) => sum + ask(container, name), 0),
      ...starters.map((container) => ask(container, name)),
    )
  return { cpu: need('cpu'), memory: need('memory') / 1000, pods: 1 }
}

/** Two demands together. */
export function addDemand(a: Demand, b: Demand): Demand {
  return { cpu: a.cpu + b.cpu, memory: a.memory + b.memory, pods: a.pods + b.pods }
}
