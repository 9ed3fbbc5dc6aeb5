import { ApiError } from '../../adapters/kube/api-error.ts'
import { codeOf } from '../../lib/error/code-of.ts'
import { describeError, isPartGone, SluiceError } from '../../lib/error/sluice-error.ts'
import { type Command, type ExitCode, type Io, usageError } from './command.ts'
import { misreadText } from './misread.ts'

/**
 * Runs one command and answers its exit code; the CLI's edge, where every error becomes text.
 *
 * A refusal of the Kubernetes API is told in its own words. Any other thrown value that is no SluiceError is a bug and is shown with its stack.
 */
export async function runCommand(load: () => Promise<Command>, argv: readonly string[], io: Io): Promise<ExitCode> {
  let command: Command | undefined
  try {
    command = await load()
    if (argv.includes('--help') || argv.includes('-h')) {
      io.out([command.summary, `usage: ${command.usage}`, ...stateHelp(command)].join('\n\n'))
      return 0
    }
    return await command.run(jsonAsOutput(argv, command), io)
  } catch (error) {
    return failed(error, command, io)
  }
}

const STATE_HELP = 'the state folder is --state DIR, else that of the variable SLUICE_STATE, else .sluice'

function stateHelp({ usage }: Command): readonly string[] {
  return usage.includes('--state DIR') ? [STATE_HELP] : []
}

/** `--json` says the same as `-o json` wherever there is that. */
function jsonAsOutput(argv: readonly string[], { usage }: Command): readonly string[] {
  if (!/-o [a-z|]*json/.test(usage)) return argv
  return argv.map((word) => (word === '--json' ? '--output=json' : word))
}

function failed(error: unknown, command: Command | undefined, io: Io): ExitCode {
  if (command !== undefined && error instanceof SluiceError && error.code === 'USAGE')
    return usageError(io, command, describeError(error))
  if (command !== undefined && isParseArgsError(error))
    return usageError(io, command, misreadText(error.message, command.usage))
  if (error instanceof SluiceError) {
    io.err(`error: ${describeError(error)}`)
    return 3
  }
  if (error instanceof ApiError) {
    io.err(`error: the Kubernetes API refused${error.reason === '' ? '' : ` (${error.reason})`}: ${error.message}`)
    return 3
  }
  if (isPartGone(error)) {
    io.err(`error: ${describeError(error)}`)
    return 3
  }
  io.err(`internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  return 3
}

function isParseArgsError(error: unknown): error is Error {
  return error instanceof Error && codeOf(error).startsWith('ERR_PARSE_ARGS')
}
