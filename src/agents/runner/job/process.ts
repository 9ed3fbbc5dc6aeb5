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
  readonly onOut: (text: string) => void
  readonly onErr: (text: string) => void
  /** Asked after each piece of output; true ends the process. */
  readonly isTooMuch: () => boolean
  /** Gets the number of the process's group, so that its job can end what it left behind. */
  readonly groups: Set<number>
}

const GRACE_MS = 2_000
const DRAIN_MS = 300

/** Runs a process in a group of its own; on timeout, cancel or too much output the whole group is ended. */
export function runProcess(options: ProcessOptions): Promise<ProcessEnd> {
  const { argv, cwd, env, timeoutMs, signal, isTooMuch, groups } = options
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
    for (const [stream, onText] of [
      [child.stdout, options.onOut],
      [child.stderr, options.onErr],
    ] as const)
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

const MOST_ROUNDS = 20

/**
 * Ends every process that says of itself, in a variable of its environment, that it belongs to what is over: those too that left the group
 * of their step. Looks again until there is none, since they may have children meanwhile.
 *
 * Linux only; elsewhere they end by themselves.
 */
export function endProcessesWith(variable: string, values: ReadonlySet<string>): void {
  if (values.size === 0 || !existsSync('/proc/self/environ')) return
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const found = readdirSync('/proc')
      .map(Number)
      .filter((pid) => Number.isInteger(pid) && pid !== process.pid && values.has(variableOf(pid, variable)))
    if (found.length === 0) return
    for (const pid of found) kill(pid, 'SIGKILL')
  }
}

/** '' for a process that is not ours, or is over. */
function variableOf(pid: number, name: string): string {
  try {
    const lines = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')
    return lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? ''
  } catch {
    return ''
  }
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid !== undefined) kill(-pid, signal)
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // it is gone already
  }
}
