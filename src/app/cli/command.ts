import type { Screen } from '../terminal/live.ts'

/** What a command may touch of the outside: arguments in, text out. Progress and errors go to `err`, answers to `out`. */
export type Io = {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly isTty: boolean
  /** Where stdout is a terminal that can be drawn on. */
  readonly screen?: Screen | undefined
  /** Aborted by the first Ctrl-C or SIGTERM; the second one ends the process at once. */
  readonly signal: AbortSignal
}

/** 0 done, 1 the answer is no or changed, 2 usage, 3 failed. */
export type ExitCode = 0 | 1 | 2 | 3

/** A CLI command: a value, loaded lazily by `commands.ts`. */
export type Command = {
  readonly name: string
  readonly summary: string
  readonly usage: string
  readonly run: (argv: readonly string[], io: Io) => Promise<ExitCode>
}

/** Says what was not understood and how to call the command; the exit code for it. */
export function usageError(io: Io, command: Command, problem?: string): 2 {
  if (problem !== undefined) io.err(`sluice ${command.name}: ${problem}`)
  io.err(`usage: ${command.usage}`)
  return 2
}
