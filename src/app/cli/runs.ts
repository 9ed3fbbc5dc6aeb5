import { join } from 'node:path'
import { readRuns, type RunRecord } from '../../agents/runner/records.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'

const SHORTEST = 4

/** The folder of the workflow runs below a state folder. */
export function runsFolder(stateDir: string): string {
  return join(stateDir, 'runs')
}

/**
 * The run that a word means: its id, the beginning of it, or either behind `run/`.
 *
 * @throws SluiceError OBJECT_MISSING when there is none or more than one
 */
export function findRun(stateDir: string, word: string): RunRecord {
  const id = word.replace(/^run\//, '')
  const found = readRuns(runsFolder(stateDir)).filter(
    (run) => run.id === id || (id.length >= SHORTEST && run.id.startsWith(id)),
  )
  const [run] = found
  if (run !== undefined && found.length === 1) return run
  throw new SluiceError(
    'OBJECT_MISSING',
    run === undefined ? `no workflow run "${id}"` : `"${id}" begins the ids of ${found.length} workflow runs`,
    { where: runsFolder(stateDir), hint: 'sluice run list shows them' },
  )
}

/** `Build web #3 on develop at abc1234`. */
export function describeRun({ workflow, number, event }: RunRecord): string {
  return `${workflow} #${number} on ${branchOf(event.ref)} at ${event.commit.slice(0, 7)}`
}

/** A ref without what says that it is one. */
export function branchOf(ref: string): string {
  return ref.replace(/^refs\/(heads|tags)\//, '')
}

/** Whether a run goes on. */
export function isActive({ state }: Pick<RunRecord, 'state'>): boolean {
  return state === 'queued' || state === 'running'
}
