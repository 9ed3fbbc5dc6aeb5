import { build } from './build.ts'
import type { ExitCode, Io } from '../command.ts'
import { runCommand } from '../run-command.ts'

/** A line `build …` by itself: bundled apart from the other commands, because it takes some milliseconds and they take longer to load. */
export function runAlone([, ...argv]: readonly string[], io: Io): Promise<ExitCode> {
  return runCommand(async () => build, argv, io)
}
