import { parseArgs } from 'node:util'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { isRunning } from '../../state/process-identity.ts'
import { holderOf } from '../../state/state-folder.ts'
import { stateDirOf } from '../cluster.ts'
import type { Command } from '../command.ts'
import { parseSeconds } from '../misread.ts'

const POLL_MS = 50

export const down: Command = {
  name: 'down',
  summary: 'Stop what sluice up runs; the state is kept',
  usage: 'sluice down [--state DIR] [--timeout SECONDS]',
  async run(argv, io) {
    const { values } = parseArgs({
      args: [...argv],
      options: { state: { type: 'string' }, timeout: { type: 'string', default: '60' } },
    })
    const timeoutMs = parseSeconds('--timeout', values.timeout)
    const dir = stateDirOf(values, io)
    const holder = holderOf(dir)
    if (holder === undefined) {
      io.err(`nothing runs on ${dir}`)
      return 0
    }
    process.kill(holder.pid, 'SIGTERM')
    const deadline = Date.now() + timeoutMs
    while (isRunning(holder)) {
      if (Date.now() > deadline) {
        throw new SluiceError('WAIT_TIMEOUT', `process ${holder.pid} did not stop within ${values.timeout} seconds`, {
          where: dir,
          hint: `end it with: kill -9 ${holder.pid}   (nothing acknowledged is lost)`,
        })
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
    io.out(`stopped process ${holder.pid}`)
    return 0
  },
}
