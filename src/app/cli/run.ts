import type { ExitCode, Io } from './command.ts'
import { COMMANDS } from './commands.ts'
import { runCommand } from './run-command.ts'

/** Runs one command line and answers its exit code. */
export async function runCli(argv: readonly string[], io: Io): Promise<ExitCode> {
  const [name, ...rest] = argv
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') return help(io)
  const entry = COMMANDS.find((command) => command.name === (name === '--version' ? 'version' : name))
  if (entry === undefined) return unknownCommand(name, io)
  return runCommand(entry.load, rest, io)
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
