import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** How a step's process ended. */
export type ProcessEnd =
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'too much output' }

/** What to run. */
export type ProcessOptions = {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly onText: (text: string) => void
  /** Asked after each piece of output; true ends the process. */
  readonly isTooMuch: () => boolean
  /** Gets the number of the process's group, so that its job can end what it left behind. */
  readonly groups: Set<number>
}

const GRACE_MS = 2_000
const DRAIN_MS = 300

/** Runs a process in a group of its own; on timeout, cancel or too much output the whole group is ended. */
export function runProcess(options: ProcessOptions): Promise<ProcessEnd> {
  const { argv, cwd, env, timeoutMs, signal, onText, isTooMuch, groups } = options
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0] ?? 'bash', argv.slice(1), {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const pid = child.pid
    if (pid !== undefined) groups.add(pid)
    let why: 'timeout' | 'cancelled' | 'too much output' | undefined
    let killer: NodeJS.Timeout | undefined
    const stop = (reason: NonNullable<typeof why>): void => {
      if (why !== undefined) return
      why = reason
      killGroup(pid, 'SIGTERM')
      killer = setTimeout(() => killGroup(pid, 'SIGKILL'), GRACE_MS)
    }
    const timer = setTimeout(() => stop('timeout'), timeoutMs)
    const cancel = (): void => stop('cancelled')
    signal.addEventListener('abort', cancel, { once: true })
    if (signal.aborted) cancel()
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        if (why === undefined) onText(text)
        if (isTooMuch()) stop('too much output')
      })
    const finish = (code: number): void => {
      clearTimeout(timer)
      clearTimeout(killer)
      signal.removeEventListener('abort', cancel)
      if (why !== undefined) killGroup(pid, 'SIGKILL')
      child.stdout.destroy()
      child.stderr.destroy()
      resolve(why === undefined ? { kind: 'exit', code } : { kind: why })
    }
    child.once('error', (error) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', cancel)
      reject(error)
    })
    // A background process may keep the pipes open; the step is over when its own process is.
    child.once('exit', (code, name) => {
      const end = setTimeout(() => finish(code ?? (name === null ? 1 : 128)), DRAIN_MS)
      child.once('close', () => {
        clearTimeout(end)
        finish(code ?? 128)
      })
    })
  })
}

/** Ends the process groups that a job left behind. */
export function endGroups(groups: ReadonlySet<number>): void {
  for (const pid of groups) killGroup(pid, 'SIGKILL')
}

/**
 * Ends every process of runs that a crash cut off, known by what they say of themselves: `GITHUB_RUN_ID` in their environment.
 *
 * Linux only; elsewhere they end by themselves.
 */
export function endProcessesOf(runIds: ReadonlySet<string>): void {
  if (runIds.size === 0 || !existsSync('/proc/self/environ')) return
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid || !runIds.has(runIdOf(pid))) continue
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // it is gone already
    }
  }
}

function runIdOf(pid: number): string {
  try {
    return /(?:^|\0)GITHUB_RUN_ID=([0-9a-f]+)(?:\0|$)/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1'))?.[1] ?? ''
  } catch {
    return ''
  }
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // it is gone already
  }
}
