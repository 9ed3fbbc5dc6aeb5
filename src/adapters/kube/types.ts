import type { KubeObject, ObjectRef } from '../../lib/kube/object.ts'

/** A kind as the API server names it, from discovery. */
export type KubeResource = {
  readonly apiVersion: string
  readonly kind: string
  /** Plural, as in the path: `deployments`. */
  readonly plural: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
}

/** Any change of an object: what a watch sends. */
export type WatchEvent = {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: KubeObject
}

/** Which objects of a kind; an absent namespace means all of them. */
export type Selection = {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Only `metadata` is wanted; a server that can leaves the rest out. */
  readonly metadataOnly?: boolean
}

/** How to write; `fieldManager` is always said, because ownership is how Git and people share an object. */
export type WriteOptions = {
  readonly fieldManager: string
  readonly dryRun?: boolean
  readonly force?: boolean
  readonly subresource?: 'status' | 'scale' | 'eviction' | 'binding' | 'finalize' | 'approval'
  /** Default `Ignore`: what a server warns of is not read. */
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict'
}

/** What patching means; `apply` is server-side apply. */
export type PatchType = 'apply' | 'merge' | 'strategic' | 'json'

/** How to delete. */
export type DeleteOptions = {
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  readonly gracePeriodSeconds?: number
  readonly uid?: string
  readonly resourceVersion?: string
}

/**
 * A Kubernetes API, any: kubed or a real one.
 *
 * Every method throws {@link ApiError} when the server refuses; connection faults are SluiceError KUBE_UNREACHABLE (retry: backoff).
 */
export type KubeClient = {
  readonly server: string
  /** The same connections and the same knowledge of kinds, with the rights of another user (impersonation). */
  readonly as: (user: string) => KubeClient
  /** Finds a kind by discovery, cached; looked up again once when unknown. `undefined`: the server has no such kind. */
  readonly resource: (apiVersion: string, kind: string) => Promise<KubeResource | undefined>
  /** `undefined` when the object does not exist. */
  readonly get: (ref: ObjectRef) => Promise<KubeObject | undefined>
  /** All pages. `resourceVersion` is where a watch may start. */
  readonly list: (
    selection: Selection,
  ) => Promise<{ readonly items: readonly KubeObject[]; readonly resourceVersion: string }>
  readonly create: (object: KubeObject, options: WriteOptions) => Promise<KubeObject>
  readonly replace: (object: KubeObject, options: WriteOptions) => Promise<KubeObject>
  readonly patch: (ref: ObjectRef, type: PatchType, body: unknown, options: WriteOptions) => Promise<KubeObject>
  /** False when there was nothing to delete. */
  readonly delete: (ref: ObjectRef, options?: DeleteOptions) => Promise<boolean>
  /** One watch connection; ends when the server closes it or `signal` aborts. Prefer `watchCache`. */
  readonly watch: (
    selection: Selection,
    resourceVersion: string,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
  ) => Promise<void>
  /** Any path, for discovery, logs and the like. */
  readonly raw: (
    method: string,
    path: string,
    body?: unknown,
  ) => Promise<{ readonly status: number; readonly text: string }>
  readonly close: () => void
}

/**
 * A live copy of the selected objects: LIST, then WATCH with bookmarks, re-listed on 410 and after faults with jittered backoff.
 *
 * Handlers run synchronously after the copy has changed.
 */
export type WatchCache = {
  /** Resolves when the first LIST is in. */
  readonly ready: Promise<void>
  /** Resolves when a LIST was refused, to those without the right or for all: the copy stays empty, and it goes on trying. */
  readonly refused: Promise<void>
  readonly get: (namespace: string, name: string) => KubeObject | undefined
  readonly list: (namespace?: string) => readonly KubeObject[]
  readonly onChange: (handler: (object: KubeObject, type: 'ADDED' | 'MODIFIED' | 'DELETED') => void) => () => void
  readonly close: () => void
}

/** A cache that its owner's own writes are put into at once, so that the next look sees them before the watch brings them. */
export type AbsorbingCache = WatchCache & {
  /** Takes in what a write answered, unless the copy is newer already. */
  readonly absorb: (object: KubeObject) => void
  /** Takes out an object that was deleted; a late event of the same uid does not bring it back. */
  readonly absorbDeletion: (object: KubeObject) => void
}
