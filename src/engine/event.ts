import type { ObjectRef } from '../lib/kube/object.ts'

/** Something that happened to an object, as Flux tells it: becomes a Kubernetes Event, and a message wherever an Alert asks for it. */
export type EngineEvent = {
  readonly object: ObjectRef & { readonly uid: string; readonly resourceVersion: string }
  /** `trace`: only a Kubernetes Event (type Normal), no Alert sees it. */
  readonly severity: 'trace' | 'info' | 'error'
  readonly reason: string
  readonly message: string
  /** Annotations of the Kubernetes Event, `kustomize.toolkit.fluxcd.io/revision` and the like; Alerts see them without their prefix. */
  readonly annotations?: Readonly<Record<string, string>>
  /** The name of the Flux controller that would have told it: `source-controller`. */
  readonly controller: string
  readonly atMs: number
  /** Nothing that anybody must know: sinks see it, no Kubernetes Event is written. */
  readonly isRoutine?: boolean
  /** Never the same as one before: Flux names a work folder in it that is another each time. */
  readonly isUnique?: boolean
}

/** Who is told of every event; must return at once (store, queue) and never throw. */
export type EventSink = (event: EngineEvent) => void
