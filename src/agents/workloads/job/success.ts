import { parseIndexes } from './indexes.ts'
import type { Job, JobStatus } from './shapes.ts'

/** Why an indexed Job has succeeded before all of its indexes are done; `undefined` when no rule of its successPolicy says so. */
export function successOf(job: Job, { completedIndexes }: JobStatus): string | undefined {
  const done = parseIndexes(completedIndexes)
  for (const [at, { succeededIndexes, succeededCount }] of (job.spec.successPolicy?.rules ?? []).entries()) {
    const wanted = succeededIndexes === undefined ? undefined : [...parseIndexes(succeededIndexes)]
    const counting = wanted === undefined ? done.size : wanted.filter((index) => done.has(index)).length
    const needed = succeededCount ?? wanted?.length ?? Infinity
    if (counting >= needed) return `Matched rules at index ${at}`
  }
  return undefined
}
