import { userInfo } from 'node:os'
import { parseArgs } from 'node:util'
import { isActive } from '../../../agents/runner/records.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { describeRun } from '../../first-delivery/describe-run.ts'
import { readAccess } from '../../state/access.ts'
import { type ClusterValues, STATE_OPTION, stateDirOf } from '../cluster.ts'
import { type Command, type ExitCode, type Io, usageError } from '../command.ts'
import { refuseMore } from '../misread.ts'
import { postRecord } from './page-client.ts'
import { findRun } from './runs.ts'

export const cancel: Command = {
  name: 'cancel',
  summary: 'End a workflow run',
  usage: 'sluice cancel <RUN> [--state DIR]      RUN as sluice run list shows it',
  async run(argv, io) {
    const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: STATE_OPTION })
    refuseMore(positionals, 1)
    const word = positionals[0]
    if (word === undefined) return usageError(io, cancel, 'which run?')
    return cancelRun(word, values, io)
  },
}

/**
 * Asks the running Sluice to end a workflow run, in the name of this user; the delivery says who it was.
 *
 * @throws SluiceError OBJECT_MISSING, NOT_RUNNING, USAGE when the run has ended
 */
export async function cancelRun(word: string, values: ClusterValues, io: Io): Promise<ExitCode> {
  const stateDir = stateDirOf(values, io)
  const run = findRun(stateDir, word)
  if (!isActive(run)) {
    const hint = `sluice logs run/${run.id} shows what it did`
    throw new SluiceError('RUN_ENDED', `${describeRun(run)} is no longer on its way: it has ${run.state}`, { hint })
  }
  await postRecord(`api/v1/runs/${run.id}/cancel`, { access: readAccess(stateDir), user: userName() })
  io.out(`${describeRun(run)} is being cancelled`)
  return 0
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return '' // a user without an entry in the system's list
  }
}
