import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import type { Clock } from '../clock.ts'
import { ApiError } from './api-error.ts'
import type { AbsorbingCache, KubeClient, Selection, WatchCache, WatchEvent } from './types.ts'

/** How a cache behaves. */
export type WatchCacheOptions = {
  readonly clock: Clock
  /** Keep `metadata.managedFields` (default: dropped, it is often half of an object). */
  readonly keepManagedFields?: boolean
  /** Told of every fault; the cache goes on trying. */
  readonly onFault?: (error: unknown) => void
}

type Handler = Parameters<WatchCache['onChange']>[0]

const FIRST_BACKOFF_MS = 100
const LONGEST_BACKOFF_MS = 15_000
const CALM_MS = 1_000

/**
 * Opens a live copy of the selected objects.
 *
 * LIST, then WATCH from its version; a watch that ends is taken up again where it was, on 410 the list is read again and compared. After faults it waits
 * 100 ms, doubling to 15 s, jittered. Handlers run synchronously, after the copy has changed; a replaced object (same name, other uid) is DELETED, then ADDED.
 */
export function watchCache(client: KubeClient, selection: Selection, options: WatchCacheOptions): AbsorbingCache {
  const store = createStore(options.keepManagedFields === true)
  const stop = new AbortController()
  let markReady: () => void = () => undefined
  let failReady: (error: unknown) => void = () => undefined
  const ready = new Promise<void>((resolve, reject) => {
    markReady = resolve
    failReady = reject
  })
  ready.catch(() => undefined)
  let markRefused: () => void = () => undefined
  const refused = new Promise<void>((resolve) => (markRefused = resolve))
  const answers = answersFor(store)
  void follow(client, selection, store, options, stop.signal, {
    ...{ onListed: markReady, onRefused: markRefused, onTold: answers.noteTold },
  })
  return {
    ready,
    refused,
    get: store.get,
    list: store.list,
    onChange: store.onChange,
    absorb: answers.absorb,
    absorbDeletion: answers.absorbDeletion,
    close() {
      stop.abort()
      store.clear()
      failReady(new SluiceError('KUBE_UNREACHABLE', `the watch of ${selection.kind} was closed`, { retry: 'backoff' }))
    },
  }
}

type Milestones = {
  readonly onListed: () => void
  readonly onRefused: () => void
  readonly onTold: (version: string) => void
}

async function follow(
  client: KubeClient,
  selection: Selection,
  store: Store,
  options: WatchCacheOptions,
  signal: AbortSignal,
  { onListed, onRefused, onTold }: Milestones,
): Promise<void> {
  const { clock } = options
  let backoffMs = FIRST_BACKOFF_MS
  let version = ''
  while (!signal.aborted) {
    const startedMs = clock.monotonicMs()
    try {
      if (version === '') {
        const { items, resourceVersion } = await client.list(selection)
        if (signal.aborted) return
        store.replace(items)
        version = resourceVersion
        onTold(version)
        onListed()
      }
      const hear = (event: WatchEvent): void => onTold((version = take(store, event) ?? version))
      await client.watch(selection, version, hear, signal)
    } catch (error) {
      if (signal.aborted) return
      if (isGone(error)) version = ''
      else options.onFault?.(error)
      if (error instanceof ApiError && [403, 405].includes(error.status)) onRefused()
    }
    if (signal.aborted) return
    if (clock.monotonicMs() - startedMs >= CALM_MS) backoffMs = FIRST_BACKOFF_MS
    await pause(backoffMs * (0.5 + Math.random()), signal)
    backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS)
  }
}

/** Takes one event in; answers the version that the copy now has. */
function take(store: Store, { type, object }: WatchEvent): string | undefined {
  if (type === 'ADDED' || type === 'MODIFIED') store.put(object)
  if (type === 'DELETED') store.remove(object)
  return object.metadata.resourceVersion
}

function isGone(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 410 || error.reason === 'Expired')
}

type Store = {
  readonly get: WatchCache['get']
  readonly list: WatchCache['list']
  readonly onChange: WatchCache['onChange']
  readonly put: (object: KubeObject) => void
  readonly remove: (object: KubeObject) => void
  readonly bury: (object: KubeObject) => void
  readonly replace: (objects: readonly KubeObject[]) => void
  readonly clear: () => void
}

