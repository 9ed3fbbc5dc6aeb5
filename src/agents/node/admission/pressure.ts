import { isTolerated } from '../../workloads/fitting.ts'
import { isCritical, type Pod } from '../pod/shapes.ts'

/** What a node is short of, by the type of its condition. */
export type Pressure = 'MemoryPressure' | 'DiskPressure'

/** What is left of the machine. */
export type Left = {
  readonly memoryBytes: number
  readonly disk: {
    readonly freeBytes: number
    readonly totalBytes: number
    /** Files that can still be made, and all of them; 0 of 0 where the file system has no such limit. */
    readonly freeFiles: number
    readonly totalFiles: number
  }
}

/** A pressure, and when the machine was last seen to be under it. */
export type Felt = { readonly pressure: Pressure; readonly atMs: number }

const MIB = 1024 ** 2
const LEAST_MEMORY_BYTES = 100 * MIB
/** Of the disk as the kubelet asks for it, but no more than this: the machine is not the node's alone. */
const LEAST_DISK = { part: 0.1, mostBytes: 1024 * MIB } as const
const LEAST_FILES = { part: 0.05, most: 20_000 } as const
/** How long a pressure is told after it was last seen, lest pods come and go; a kubelet takes five minutes, but there is no other node to go to. */
const LASTING_MS = 20_000

/**
 * Pure. What the machine is under now: what it is short of, and what it was short of a moment ago.
 *
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#hard-eviction-thresholds
 */
export function feel(before: readonly Felt[], left: Left, nowMs: number): readonly Felt[] {
  const { freeBytes, totalBytes, freeFiles, totalFiles } = left.disk
  const isFull =
    freeBytes < Math.min(totalBytes * LEAST_DISK.part, LEAST_DISK.mostBytes) ||
    freeFiles < Math.min(totalFiles * LEAST_FILES.part, LEAST_FILES.most)
  const short: Pressure[] = [
    ...(left.memoryBytes < LEAST_MEMORY_BYTES ? ['MemoryPressure' as const] : []),
    ...(isFull ? ['DiskPressure' as const] : []),
  ]
  const lasting = before.filter(({ pressure, atMs }) => !short.includes(pressure) && nowMs - atMs < LASTING_MS)
  return [...short.map((pressure) => ({ pressure, atMs: nowMs })), ...lasting]
}

/** The system's own pods are taken in whatever the machine is short of; of memory alone only those are refused that ask for none. */
export function whyUnderPressure(
  pod: Pod,
  pressures: readonly Pressure[],
): { readonly reason: string; readonly message: string } | undefined {
  if (pressures.length === 0 || isCritical(pod)) return undefined
  if (pressures.every((pressure) => pressure === 'MemoryPressure')) {
    const isBestEffort = pod.status?.qosClass === 'BestEffort'
    if (!isBestEffort || isTolerated(MEMORY_TAINT, pod.spec.tolerations ?? [])) return undefined
  }
  return { reason: 'Evicted', message: `The node had condition: [${pressures.join(' ')}]. ` }
}

const MEMORY_TAINT = { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' }
