import { ApiError } from '../../adapters/kube/api-error.ts'
import { describeError, SluiceError } from '../../lib/error/sluice-error.ts'
import type { ExitCode, Io } from './command.ts'
import { COMMANDS } from './commands.ts'

/**
 * Runs one command line and answers its exit code; the CLI's edge, where every error becomes text.
 *
 * A refusal of the Kubernetes API is told in its own words. Any other thrown value that is no SluiceError is a bug and is shown with its stack.
 */
export async function runCli(argv: readonly string[], io: Io): Promise<ExitCode> {
  const [name, ...rest] = argv
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') return help(io)
  const entry = COMMANDS.find((command) => command.name === (name === '--version' ? 'version' : name))
  if (entry === undefined) return unknownCommand(name, io)
  try {
    const command = await entry.load()
    if (rest.includes('--help') || rest.includes('-h')) {
      io.out(`${command.summary}\n\nusage: ${command.usage}`)
      return 0
    }
    return await command.run(rest, io)
  } catch (error) {
    return failed(error, io)
  }
}

function help(io: Io): ExitCode {
  const width = Math.max(...COMMANDS.map((command) => command.name.length))
  const lines = COMMANDS.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`)
  io.out(['sluice takes a commit from git push to healthy pods', '', 'commands:', ...lines].join('\n'))
  return 0
}

function unknownCommand(name: string, io: Io): ExitCode {
  io.err(`sluice: unknown command "${name}"`)
  io.err('  hint: sluice --help lists the commands')
  return 2
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
