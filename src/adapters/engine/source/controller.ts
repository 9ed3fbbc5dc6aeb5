import {
  decideSource,
  type LookOutcome,
  type SourceChange,
  type SourceSeen,
  type SourceStatus,
  type SourceWords,
} from '../../../controllers/source.ts'
import type { Controller } from '../../../engine/controller.ts'
import { FINALIZER, type FluxMeta } from '../../../kinds/flux-object.ts'
import type { SourceObject } from '../../../kinds/source.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { WatchCache } from '../../kube/types.ts'
import type { EngineContext } from '../context.ts'
import { sourceKey } from '../source-store.ts'
import { keyOf, overlayView, writeFinalizers, writeStatus, type ObjectView } from '../status-writer.ts'

const MANAGER = 'source-controller'

/** One kind of source: how its objects are read, looked at, and spoken of. */
export type SourceKind<Source extends SourceObject> = {
  readonly kind: string
  readonly parse: (object: KubeObject) => Source
  readonly words: SourceWords<Source>
  /** Brings the source up to date; never throws for what the object, its Secrets or the remote have done wrong. */
  readonly look: (source: Source) => Promise<LookOutcome>
  /** Registers for news from elsewhere; `wakeWhere` makes the objects that fit look at once. */
  readonly listen?: (wakeWhere: (fits: (object: KubeObject) => boolean) => void) => void
  readonly close?: () => void
}

/** What the engine remembers of a source between looks; lost at a restart, which looks at once. */
type Memory<Source> = {
  nextLookMs: number
  /** News came since the last look began: it may have been too early for them. */
  isNews: boolean
  failures: number
  /** Since when this engine has known it. */
  readonly knownSinceMs: number
  handledGeneration: number
  handledRequest: string | undefined
  /** A look that is not in the status yet, with the object that it was for: what was changed meanwhile is for the next one. */
  looked: { readonly source: Source; readonly outcome: LookOutcome } | undefined
}

type Own<Source extends SourceObject> = {
  readonly context: EngineContext
  readonly kind: SourceKind<Source>
  readonly cache: WatchCache
  readonly view: ObjectView
  readonly memories: Map<string, Memory<Source>>
}

/** The controller of a kind of source: `decide` is pure, this gathers what it sees and does what it says. */
export function sourceController<Source extends SourceObject>(
  context: EngineContext,
  kind: SourceKind<Source>,
): Controller<SourceSeen<Source>, SourceChange, SourceStatus> {
  const cache = context.caches.open({ apiVersion: 'source.toolkit.fluxcd.io/v1', kind: kind.kind })
  const own: Own<Source> = { context, kind, cache, view: overlayView(cache.get), memories: new Map() }
  return {
    kind: kind.kind,
    concurrency: 20,
    async watch(wake) {
      cache.onChange((object) => wake.now(keyOf(object)))
      kind.listen?.((fits) => {
        for (const object of cache.list()) {
          if (!fits(object)) continue
          const memory = memoryOf(own, keyOf(object))
          memory.nextLookMs = 0
          memory.isNews = true
          wake.now(keyOf(object))
        }
      })
      await cache.ready
      for (const object of cache.list()) wake.now(keyOf(object))
    },
    observe: async (key) => observe(own, key),
    decide: (seen) => decideSource(seen, kind.words),
    async act(changes, { source }, key) {
      for (const change of changes) await carryOut(own, change, source, key)
    },
    settle: (status, { source }, key) => settle(own, status, source, key),
    close() {
      cache.close()
      kind.close?.()
    },
  }
}

function memoryOf<Source extends SourceObject>({ memories, context }: Own<Source>, key: string): Memory<Source> {
  const found = memories.get(key) ?? {
    nextLookMs: 0,
    isNews: false,
    failures: 0,
    knownSinceMs: context.clock.monotonicMs(),
    handledGeneration: -1,
    handledRequest: undefined,
    looked: undefined,
  }
  memories.set(key, found)
  return found
}

function observe<Source extends SourceObject>(own: Own<Source>, key: string): SourceSeen<Source> | undefined {
  const { context, view, memories, kind } = own
  const object = view.get(key)
  if (!object) {
    memories.delete(key)
    view.drop(key)
    context.sources.remove(`${kind.kind}/${key}`)
    return undefined
  }
  const memory = memoryOf(own, key)
  const looked = memory.looked?.source.uid === object.metadata.uid ? memory.looked : undefined
  const source = looked?.source ?? kind.parse(object)
  const { generation, requestedAt } = source
  const isAsked =
    generation !== memory.handledGeneration || (requestedAt !== undefined && requestedAt !== memory.handledRequest)
  return {
    source,
    nowMs: context.clock.nowMs(),
    random: context.random(),
    dueInMs: isAsked ? 0 : memory.nextLookMs - context.clock.monotonicMs(),
    failures: memory.failures,
    knownMs: context.clock.monotonicMs() - memory.knownSinceMs,
    ...(looked ? { outcome: looked.outcome } : {}),
  }
}

async function carryOut<Source extends SourceObject>(
  own: Own<Source>,
  change: SourceChange,
  source: Source,
  key: string,
): Promise<void> {
  const { context, view } = own
  const object = view.get(key)
  if (!object) return
  if (change === 'look at the remote') return look(own, source, key)
  if (change === 'remove artifacts and finalizer') await removeArtifacts(context, source)
  const others = source.finalizers.filter((name) => name !== FINALIZER)
  const finalizers = change === 'add finalizer' ? [...others, FINALIZER] : others
  const written = await writeFinalizers(context.client, object, finalizers, MANAGER)
  if (written) view.put(key, written)
  else view.drop(key)
}

async function look<Source extends SourceObject>(own: Own<Source>, source: Source, key: string): Promise<void> {
  const memory = memoryOf(own, key)
  memory.isNews = false
  const outcome = await own.kind.look(source)
  memory.looked = { source, outcome }
  memory.handledGeneration = source.generation
  memory.handledRequest = source.requestedAt
  memory.failures = outcome.kind === 'failed' ? memory.failures + 1 : 0
}

async function settle<Source extends SourceObject>(
  own: Own<Source>,
  { status, verification, event, recovery, nextLookInMs }: SourceStatus,
  source: Source,
  key: string,
): Promise<void> {
  const { context, view } = own
  const memory = memoryOf(own, key)
  memory.looked = undefined
  if (nextLookInMs !== undefined) memory.nextLookMs = memory.isNews ? 0 : context.clock.monotonicMs() + nextLookInMs
  const object = view.get(key)
  if (!object || status === undefined) return
  // Told before it is written, as in Flux: who uses the source is at work already, and its news come after this one.
  for (const one of [verification, event, recovery])
    if (one) context.tell({ object: refOf(source), ...one, controller: MANAGER, atMs: context.clock.nowMs() })
  const written = await writeStatus(context.client, object, status, MANAGER)
  if (written) view.put(key, written)
}

function refOf({ apiVersion, kind, namespace, name, uid, resourceVersion }: FluxMeta) {
  return { apiVersion, kind, namespace, name, uid, resourceVersion }
}

async function removeArtifacts(context: EngineContext, source: SourceObject): Promise<void> {
  const { kind, namespace, name } = source
  context.sources.remove(sourceKey(kind, namespace, name))
  if (!(await context.artifacts.remove(`${kind.toLowerCase()}/${namespace}/${name}`))) return
  context.tell({
    object: refOf(source),
    severity: 'trace',
    reason: 'GarbageCollectionSucceeded',
    message: 'garbage collected artifacts for deleted resource',
    controller: MANAGER,
    atMs: context.clock.nowMs(),
  })
}
