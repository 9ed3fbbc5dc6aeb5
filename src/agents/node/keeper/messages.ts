import type { TerminalSize } from '../remote-program.ts'
import type { DnsNames } from './dns.ts'

/** A process that the keeper runs, or ran. */
export type Kept = {
  readonly key: string
  readonly pid: number
  readonly startedAtMs: number
  /** What the starter wants to know again after it was restarted. */
  readonly meta: unknown
  readonly exit?: Exit
}

/** How a process ended; `code` is 128 + signal number when a signal ended it. */
export type Exit = { readonly code: number; readonly signal: string | undefined; readonly atMs: number }

/** Starts a process and keeps its output in `log`. */
export type RunRequest = {
  readonly key: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly log?: string
  /** Whether its input stays open for who attaches, or ends with the first of them; else it has none. */
  readonly stdin?: 'once' | 'open'
  readonly meta?: unknown
}

/** Starts a process for somebody who listens; its streams are connections of their own. */
export type SpawnRequest = {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Which of stdin, stdout and stderr are connected; the others are nothing. */
  readonly streams: readonly [boolean, boolean, boolean]
}

/** What a spawned process tells on its first connection, a JSON value a line. */
export type SpawnNews = { readonly id: number } | { readonly exit: number } | { readonly error: string }

/** A stream of a spawned process, or of one that the keeper keeps: 0 goes to it, 1 and 2 come from it. */
export type PipeRequest = { readonly of: number | string; readonly fd: 0 | 1 | 2 }

/** Runs a short process to its end. */
export type ExecRequest = {
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly timeoutMs: number
}

/** What a short process answered; output is cut at 64 KiB. */
export type ExecAnswer = { readonly code: number; readonly output: string; readonly timedOut: boolean }

/** Where a pod listens; or, with `path`, a socket of this machine that leads to it. */
export type Target = { readonly host: string; readonly port: number; readonly path?: string }

/** One port of a Service with the pods behind it. */
export type ServicePortTable = {
  /** `namespace/name:port`. */
  readonly key: string
  /** Address and port in the cluster's network; none for headless Services and where there is no such network. */
  readonly listen: Target | undefined
  /** Port of every node where it is to be reached, too. */
  readonly nodePort?: number
  /** TCP when it is not said. */
  readonly protocol?: 'UDP'
  /** How long a client stays with its pod; not at all when it is not said. */
  readonly affinityMs?: number
  readonly ready: readonly Target[]
  /** Terminating but still serving: used when nobody is ready. */
  readonly serving: readonly Target[]
}

/** All that the network knows: replaced as a whole. */
export type NetworkTable = { readonly ports: readonly ServicePortTable[] } & DnsNames

/** A question on the control connection, one JSON value a line; answered by `{id, ok}` or `{id, error}`. */
export type Question = { readonly id: number } & (
  | ({ readonly ask: 'run' } & RunRequest)
  | ({ readonly ask: 'exec' } & ExecRequest)
  | { readonly ask: 'signal'; readonly key: string; readonly signal: string; readonly depth: number }
  | { readonly ask: 'list' }
  | { readonly ask: 'forget'; readonly key: string }
  | { readonly ask: 'network'; readonly table: NetworkTable }
  | { readonly ask: 'dns'; readonly host: string }
  | { readonly ask: 'greet'; readonly target: Target; readonly request: string; readonly timeoutMs: number }
  | { readonly ask: 'drain'; readonly host: string; readonly timeoutMs: number }
  | { readonly ask: 'resize'; readonly key: string; readonly size: TerminalSize }
  | { readonly ask: 'stop' }
)
