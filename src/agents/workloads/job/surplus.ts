import { compareForDeletion } from '../pods.ts'
import type { Pod } from '../shapes.ts'
import { indexOf } from './indexes.ts'
import type { Job } from './shapes.ts'

/**
 * Which of the active pods are too many: of an indexed Job first those whose index is not wanted, or runs twice already.
 *
 * @see k8s.io/kubernetes/pkg/controller/job `activePodsForRemoval`
 */
export function surplusPods(job: Job, active: readonly Pod[], wanted: number, nowMs: number): readonly Pod[] {
  const byWorth = active
    .map((pod) => ({ pod, rank: 0 }))
    .sort((a, b) => compareForDeletion(a, b, nowMs))
    .map(({ pod }) => pod)
  const useless = job.spec.completionMode === 'Indexed' ? uselessPods(job, byWorth) : []
  const left = byWorth.filter((pod) => !useless.includes(pod))
  return [...useless, ...left.slice(0, Math.max(left.length - wanted, 0))]
}

/** The last of several of one index is worth most. */
function uselessPods({ spec: { completions = 1 } }: Job, byWorth: readonly Pod[]): readonly Pod[] {
  return byWorth.filter((pod, at) => {
    const index = indexOf(pod)
    return (
      index === undefined || index >= completions || byWorth.slice(at + 1).some((other) => indexOf(other) === index)
    )
  })
}
