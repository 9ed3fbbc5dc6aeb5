import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunRecord } from './records.ts'

/** The log of one step: its job (a job of a matrix with its index), and the file, whose first line names it. */
export type StepFile = { readonly job: string; readonly path: string }

/** The runs that a runner keeps below its folder, the oldest first; whether it runs or not. */
export function readRuns(stateDir: string): readonly RunRecord[] {
  const folder = join(stateDir, 'runs')
  return namesIn(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => readJson<RunRecord>(join(folder, name)) ?? [])
    .sort((a, b) => a.queuedAtMs - b.queuedAtMs)
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

/** What a file holds; `undefined` where there is none, or it is no JSON. */
export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T
  } catch {
    return undefined
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}
