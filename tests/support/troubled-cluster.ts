import { ApiError } from '../../src/adapters/kube/api-error.ts'
import type { HttpKubeClient } from '../../src/adapters/kube/client.ts'
import { shareCaches } from '../../src/adapters/kube/shared-caches.ts'
import type { KubeClient, PatchType, WatchEvent, WriteOptions } from '../../src/adapters/kube/types.ts'
import { createBench, type Bench } from '../../src/agents/workloads/bench.ts'
import { isSame, timeText } from '../../src/agents/workloads/meta.ts'
import { asJson, objectOf } from '../../src/lib/kube/json.ts'
import { mergePatch } from '../../src/lib/kube/merge-patch.ts'
import type { KubeObject, ObjectMeta, ObjectRef } from '../../src/lib/kube/object.ts'
import { schemaFor } from '../../src/lib/kube-schema/builtin.ts'
import { strategicPatch } from '../../src/lib/kube-typed/strategic/patch.ts'
import { manualClock } from './manual-clock.ts'
import { seededRandom } from './seeded-random.ts'

/** Choices that are the same for the same seed. */
export type Chance = {
  readonly pick: <T>(items: readonly T[]) => T
  /** A whole number from 0 to `most`. */
  readonly int: (most: number) => number
  readonly is: (share: number) => boolean
}

/** What goes wrong, as shares of writes, and of the moments in which a watch could tell something. */
export type Trouble = {
  /** Writes that the server refuses. */
  readonly refused: number
  /** Writes that are carried out, though their answer never comes. */
  readonly lost: number
  /** Moments in which somebody else does something before a write. */
  readonly raced: number
  /** Watches that tell nothing for now; the others are some events behind. */
  readonly late: number
}

/** Nothing goes wrong. */
export const CALM: Trouble = { refused: 0, lost: 0, raced: 0, late: 0 }

/** A write of a controller: what was asked of the server, and whether that changed anything. */
export type Attempt = { readonly verb: string; readonly kind: string; readonly name: string }

/** A cluster without controllers, in memory, in which things go wrong by chance. */
export type TroubledCluster = {
  readonly clock: ReturnType<typeof manualClock>
  readonly chance: Chance
  trouble: Trouble
  /** What others do while a controller writes. */
  meanwhile: () => void
  /** Looked at before each creation by a controller. */
  beforeCreate: (object: KubeObject) => void
  /** What controllers asked the server to write, in order. */
  readonly attempts: Attempt[]
  /** Every change of an object, by whomever. */
  readonly happened: readonly { readonly object: KubeObject }[]
  /** Reasons of Events, in order. */
  readonly told: string[]
  /** Writes as anybody else than a controller would. */
  readonly put: (object: KubeObject) => void
  readonly remove: (object: KubeObject, graceSeconds?: number) => void
  readonly of: <T extends KubeObject>(kind: string) => T[]
  readonly get: (kind: string, name: string) => KubeObject | undefined
  /** Tells watches what has happened, as far as none is late; answers whether there was anything to tell. */
  readonly deliver: () => boolean
  /** What a process of controllers works with, its copies filled anew. */
  readonly join: () => { readonly bench: Bench; readonly leave: () => void }
  /** Answers of paths besides those of objects. */
  answer: (method: string, path: string, body: unknown) => { readonly status: number; readonly text: string }
}

/** The numbers of a seed as choices. */
export function chanceOf(seed: number): Chance {
  const random = seededRandom(seed)
  return {
    pick: (items) => items[Math.floor(random() * items.length)] as never,
    int: (most) => Math.floor(random() * (most + 1)),
    is: (share) => random() < share,
  }
}

type Happening = {
  readonly version: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: KubeObject
}
type Watcher = { readonly kind: string; readonly onEvent: (event: WatchEvent) => void; at: number }

