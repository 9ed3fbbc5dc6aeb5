import type { Pod } from '../shapes.ts'

/** Annotation and label that carry a pod's completion index. */
export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index'

/** The completion index of a pod; `undefined` when it has none. */
export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[COMPLETION_INDEX]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** Reads `0-2,5`. */
export function parseIndexes(text: string | undefined): Set<number> {
  const found = new Set<number>()
  for (const part of text ? text.split(',') : []) {
    const [first = 0, last = first] = part.split('-').map(Number)
    for (let index = first; index <= last; index++) found.add(index)
  }
  return found
}

/** Writes indexes as `0-2,5`. */
export function renderIndexes(indexes: ReadonlySet<number>): string {
  const runs: [number, number][] = []
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const last = runs.at(-1)
    if (last && last[1] === index - 1) last[1] = index
    else runs.push([index, index])
  }
  return runs
    .map(([first, last]) => {
      if (first === last) return String(first)
      return last === first + 1 ? `${first},${last}` : `${first}-${last}`
    })
    .join(',')
}