function createStore(keepManagedFields: boolean): Store {
  const namespaces = new Map<string, Map<string, KubeObject>>()
  const handlers = new Set<Handler>()
  const buried = new Set<string>()
  const tell = (object: KubeObject, type: 'ADDED' | 'MODIFIED' | 'DELETED'): void => {
    for (const handler of [...handlers]) handler(object, type)
  }
  const get = (namespace: string, name: string): KubeObject | undefined => namespaces.get(namespace)?.get(name)
  const drop = (object: KubeObject): void => {
    const { namespace = '', name } = object.metadata
    const names = namespaces.get(namespace)
    if (!names?.delete(name)) return
    if (names.size === 0) namespaces.delete(namespace)
    tell(object, 'DELETED')
  }
  const put = (found: KubeObject): void => {
    const object = keepManagedFields ? found : withoutManagedFields(found)
    const { namespace = '', name, uid = '' } = object.metadata
    const before = get(namespace, name)
    if (buried.has(uid) || (before && !isNewer(object, before))) return
    const isReplaced = before !== undefined && before.metadata.uid !== object.metadata.uid
    if (isReplaced) drop(before)
    const names = namespaces.get(namespace) ?? new Map<string, KubeObject>()
    namespaces.set(namespace, names)
    names.set(name, object)
    tell(object, before && !isReplaced ? 'MODIFIED' : 'ADDED')
  }
  return {
    get,
    list: (namespace) =>
      namespace === undefined
        ? [...namespaces.values()].flatMap((names) => [...names.values()])
        : [...(namespaces.get(namespace)?.values() ?? [])],
    onChange(handler) {
      handlers.add(handler)
      return () => void handlers.delete(handler)
    },
    put,
    remove(object) {
      const { namespace = '', name, uid } = object.metadata
      if (get(namespace, name)?.metadata.uid === uid) drop(keepManagedFields ? object : withoutManagedFields(object))
      else buried.delete(uid ?? '')
    },
    bury: (object) => void buried.add(object.metadata.uid ?? ''),
    replace(objects) {
      const kept = new Set(objects.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`))
      const old = [...namespaces.values()].flatMap((names) => [...names.values()])
      for (const object of old)
        if (!kept.has(`${object.metadata.namespace ?? ''}/${object.metadata.name}`)) drop(object)
      for (const object of objects) put(object)
    },
    clear() {
      namespaces.clear()
      handlers.clear()
    },
  }
}

/** Takes what writes were answered into a store, beside what its watch tells. */
function answersFor(store: Store) {
  let toldVersion = ''
  const isHere = ({ metadata: { namespace = '', name, uid } }: KubeObject): boolean =>
    store.get(namespace, name)?.metadata.uid === uid
  return {
    /** Everything up to that version has been told. */
    noteTold: (version: string) => void (toldVersion = version),
    absorb(object: KubeObject) {
      // the end of an object may be told before the answer to its last write comes: what was told already and is not here is gone
      const hasBeenTold = Number(object.metadata.resourceVersion) <= Number(toldVersion)
      if (isHere(object) || !hasBeenTold) store.put(object)
    },
    absorbDeletion(object: KubeObject) {
      if (!isHere(object)) return
      store.bury(object)
      store.remove(object)
    },
  }
}

/** Versions of one object are compared as numbers, which every server's are; what is not a number is taken as it comes. */
function isNewer(object: KubeObject, before: KubeObject): boolean {
  if (object.metadata.uid !== before.metadata.uid) return true
  const version = object.metadata.resourceVersion ?? ''
  const known = before.metadata.resourceVersion ?? ''
  if (version === known) return false
  return !(Number(version) < Number(known))
}

function withoutManagedFields(object: KubeObject): KubeObject {
  if (object.metadata.managedFields === undefined) return object
  const { managedFields: _dropped, ...metadata } = object.metadata
  return { ...object, metadata }
}

/** Keeps the process alive, unlike the clock's timers; ends at once when the cache is closed. */
function pause(afterMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, afterMs)
    signal.addEventListener('abort', end)
  })
}
