import { ApiError } from '../../adapters/kube/api-error.ts'
import { describeError, isPartGone, SluiceError } from '../../lib/error/sluice-error.ts'
import type { Command, ExitCode, Io } from './command.ts'

/**
 * Runs one command and answers its exit code; the CLI's edge, where every error becomes text.
 *
 * A refusal of the Kubernetes API is told in its own words. Any other thrown value that is no SluiceError is a bug and is shown with its stack.
 */
export async function runCommand(load: () => Promise<Command>, argv: readonly string[], io: Io): Promise<ExitCode> {
  try {
    const command = await load()
    if (argv.includes('--help') || argv.includes('-h')) {
      io.out(`${command.summary}\n\nusage: ${command.usage}`)
      return 0
    }
    return await command.run(argv, io)
  } catch (error) {
    return failed(error, io)
  }
}

function failed(error: unknown, io: Io): ExitCode {
  if (error instanceof SluiceError) {
    io.err(`error: ${describeError(error)}`)
    return error.code === 'USAGE' ? 2 : 3
  }
  if (error instanceof ApiError) {
    io.err(`error: the Kubernetes API refused${error.reason === '' ? '' : ` (${error.reason})`}: ${error.message}`)
    return 3
  }
  if (isPartGone(error)) {
    io.err(`error: ${describeError(error)}`)
    return 3
  }
  if (isParseArgsError(error)) {
    io.err(`error: ${error.message}`)
    return 2
  }
  io.err(`internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  return 3
}

function isParseArgsError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}
