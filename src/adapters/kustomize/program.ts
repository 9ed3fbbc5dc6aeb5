import { spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** What a program said: both of its outputs, as they came. */
export type ProgramResult = {
  readonly status: number
  readonly stdout: Buffer
  /** Both outputs as text, errors last. */
  readonly output: string
  readonly errors: string
  readonly hasTimedOut: boolean
}

const MAX_OUTPUT_BYTES = 256 * 1024 * 1024

/** The path of a program; undefined when it is not on the PATH. */
export function findProgram(name: string): string | undefined {
  if (name.includes('/')) return isProgram(name) ? name : undefined
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, name)).find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** Runs a program to its end, without a shell and without input; a build waits for it. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly timeoutMs: number; readonly env: Readonly<Record<string, string>> },
): ProgramResult {
  const done = spawnSync(program, args, {
    ...(options.cwd ? { cwd: options.cwd } : {}),
    env: { ...process.env, ...options.env },
    timeout: options.timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: MAX_OUTPUT_BYTES,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const errors = done.stderr?.toString() ?? ''
  const hasTimedOut = done.error !== undefined && 'code' in done.error && done.error.code === 'ETIMEDOUT'
  const failure = done.error && !hasTimedOut ? done.error.message : ''
  const stdout = done.stdout ?? Buffer.alloc(0)
  return {
    status: done.status ?? 1,
    stdout,
    output: stdout.toString() + errors + failure,
    errors: errors + failure,
    hasTimedOut,
  }
}
