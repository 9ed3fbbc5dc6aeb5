import { createHash } from 'node:crypto'
import { refOf, type KubeObject, type ObjectRef } from '../../../../lib/kube/object.ts'
import { comparable } from '../../../../pipeline/apply/normalize.ts'
import { OWNED_SELECTOR, ownerOf } from '../../../../pipeline/apply/rules.ts'
import { listingOf } from '../../../kube/listing-of.ts'
import type { SharedCaches } from '../../../kube/shared-caches.ts'
import type { KubeClient, WatchCache } from '../../../kube/types.ts'

/**
 * What Kustomizations have applied, as it is in the cluster now: one watch a kind, of owned objects alone, and a memory of what each apply answered.
 * An object that the watch shows as the apply left it, and that Git describes as then, needs no request.
 */
export type LiveObjects = {
  /** Opens the watch of a kind, if it can be watched and we may; false when the server has no such kind. */
  readonly ensure: (apiVersion: string, kind: string) => Promise<boolean>
  /** The owned object as the watch shows it, without managedFields. */
  readonly get: (ref: ObjectRef) => KubeObject | undefined
  /** The server answered an apply (or its rehearsal changed nothing): this is how `desired` looks in the cluster. */
  readonly remember: (ref: ObjectRef, desiredHash: string, live: KubeObject) => void
  readonly forget: (ref: ObjectRef) => void
  /** The watch of the kind shows the object, or is about to: it was applied and nobody has deleted it since. */
  readonly isFollowed: (ref: ObjectRef) => boolean
  /** The watch still shows an older object than the last apply answered with, or none yet. */
  readonly isBehind: (ref: ObjectRef) => boolean
  /** Nothing has changed since the last apply of the very same object. */
  readonly isUnchanged: (ref: ObjectRef, desiredHash: string) => boolean
  /** Nobody else has changed it since the last apply, whatever Git says now. */
  readonly isUntouched: (ref: ObjectRef) => boolean
  readonly onChange: (handler: (object: KubeObject) => void) => void
  readonly close: () => void
}

/** What may not be listed shows nothing, and is behind nothing. */
type Followed = WatchCache & { readonly isListed: () => boolean }

type Memory = {
  readonly desiredHash: string
  readonly liveHash: string
  readonly version: number
  readonly uid: string | undefined
  /** The watch of its kind shows it: it carries the owner's label, under the name that Git has for it. */
  readonly isWatched: boolean
}

/** Annotations that Kubernetes' own controllers write on what others applied. */
const FOREIGN_ANNOTATIONS = [
  'deployment.kubernetes.io/revision',
  'pv.kubernetes.io/bind-completed',
  'pv.kubernetes.io/bound-by-controller',
]

/** Makes an empty store over the shared watches. */
export function createLiveObjects(client: KubeClient, caches: SharedCaches): LiveObjects {
  const watches = new Map<string, Followed>()
  const memories = new Map<string, Memory>()
  const hashes = new WeakMap<KubeObject, string>()
  const handlers: ((object: KubeObject) => void)[] = []
  const watchOf = ({ apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>): Followed | undefined =>
    watches.get(`${apiVersion}/${kind}`)
  const hashOf = (object: KubeObject): string => {
    const found = hashes.get(object) ?? liveHash(object)
    hashes.set(object, found)
    return found
  }
  const isUntouched = (ref: ObjectRef, memory: Memory | undefined): boolean => {
    const seen = watchOf(ref)?.get(ref.namespace, ref.name)
    if (!memory || !seen) return false
    if (Number(seen.metadata.resourceVersion) <= memory.version) return true
    return hashOf(seen) === memory.liveHash
  }
  const follow = (apiVersion: string, kind: string): WatchCache => {
    const watch = caches.open({ apiVersion, kind, labelSelector: OWNED_SELECTOR })
    watches.set(`${apiVersion}/${kind}`, { ...watch, isListed: listingOf(watch) })
    watch.onChange((object, type) => {
      if (type === 'DELETED') forgetIncarnation(memories, object)
      handlers.forEach((handler) => handler(object))
    })
    return watch
  }
  return {
    async ensure(apiVersion, kind) {
      const isWatchable = watchOf({ apiVersion, kind }) ? true : await canWatch(client, apiVersion, kind)
      if (isWatchable !== true) return isWatchable === false
      const { ready, refused } = watchOf({ apiVersion, kind }) ?? follow(apiVersion, kind)
      await Promise.race([ready, refused])
      return true
    },
    get: (ref) => watchOf(ref)?.get(ref.namespace, ref.name),
    remember: (ref, desiredHash, live) => void memories.set(idOf(ref), memoryOf(ref, desiredHash, live)),
    forget: (ref) => void memories.delete(idOf(ref)),
    isFollowed: (ref) => isFollowed(ref, watchOf(ref), memories.get(idOf(ref))),
    isBehind: (ref) => isBehind(ref, watchOf(ref), memories.get(idOf(ref))),
    isUnchanged(ref, desiredHash) {
      const memory = memories.get(idOf(ref))
      return memory?.desiredHash === desiredHash && isUntouched(ref, memory)
    },
    isUntouched: (ref) => isUntouched(ref, memories.get(idOf(ref))),
    onChange: (handler) => void handlers.push(handler),
    close() {
      for (const watch of watches.values()) watch.close()
      watches.clear()
    },
  }
}

function isFollowed(ref: ObjectRef, watch: Followed | undefined, memory: Memory | undefined): boolean {
  if (!watch?.isListed()) return false
  return memory?.isWatched === true || watch.get(ref.namespace, ref.name) !== undefined
}

function isBehind(ref: ObjectRef, watch: Followed | undefined, memory: Memory | undefined): boolean {
  if (!watch?.isListed() || !memory?.isWatched) return false
  const seen = watch.get(ref.namespace, ref.name)
  return seen === undefined || Number(seen.metadata.resourceVersion) < memory.version
}

/** `undefined`: the server has no such kind. */
async function canWatch(client: KubeClient, apiVersion: string, kind: string): Promise<boolean | undefined> {
  const resource = await client.resource(apiVersion, kind)
  return resource && ['list', 'watch'].every((verb) => resource.verbs.includes(verb))
}

function memoryOf(ref: ObjectRef, desiredHash: string, live: KubeObject): Memory {
  const { resourceVersion = '0', uid, namespace = '' } = live.metadata
  const isWatched = ownerOf(live) !== undefined && namespace === ref.namespace
  return { desiredHash, liveHash: liveHash(live), version: Number(resourceVersion), uid, isWatched }
}

/** What was deleted is not what a later apply made anew. */
function forgetIncarnation(memories: Map<string, Memory>, object: KubeObject): void {
  const id = idOf(refOf(object))
  if (memories.get(id)?.uid === object.metadata.uid) memories.delete(id)
}

function idOf({ apiVersion, kind, namespace, name }: ObjectRef): string {
  return `${apiVersion}/${kind}/${namespace}/${name}`
}

function liveHash(object: KubeObject): string {
  const { annotations } = object.metadata
  if (!annotations) return hashJson(comparable(object))
  const kept = Object.fromEntries(Object.entries(annotations).filter(([name]) => !FOREIGN_ANNOTATIONS.includes(name)))
  return hashJson(comparable({ ...object, metadata: { ...object.metadata, annotations: kept } }))
}

/** A digest of a JSON value that does not depend on the order of keys. */
export function hashJson(value: unknown): string {
  return createHash('sha256').update(stable(value)).digest('base64')
}

function stable(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stable).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, field]) => `${JSON.stringify(key)}:${stable(field)}`).join(',')}}`
}
