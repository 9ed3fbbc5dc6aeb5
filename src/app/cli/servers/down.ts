import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readKeeper } from '../../../agents/node/linux/keeper-record.ts'
import { hasCode } from '../../../lib/error/code-of.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { isRunning } from '../../state/process-identity.ts'
import { holderOf } from '../../state/state-folder.ts'
import { STATE_OPTION, stateDirOf } from '../cluster.ts'
import type { Command, ExitCode, Io } from '../command.ts'
import { parseSeconds } from '../misread.ts'

const POLL_MS = 50

export const down: Command = {
  name: 'down',
  summary: 'Stop what sluice up runs; the state is kept',
  usage: 'sluice down [--state DIR] [--timeout SECONDS]',
  async run(argv, io) {
    const { values } = parseArgs({
      args: [...argv],
      options: { ...STATE_OPTION, timeout: { type: 'string', default: '60' } },
    })
    const timeoutMs = parseSeconds('--timeout', values.timeout)
    const dir = stateDirOf(values, io)
    const holder = holderOf(dir)
    if (holder === undefined) return tellOfPods(dir, io)
    terminate(holder.pid, dir)
    const endsAtMs = performance.now() + timeoutMs
    while (isRunning(holder)) {
      if (performance.now() > endsAtMs) {
        throw new SluiceError('WAIT_TIMEOUT', `process ${holder.pid} did not stop within ${values.timeout} seconds`, {
          where: dir,
          hint: `end it with: kill -9 ${holder.pid}   (nothing acknowledged is lost; the next start ends or takes over its pods)`,
        })
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
    io.out(`stopped process ${holder.pid}`)
    return 0
  },
}

/** A start that was ended at once, or killed, leaves its pods to the next one. */
function tellOfPods(dir: string, io: Io): ExitCode {
  const node = join(dir, 'node')
  const keepers = [node, join(node, 'process')].flatMap((folder) => readKeeper(folder)?.pid ?? [])
  if (keepers.length === 0) {
    io.err(`nothing runs on ${dir}`)
    return 0
  }
  io.err(`no sluice runs on ${dir}, but pods do: a start that was ended at once, or killed, has left them`)
  io.err('  hint: sluice up takes them over, and ends them when it is stopped')
  io.err(`        to end them now, without their time to stop: kill ${keepers.join(' ')}`)
  return 1
}

/** @throws SluiceError NOT_PERMITTED */
function terminate(pid: number, dir: string): void {
  try {
    process.kill(pid, 'SIGTERM')
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return // it has ended meanwhile
    if (!hasCode(error, 'EPERM')) throw error
    throw new SluiceError('NOT_PERMITTED', `process ${pid} runs on ${dir}, and is of another user`, {
      where: dir,
      hint: `stop it as that user, or: sudo kill ${pid}`,
      cause: error,
    })
  }
}
