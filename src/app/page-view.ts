/** How far a border, or a whole delivery, is. */
export type BorderState = 'done' | 'running' | 'failed' | 'waiting'

/** One step of a delivery at which it can stop. */
export type BorderView = {
  readonly name: string
  readonly state: BorderState
  readonly at?: string | undefined
  readonly detail: string
  /** Who pushed: the name of the token, or what the holder of the server's own called himself. */
  readonly by?: string | undefined
}

/** One delivery: a commit on its way into one environment. `service` is `''` for a commit that no service's delivery tells of. */
export type DeliveryView = {
  readonly service: string
  readonly environment: string
  readonly version: string
  readonly commit: string
  readonly state: BorderState | 'superseded'
  readonly startedAt: string
  readonly endedAt: string | undefined
  readonly cause: string | undefined
  /** The workflow run of its commit, where it is known. */
  readonly runId?: string | undefined
  readonly borders: readonly BorderView[]
}

/** One service in one environment, as it is now. */
export type CellView = {
  readonly environment: string
  readonly version: string
  readonly commit: string
  readonly state: BorderState
  readonly cause: string | undefined
  /** The border at which it stopped. */
  readonly stoppedAt?: string | undefined
  /** The border before which it stands and does not go on by itself, as far as can be seen; its `detail` says why. */
  readonly waitsAt?: string | undefined
  readonly url: string | undefined
  readonly borders: readonly BorderView[]
}

export type ServiceView = { readonly name: string; readonly cells: readonly CellView[] }

/** Why something does not go on, said once for all services that it holds up; it may be none. */
export type StopView = {
  readonly environment: string
  readonly services: readonly string[]
  /** The commit that stopped, short; `''` where none is to blame. */
  readonly commit: string
  readonly cause: string
  /** What to do about it, where that can be told. */
  readonly next?: string | undefined
}

/** An object of Flux's kinds that does nothing now, whatever is pushed: it is suspended, or not ready. */
export type HoldView = {
  readonly object: string
  readonly cause: string
  /** What to do about it, where that can be told. */
  readonly next?: string | undefined
}

/** What the page and `sluice status` show, whole; sent to the page again after every change. */
export type PageView = {
  readonly at: string
  /** Shown as a banner: pods are simulated, no node can run, … */
  readonly notice: string | undefined
  readonly environments: readonly string[]
  readonly services: readonly ServiceView[]
  readonly stops: readonly StopView[]
  readonly holds: readonly HoldView[]
  /** The newest first. */
  readonly lines: readonly string[]
}
