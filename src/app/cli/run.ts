import { nearest } from '../../lib/value/nearest.ts'
import type { ExitCode, Io } from './command.ts'
import { COMMANDS } from './commands.ts'
import { runCommand } from './run-command.ts'

/** Runs one command line and answers its exit code. */
export async function runCli(argv: readonly string[], io: Io): Promise<ExitCode> {
  const [name, ...rest] = argv
  if (name === undefined || name === '--help' || name === '-h') return help(io)
  if (name === 'help') return rest[0] === undefined ? help(io) : runCli([rest[0], '--help'], io)
  const wanted = name === '--version' || name === '-v' ? 'version' : name
  const entry = COMMANDS.find((command) => command.name === wanted)
  if (entry === undefined) return unknownCommand(name, io)
  return runCommand(entry.load, rest, io)
}

const HEAD = ['sluice takes a commit from git push to healthy pods', '', 'commands:']
const TAIL = [
  '',
  'sluice COMMAND --help tells how a command is called',
  'the state folder is --state DIR, else that of the variable SLUICE_STATE, else .sluice',
]

function help(io: Io): ExitCode {
  const width = Math.max(...COMMANDS.map((command) => command.name.length))
  const lines = COMMANDS.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`)
  io.out([...HEAD, ...lines, ...TAIL].join('\n'))
  return 0
}

function unknownCommand(name: string, io: Io): ExitCode {
  io.err(`sluice: unknown command "${name}"`)
  const near = nearest(
    name,
    COMMANDS.map((command) => command.name),
  )
  const meant = near.length === 0 ? '' : `did you mean ${near.join(' or ')}? `
  io.err(`  hint: ${meant}sluice --help lists the commands`)
  return 2
}
