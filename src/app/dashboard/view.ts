/** What the page shows, whole; sent again after every change. */
export type PageView = {
  readonly at: string
  /** Shown as a banner: pods are simulated, no node can run, … */
  readonly notice: string | undefined
  readonly environments: readonly string[]
  readonly services: readonly ServiceView[]
  /** The newest first. */
  readonly lines: readonly string[]
}

export type ServiceView = { readonly name: string; readonly cells: readonly CellView[] }

/** One service in one environment. */
export type CellView = {
  readonly environment: string
  readonly version: string
  readonly commit: string
  readonly state: BorderState
  readonly cause: string | undefined
  readonly url: string | undefined
  readonly borders: readonly BorderView[]
}

export type BorderState = 'done' | 'running' | 'failed' | 'waiting'

export type BorderView = { readonly name: string; readonly state: BorderState; readonly detail: string }
