import { spawn } from 'node:child_process'
import { toldMissing } from '../../machine/missing-git.ts'

/** What a git process said. */
export type GitResult = { readonly code: number; readonly stdout: Buffer; readonly stderr: string }

/** How to run git. */
export type GitOptions = {
  readonly signal?: AbortSignal
  /** Configuration for this run alone, given by environment so that no login shows in the process list. */
  readonly config?: readonly (readonly [string, string])[]
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Buffer
}

const LARGEST_OUTPUT_BYTES = 256 * 1024 * 1024

/** A pack of some bytes may claim any size for one object; the largest table of a large repository stays below. */
const LARGEST_ALLOCATION = '1g'

/** The environment of every git process: no user's or machine's configuration, no prompts, only network protocols that we mean. */
export function gitEnvironment(options: GitOptions = {}): NodeJS.ProcessEnv {
  const config: Record<string, string> = { GIT_CONFIG_COUNT: String(options.config?.length ?? 0) }
  for (const [at, [key, value]] of (options.config ?? []).entries()) {
    config[`GIT_CONFIG_KEY_${at}`] = key
    config[`GIT_CONFIG_VALUE_${at}`] = value
  }
  return {
    PATH: process.env['PATH'],
    LC_ALL: 'C',
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    GIT_ALLOW_PROTOCOL: 'http:https:ssh',
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOC_LIMIT: LARGEST_ALLOCATION,
    ...config,
    ...options.env,
  }
}

/** Runs git to its end. Never a shell; arguments after `--` in `argv` are the caller's care. Output is limited to 256 MiB. */
export function runGit(folder: string, argv: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['-C', folder, ...argv], {
      env: gitEnvironment(options),
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.signal ? { signal: options.signal } : {}),
    })
    const out: Buffer[] = []
    let size = 0
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > LARGEST_OUTPUT_BYTES) child.kill('SIGKILL')
      else out.push(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-8192)
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input)
    child.on('error', (error) => reject(toldMissing(error)))
    child.on('close', (code) => resolve({ code: code ?? -1, stdout: Buffer.concat(out), stderr }))
  })
}
