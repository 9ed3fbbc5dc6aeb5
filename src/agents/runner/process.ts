import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

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
  /** A folder where the process leaves its group's number, so that a later start can end what a crash left behind. */
  readonly groups: string
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
    if (pid !== undefined) writeFileSync(join(groups, String(pid)), '')
    let why: 'timeout' | 'cancelled' | 'too much output' | undefined
    let killer: NodeJS.Timeout | undefined
    const stop = (reason: NonNullable<typeof why>): void => {
      if (why !== undefined) return
      why = reason
      killGroup(pid, 'SIGTERM')
      killer = setTimeout(() => killGroup(pid, 'SIGKILL'), GRACE_MS)
    }
    const timer = setTimeout(() => stop('timeout'), Math.min(timeoutMs, 2 ** 31 - 1))
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

/** Ends the process groups that a job left behind; `isOurs` guards against numbers that were given to others since. */
export function endGroups(groups: string, isOurs: (pid: number) => boolean = () => true): void {
  if (!existsSync(groups)) return
  for (const name of readdirSync(groups)) {
    const pid = Number(name)
    if (Number.isInteger(pid) && pid > 1 && isOurs(pid)) killGroup(pid, 'SIGKILL')
    rmSync(join(groups, name), { force: true })
  }
}

/** True when the process was started for that run: its environment says so. */
export function belongsToRun(pid: number, runId: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`GITHUB_RUN_ID=${runId}`)
  } catch {
    return false
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
