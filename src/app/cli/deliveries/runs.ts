import { join } from 'node:path'
import { readRuns, type RunRecord } from '../../../agents/runner/records.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { needStateFolder } from '../../state/state-folder.ts'

const SHORTEST = 4

/**
 * The folder of the workflow runs below a state folder.
 *
 * @throws SluiceError NOT_RUNNING when there is no state folder
 */
export function runsFolder(stateDir: string): string {
  needStateFolder(stateDir)
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
