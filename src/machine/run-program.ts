import { spawn } from 'node:child_process'

/** How a program ended; `code` is `null` where a signal ended it. */
export type ProgramEnd = {
  readonly code: number | null
  readonly stdout: Buffer
  /** The end of it, at most 8,192 characters. */
  readonly stderr: string
}

/** What a program is given; of our environment it sees the PATH alone. */
export type ProgramInput = {
  readonly input: string | Buffer
  readonly env: Readonly<Record<string, string>>
  /** It is ended after so long. */
  readonly timeoutMs: number
}

const MOST_BYTES = 1 << 20

/**
 * Runs a small program of the machine to its end, without a shell. One that prints more than 1 MiB is ended.
 *
 * @throws Error with a `code` (ENOENT) when it cannot be started
 */
export function runProgram(
  program: string,
  argv: readonly string[],
  { input, env, timeoutMs }: ProgramInput,
): Promise<ProgramEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, {
      env: { PATH: process.env['PATH'], LC_ALL: 'C', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: timeoutMs,
    })
    const stdout: Buffer[] = []
    let size = 0
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > MOST_BYTES) child.kill('SIGKILL')
      else stdout.push(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString('utf8')).slice(-8192)))
    // one that ends before it has read everything says so by its code
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout: Buffer.concat(stdout), stderr }))
  })
}
