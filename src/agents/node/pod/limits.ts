import type { Limits } from '../driver.ts'
import { parseQuantity } from './content/fields.ts'
import type { Container, Pod, Quantities } from './shapes.ts'

/** What a container may use; its place in the row when a machine of `totalBytes` runs out of memory. */
export function limitsOf(pod: Pod, { resources }: Container, totalBytes: number): Limits {
  const memoryBytes = amount(resources?.limits, 'memory')
  const cpuCores = amount(resources?.limits, 'cpu')
  const cpuRequest = amount(resources?.requests, 'cpu') ?? cpuCores
  return {
    ...(memoryBytes === undefined ? {} : { memoryBytes: Math.ceil(memoryBytes) }),
    ...(cpuCores === undefined ? {} : { cpuMillis: Math.ceil(cpuCores * 1000) }),
    ...(cpuRequest === undefined ? {} : { cpuRequestMillis: Math.ceil(cpuRequest * 1000) }),
    outOfMemoryScore: outOfMemoryScore(pod, amount(resources?.requests, 'memory') ?? memoryBytes ?? 0, totalBytes),
  }
}

/**
 * The kubelet's order of who is ended when a machine runs out of memory: best effort first, then those that use much more than they asked
 * for. Guaranteed pods stand beside the server, as only root can put anybody before it.
 *
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#node-out-of-memory-behavior
 */
function outOfMemoryScore({ status }: Pod, requestBytes: number, totalBytes: number): number {
  if (status?.qosClass === 'Guaranteed') return 0
  if (status?.qosClass === 'BestEffort') return 1000
  return Math.min(999, Math.max(3, 1000 - Math.floor((1000 * requestBytes) / totalBytes)))
}

function amount(quantities: Quantities | undefined, name: string): number | undefined {
  const value = parseQuantity(quantities?.[name])
  return value === undefined || value <= 0 ? undefined : value
}
