import { compareText, keyOf, timeMs } from '../meta.ts'
import { isFinishedPod } from '../pods.ts'
import type { Pod } from '../shapes.ts'

/** Pods that have ended, kept up to date pod by pod. */
export type EndedPods = {
  readonly take: (pod: Pod, isGone: boolean) => void
  readonly count: () => number
  /** Keys of those that are more than `most`: evicted ones first, then the oldest. */
  readonly beyond: (most: number) => ReadonlySet<string>
}

/** No pods yet. */
export function endedPods(): EndedPods {
  const ended = new Map<string, Pod>()
  return {
    take(pod, isGone) {
      if (!isGone && isFinishedPod(pod)) ended.set(keyOf(pod), pod)
      else ended.delete(keyOf(pod))
    },
    count: () => ended.size,
    beyond(most) {
      if (ended.size <= most) return new Set()
      const sorted = [...ended.values()].sort(compareForEnd)
      return new Set(sorted.slice(0, ended.size - most).map(keyOf))
    },
  }
}

function compareForEnd(a: Pod, b: Pod): number {
  return (
    Number(isEvicted(b)) - Number(isEvicted(a)) ||
    timeMs(a.metadata.creationTimestamp) - timeMs(b.metadata.creationTimestamp) ||
    compareText(a.metadata.name, b.metadata.name)
  )
}

function isEvicted({ status }: Pod): boolean {
  return status?.phase === 'Failed' && status.reason === 'Evicted'
}