/** An empty cluster at a moment of its own. */
export function troubledCluster(seed: number, startMs: number): TroubledCluster {
  const chance = chanceOf(seed)
  const clock = manualClock(startMs)
  const server = memoryServer(clock.nowMs)
  const watchers = new Set<Watcher>()
  const cluster: TroubledCluster = {
    ...{ clock, chance, trouble: CALM, attempts: [], told: [], happened: server.happened },
    meanwhile: () => undefined,
    beforeCreate: () => undefined,
    put: (object) => void server.put(object),
    remove: (object, graceSeconds) => void server.remove(object, graceSeconds),
    of: (kind) => server.of(kind) as never[],
    get: (kind, name) => server.of(kind).find(({ metadata }) => metadata.name === name),
    deliver() {
      let hasTold = false
      for (const watcher of watchers) {
        if (chance.is(cluster.trouble.late)) continue
        const upTo = server.happened.length - (cluster.trouble.late > 0 ? chance.pick([0, 0, 1, 3]) : 0)
        for (; watcher.at < upTo; watcher.at++) {
          const { type, object } = server.happened[watcher.at] as Happening
          if (object.kind !== watcher.kind) continue
          hasTold = true
          watcher.onEvent({ type, object })
        }
      }
      return hasTold
    },
    join() {
      const client = clientOf(cluster, server, watchers) as HttpKubeClient
      const caches = shareCaches(client, { clock })
      const tell: Bench['tell'] = (_component, { reason }) => void cluster.told.push(reason)
      return { bench: createBench(client, clock, caches, tell, () => undefined), leave: () => caches.close() }
    },
    answer: () => ({ status: 404, text: '{}' }),
  }
  return cluster
}

type Server = ReturnType<typeof memoryServer>

/** Objects as an API server keeps them. */
function memoryServer(nowMs: () => number) {
  const objects = new Map<string, KubeObject>()
  const happened: Happening[] = []
  let version = 1
  const keyOf = ({ kind, metadata }: KubeObject): string => `${kind}/${metadata.namespace ?? ''}/${metadata.name}`
  const note = (type: Happening['type'], object: KubeObject): void => void happened.push({ version, type, object })
  const find = (object: KubeObject): KubeObject | undefined => objects.get(keyOf(object))

  function put(given: KubeObject): KubeObject {
    const before = find(given)
    const { resourceVersion: _, ...metadata } = given.metadata
    const hasChanged = before === undefined || !isSame(before['spec'], given['spec'])
    const meta: ObjectMeta = {
      ...metadata,
      generation: (before?.metadata.generation ?? metadata.generation ?? 0) + (hasChanged && before ? 1 : 0),
      uid: metadata.uid ?? `uid-${version + 1}`,
      creationTimestamp: metadata.creationTimestamp ?? timeText(nowMs()),
    }
    if (before && isSame(withoutVersion(before), { ...given, metadata: meta })) return before
    const object = { ...given, metadata: { ...meta, resourceVersion: String(++version) } }
    if (hasGone(object)) {
      objects.delete(keyOf(object))
      note('DELETED', object)
    } else {
      objects.set(keyOf(object), object)
      note(before === undefined ? 'ADDED' : 'MODIFIED', object)
    }
    return object
  }

  function remove(object: KubeObject, graceSeconds = 30, policy = 'Background'): KubeObject | undefined {
    const found = find(object)
    if (found === undefined) return undefined
    const { metadata, status } = found
    const { phase } = objectOf(asJson(status ?? {}))
    const isAtWork = found.kind === 'Pod' && objectOf(asJson(found['spec'])).nodeName !== undefined
    const hasEnded = phase === 'Succeeded' || phase === 'Failed'
    const finalizers = [...(metadata.finalizers ?? []), ...(policy === 'Foreground' ? [FOREGROUND] : [])]
    const grace = isAtWork && !hasEnded ? graceSeconds : 0
    const before = metadata.deletionGracePeriodSeconds ?? grace
    const leaving = {
      deletionTimestamp: metadata.deletionTimestamp ?? timeText(nowMs() + grace * 1000),
      deletionGracePeriodSeconds: Math.min(before, grace),
    }
    return put({ ...found, metadata: { ...metadata, ...leaving, finalizers: [...new Set(finalizers)] } })
  }

  const of = (kind: string): KubeObject[] => [...objects.values()].filter((object) => object.kind === kind)
  return { happened, version: () => version, put, remove, find, of, nextName: () => String(version + 1) }
}

/** Set on an owner that goes only after what it owns. */
export const FOREGROUND = 'foregroundDeletion'

