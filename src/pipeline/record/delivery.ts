/** How far a border, or a whole delivery, is. */
export type BorderState = 'done' | 'running' | 'failed' | 'waiting'

/** The borders in the order a commit meets them. */
export const BORDERS = ['push', 'ci', 'image', 'policy', 'write-back', 'source', 'build', 'apply', 'health'] as const

/** One border's name. */
export type BorderName = (typeof BORDERS)[number]

/** One step of a delivery: how it stands, since when, and what was seen there (on failure: the cause). */
export type Border = {
  readonly name: BorderName
  readonly state: BorderState
  readonly at: string | undefined
  readonly detail: string
}

/**
 * One commit on its way into one environment, for one service; never changed any more once `state` is `done`.
 *
 * Environment: the Kustomization that carries it; before one is known, the branch. Service: the image's last name, or the
 * workload (or Kustomization) that the commit changed.
 */
export type Delivery = {
  readonly service: string
  readonly environment: string
  /** The image's tag; '' when the commit brought no image. */
  readonly version: string
  readonly image: string
  readonly digest: string
  readonly commit: string
  /** The commit that wrote the image back; '' when there was none. */
  readonly configCommit: string
  readonly branch: string
  readonly author: string
  readonly message: string
  readonly state: BorderState
  readonly startedAt: string
  readonly endedAt: string | undefined
  readonly cause: string | undefined
  readonly borders: readonly Border[]
}

/** One service in one environment, as it is now. */
export type StatusCell = {
  readonly service: string
  readonly environment: string
  readonly namespace: string
  readonly version: string
  readonly commit: string
  readonly state: BorderState
  readonly cause: string | undefined
  readonly borders: readonly Border[]
}
