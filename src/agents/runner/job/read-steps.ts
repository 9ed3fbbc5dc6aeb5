import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** The log of one step: its job (a job of a matrix with its index), and the file, whose first line names it. */
export type StepFile = { readonly job: string; readonly path: string }

/** A job as people call it: only one of a matrix has an index that says something. */
export function shownJob(job: string): string {
  return job.replace(/-0$/, '')
}

/** The steps of a run that have begun, job by job. */
export function readSteps(stateDir: string, runId: string): readonly StepFile[] {
  const folder = join(stateDir, 'logs', runId)
  return namesIn(folder).flatMap((job) =>
    namesIn(join(folder, job))
      .filter((name) => name.endsWith('.log'))
      .map((name) => ({ job, path: join(folder, job, name) })),
  )
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}