function withoutVersion(object: KubeObject): KubeObject {
  const { resourceVersion: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

function hasGone({ kind, metadata }: KubeObject): boolean {
  if (metadata.deletionTimestamp === undefined || (metadata.finalizers ?? []).length > 0) return false
  return kind !== 'Pod' || metadata.deletionGracePeriodSeconds === 0
}

/** The controllers' way to the server, on which things go wrong. */
function clientOf(cluster: TroubledCluster, server: Server, watchers: Set<Watcher>): Partial<HttpKubeClient> {
  const { chance } = cluster
  /** Carries a write out, or does not; in between others may do something, and watches tell of it. */
  async function write<T>(verb: string, { kind, metadata: { name } }: Named, carryOut: () => T): Promise<T> {
    const { trouble } = cluster
    cluster.attempts.push({ verb, kind, name })
    await Promise.resolve()
    if (chance.is(trouble.raced)) cluster.meanwhile()
    if (chance.is(1 - trouble.late)) cluster.deliver()
    if (chance.is(trouble.refused)) throw new ApiError(500, 'InternalError', 'the server is in trouble')
    const answer = carryOut()
    if (chance.is(trouble.lost)) throw new ApiError(504, 'Timeout', 'no answer came')
    return answer
  }
  return {
    async list({ kind }) {
      return { items: server.of(kind), resourceVersion: String(server.version()) }
    },
    watch({ kind }, resourceVersion, onEvent, signal) {
      const at = server.happened.findIndex(({ version }) => version > Number(resourceVersion))
      const watcher = { kind, onEvent, at: at < 0 ? server.happened.length : at }
      watchers.add(watcher)
      return new Promise((resolve) =>
        signal.addEventListener('abort', () => {
          watchers.delete(watcher)
          resolve()
        }),
      )
    },
    get: async (ref) => server.find(named(ref)),
    create: (object) => write('create', object, () => create(cluster, server, object)),
    replace: (object, options) => write('replace', object, () => replace(server, object, options)),
    patch: (ref, type, body) => write('patch', named(ref), () => patch(server, ref, type, body)),
    remove: (ref, options = {}) =>
      write('delete', named(ref), () => {
        const found = server.find(named(ref))
        if (found === undefined) return undefined
        const { uid, resourceVersion } = { ...found.metadata, ...options }
        if (uid !== found.metadata.uid || resourceVersion !== found.metadata.resourceVersion) throw conflict(found)
        const left = server.remove(found, options.gracePeriodSeconds, options.propagationPolicy)
        return left && hasGone(left) ? undefined : left
      }),
    async resource(apiVersion, kind) {
      return { apiVersion, kind, plural: `${kind.toLowerCase()}s`, namespaced: true, verbs: [] }
    },
    async raw(method, path, body) {
      if (method === 'GET') return cluster.answer(method, path, body)
      const name = path.split('/').at(-2) ?? ''
      try {
        return await write(method, { kind: 'Scale', metadata: { name } }, () => cluster.answer(method, path, body))
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        return { status: error.status, text: JSON.stringify({ message: error.message }) }
      }
    },
  } satisfies Partial<KubeClient> & Partial<HttpKubeClient>
}

type Named = { readonly kind: string; readonly metadata: { readonly name: string } }

function named({ apiVersion, kind, namespace, name }: ObjectRef): KubeObject {
  return { apiVersion, kind, metadata: { name, ...(namespace !== '' && { namespace }) } }
}

function create(cluster: TroubledCluster, server: Server, object: KubeObject): KubeObject {
  const { generateName = '', name } = object.metadata
  const complete = { ...object, metadata: { ...object.metadata, name: name || generateName + server.nextName() } }
  if (server.find(complete)) throw new ApiError(409, 'AlreadyExists', `${object.kind} "${name}" already exists`)
  cluster.beforeCreate(complete)
  return server.put({ ...complete, ...(object.kind === 'Pod' && { status: { phase: 'Pending' } }) })
}

function replace(server: Server, object: KubeObject, { subresource }: WriteOptions): KubeObject {
  const before = server.find(object)
  if (before === undefined) throw missing(object)
  if (object.metadata.resourceVersion !== before.metadata.resourceVersion) throw conflict(before)
  const { annotations } = object.metadata
  return subresource === 'status'
    ? server.put({
        ...before,
        metadata: { ...before.metadata, ...(annotations && { annotations }) },
        status: object['status'],
      })
    : server.put({ ...object, status: before['status'] })
}

function patch(server: Server, ref: ObjectRef, type: PatchType, body: unknown): KubeObject {
  const before = server.find(named(ref))
  if (before === undefined) throw missing(named(ref))
  const { uid, resourceVersion } = objectOf(objectOf(asJson(body)).metadata)
  if (uid !== undefined && uid !== before.metadata.uid) throw conflict(before)
  if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) throw conflict(before)
  const given = objectOf(asJson(before))
  const after =
    type === 'strategic'
      ? strategicPatch(schemaFor(ref.apiVersion, ref.kind), given, objectOf(asJson(body)))
      : mergePatch(given, asJson(body))
  return server.put(after as unknown as KubeObject)
}

function conflict({ kind, metadata }: KubeObject): ApiError {
  return new ApiError(409, 'Conflict', `${kind} "${metadata.name}" has been modified`)
}

function missing({ kind, metadata }: KubeObject): ApiError {
  return new ApiError(404, 'NotFound', `${kind} "${metadata.name}" not found`)
}
