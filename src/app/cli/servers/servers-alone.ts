import type { ExitCode, Io } from '../command.ts'
import { runCommand } from '../run-command.ts'
import { serve } from './serve.ts'
import { up } from './up.ts'

/** A line `up …` or `serve …` by itself: bundled apart from the other commands, as one script that V8 has compiled before (docs/adr/0175). */
export function runAlone([name, ...argv]: readonly string[], io: Io): Promise<ExitCode> {
  return runCommand(async () => (name === 'up' ? up : serve), argv, io)
}
