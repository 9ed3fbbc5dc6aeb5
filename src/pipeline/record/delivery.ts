/** The steps of a delivery at which it can stop, in the order a commit meets them. */
export const BORDERS = ['push', 'ci', 'image', 'policy', 'write-back', 'source', 'build', 'apply', 'health'] as const
export type Border = (typeof BORDERS)[number]

/** How far one border is; `detail` is for people, `by` who pushed. */
export type BorderRecord = {
  readonly state: 'done' | 'running' | 'failed'
  readonly at: string
  readonly detail: string
  readonly by?: string
}

/** `superseded`: a newer delivery of the same service took its place before it arrived. */
export type DeliveryState = 'running' | 'done' | 'failed' | 'superseded'

/**
 * One commit on its way into one environment, for one service. Immutable once it has ended (`endedAt` is set), unless it was dropped.
 *
 * Joined by the image's digest where there is an image, by the commit of the configuration where there is none; never by labels.
 */
export type Delivery = {
  readonly id: string
  readonly service: string
  /** The namespace it runs in. */
  readonly environment: string
  /** The Kustomization that carries it, `namespace/name`; unknown until the build. */
  readonly kustomization: string | undefined
  /** `image` a new image, `config` a change of manifests only, `drift` a change in the cluster that Git took back. */
  readonly kind: 'image' | 'config' | 'drift'
  readonly image: string | undefined
  /** The image's tag. */
  readonly version: string
  readonly digest: string | undefined
  /** The commit that the image was built from, or the commit of the manifests. */
  readonly commit: string
  /** The commit in Git that asks for this image. */
  readonly configCommit: string | undefined
  readonly state: DeliveryState
  readonly cause: string | undefined
  /** The workflow run that built the image; unknown for images from elsewhere. */
  readonly runId: string | undefined
  readonly startedAt: string
  readonly endedAt: string | undefined
  /** It ended because its Kustomization asked for it no more, or is no more; it goes on when its image is asked for again. */
  readonly isDropped?: true
  readonly borders: Readonly<Partial<Record<Border, BorderRecord>>>
}

/**
 * One commit on its way through one Kustomization, whether it changes a service or not: what `trace` answers of a commit that no
 * delivery knows, because it was refused or changes nothing that runs.
 */
export type Passage = {
  readonly kustomization: string
  readonly commit: string
  readonly startedAt: string
  readonly borders: Readonly<Partial<Record<Border, BorderRecord>>>
}

/** A border that something did not pass. */
export type Stop = {
  readonly border: Border
  /** Unknown where no commit is to blame: an image that nobody's policy selects. */
  readonly commit: string | undefined
  /** All borders of what stopped, this one among them. */
  readonly borders: Delivery['borders']
}

/** A service in an environment, as it is now: the newest delivery, and what the environment itself suffers from. */
export type Cell = {
  readonly service: string
  readonly environment: string
  readonly kustomization: string | undefined
  readonly delivery: Delivery | undefined
  /** What runs: the last delivery that arrived. */
  readonly running: Delivery | undefined
  /** Why the environment as a whole does not go on (a build that fails, a refused apply, an ill workload). */
  readonly cause: string | undefined
  /** Where it does not go on, and the commit that stopped there; of the delivery, or of the environment. */
  readonly stop: Stop | undefined
  /** Its pods are there and none is ready, whatever was delivered. */
  readonly isDown: boolean
  /** The image that its pods run in place of what was delivered last: somebody has changed it by hand. */
  readonly foreignImage: string | undefined
}
