import {
  decideKustomization,
  type Attempt,
  type KustomizationChange,
  type KustomizationSeen,
  type KustomizationStatus,
} from '../../../controllers/kustomization.ts'
import type { Controller, Wake } from '../../../engine/controller.ts'
import { parseKustomization, type Kustomization } from '../../../kinds/kustomization.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { readList, readText } from '../../../lib/kube/read.ts'
import { unite } from '../../../pipeline/apply/inventory.ts'
import { ownerOf } from '../../../pipeline/apply/rules.ts'
import type { WatchCache } from '../../kube/types.ts'
import type { EngineContext } from '../context.ts'
import { keyOf, overlayView, writeStatus } from '../status-writer.ts'
import { indexDependents } from './dependents.ts'
import { createHeldInventories } from './apply/held-inventories.ts'
import { newMemory, STATUS_MANAGER, type KustomizationTools, type Memory } from './memory.ts'
import { askOf, seeKustomization } from './observe.ts'
import { carryOut } from './steps.ts'
import { openTargets } from './apply/target.ts'
import { tellEvent } from './tell.ts'
import { dependenciesToRun, usersBehind, usersToWake } from './users-of-source.ts'
import { readsConfig, watchConfigs } from './watched-configs.ts'

const API_VERSION = 'kustomize.toolkit.fluxcd.io/v1'
const SOURCE_VERSION = 'source.toolkit.fluxcd.io/v1'

/** By then one change is applied. */
const UNCHANGED_LATER_MS = 250

type SourceCache = { readonly kind: string; readonly cache: WatchCache }

/**
 * The controller of Kustomizations: `decide` is pure, `observe.ts` gathers what it sees, `steps.ts` does what it says.
 *
 * @param sourceKinds kinds of sources that the API server serves
 */
export function kustomizationController(
  context: EngineContext,
  sourceKinds: readonly string[],
): Controller<KustomizationSeen, KustomizationChange, KustomizationStatus> {
  const cache = context.caches.open({ apiVersion: API_VERSION, kind: 'Kustomization' })
  const sourceCaches = sourceKinds.map((kind) => ({
    kind,
    cache: context.caches.open({ apiVersion: SOURCE_VERSION, kind }),
  }))
  const memories = new Map<string, Memory>()
  const waker: { wake: Wake } = { wake: { now: () => undefined, after: () => undefined } }
  const tools = makeTools(context, cache, sourceCaches, memories, waker)
  const configs = watchConfigs(context, (kind, namespace, name) => {
    for (const key of tools.readersOf(kind, namespace, name)) {
      tools.memoryOf(key).nextMs = 0
      waker.wake.now(key)
    }
  })
  return {
    kind: 'Kustomization',
    concurrency: 20,
    async watch(wake) {
      waker.wake = wake
      cache.onChange((object, type) => {
        if (type !== 'DELETED' && tools.view.isOwnWrite(keyOf(object), object)) return
        tools.noteDependencies(object, type === 'DELETED')
        wake.now(keyOf(object))
        tools.wakeDependents(keyOf(object))
      })
      followSources(tools, sourceCaches, wake)
      tools.targets.onChange((object) => {
        const owner = ownerOf(object)
        if (owner !== undefined && memories.get(owner)?.healthWatch) wake.now(owner)
      })
      await Promise.all([cache.ready, tools.held.open(), ...sourceCaches.map(({ cache: sources }) => sources.ready)])
      tools.held.keys().forEach((key) => wake.now(key))
      for (const object of cache.list()) {
        tools.noteDependencies(object, false)
        wake.now(keyOf(object))
      }
    },
    observe: async (key) => observe(tools, memories, key),
    decide: decideKustomization,
    async act(changes, seen, key) {
      for (const change of changes) await carryOut(tools, change, seen, key)
    },
    settle: (status, seen, key) => settle(tools, status, seen, key),
    async close() {
      for (const memory of memories.values()) memory.healthWatch?.close()
      await tools.held.close()
      tools.targets.close()
      cache.close()
      for (const one of [...sourceCaches.map(({ cache: sources }) => sources), ...configs]) one.close()
    },
  }
}

function followSources(tools: KustomizationTools, sourceCaches: readonly SourceCache[], wake: Wake): void {
  const { sources } = tools.context
  const wakeUsers = (source: string): void => {
    if (tools.context.traps === 'flux') runNow(tools, dependenciesToRun(tools, source), wake)
    const { now, later } = usersToWake(tools, source)
    now.forEach((key) => wake.now(key))
    later.forEach((key) => wake.after(key, UNCHANGED_LATER_MS))
  }
  sources.onChange(wakeUsers)
  for (const { kind, cache } of sourceCaches)
    cache.onChange((object, type) => {
      const { namespace = '', name } = object.metadata
      const source = `${kind}/${keyOf(object)}`
      // Of Flux's Kustomizations those that are ready notice at their interval, or when they are asked, that a source is gone.
      if (type === 'DELETED' && tools.context.traps === 'flux')
        return runNow(tools, usersBehind(tools, source, readText(object, 'status', 'artifact', 'revision')), wake)
      // What it offers is told by the store; of the object only that it is there matters.
      if (type !== 'MODIFIED' || !sources.get(kind, namespace, name)) wakeUsers(source)
    })
}

function runNow(tools: KustomizationTools, keys: readonly string[], wake: Wake): void {
  for (const key of keys) {
    tools.memoryOf(key).nextMs = 0
    wake.now(key)
  }
}

function makeTools(
  context: EngineContext,
  cache: WatchCache,
  sourceCaches: readonly SourceCache[],
  memories: Map<string, Memory>,
  waker: { readonly wake: Wake },
): KustomizationTools {
  const view = overlayView(cache.get)
  const dependents = indexDependents()
  const memoryOf = (key: string): Memory => {
    const found = memories.get(key) ?? newMemory()
    memories.set(key, found)
    return found
  }
  // An answer and the watch show the same version as two objects.
  const parse = (object: KubeObject): Kustomization => {
    const memory = memoryOf(keyOf(object))
    const { uid = '', resourceVersion = '' } = object.metadata
    const { parsed } = memory
    if (parsed?.uid === uid && parsed.resourceVersion === resourceVersion) return parsed
    memory.parsed = parseKustomization(object)
    return memory.parsed
  }
  const isUserOf = (object: KubeObject, source: string): boolean => {
    const { kind, namespace, name } = parse(object).sourceRef
    return `${kind}/${namespace}/${name}` === source
  }
  const held = createHeldInventories(context.client, context.clock, context.namespace)
  const find = (key: string): Kustomization | undefined => {
    const object = view.get(key)
    if (!object) return undefined
    const kustomization = parse(object)
    const more = held.of(key, kustomization.uid)
    return more.length === 0 ? kustomization : { ...kustomization, inventory: unite(kustomization.inventory, more) }
  }
  return {
    context,
    targets: openTargets(context),
    held,
    view,
    find,
    findSource: (kind, namespace, name) => sourceCaches.find((one) => one.kind === kind)?.cache.get(namespace, name),
    usersOf: (source) => cache.list().flatMap((object) => (isUserOf(object, source) ? [keyOf(object)] : [])),
    readersOf: (kind, namespace, name) =>
      cache.list().flatMap((object) => (readsConfig(parse(object), kind, namespace, name) ? [keyOf(object)] : [])),
    depending: dependents.depending,
    memoryOf,
    wakeKey: (key) => waker.wake.now(key),
    noteDependencies(object, isGone) {
      dependents.note(keyOf(object), isGone ? [] : dependencyKeys(object))
    },
    wakeDependents(changed) {
      for (const key of dependents.of(changed)) waker.wake.now(key)
    },
    holds: (owner, entry) => find(owner)?.inventory.some(({ id }) => id === entry.id) === true,
  }
}

function observe(tools: KustomizationTools, memories: Map<string, Memory>, key: string): KustomizationSeen | undefined {
  const kustomization = tools.find(key)
  if (kustomization) return seeKustomization(tools, key, kustomization)
  memories.get(key)?.healthWatch?.close()
  memories.delete(key)
  tools.targets.release(key)
  tools.held.release(key)
  tools.view.drop(key)
  // told before by who finalized it; not so where somebody took our finalizer away
  void tools.context.report({ kind: 'deletion', kustomization: key })
  return undefined
}

/** Read without the rest: an object that cannot be parsed must not stop the watch that showed it. */
function dependencyKeys(object: KubeObject): readonly string[] {
  const own = object.metadata.namespace ?? ''
  return readList(object, 'spec', 'dependsOn').map(
    (entry) => `${readText(entry, 'namespace') || own}/${readText(entry, 'name')}`,
  )
}

async function settle(
  tools: KustomizationTools,
  { status, events, ended, cause, unhealthy }: KustomizationStatus,
  seen: KustomizationSeen,
  key: string,
): Promise<void> {
  const { context, view } = tools
  const memory = tools.memoryOf(key)
  const { attempt } = memory
  const object = view.get(key)
  if (object && status !== undefined) {
    const written = await writeStatus(context.client, object, status, STATUS_MANAGER)
    if (written && written !== object) {
      view.put(key, written)
      tools.wakeDependents(key)
    }
  }
  // From the prune on a status names all that was applied.
  if (status !== undefined && memory.attempt?.isPruned !== undefined) tools.held.release(key)
  // Only now: a status that could not be written is written again, and then ends the same attempt.
  if (ended) finish(memory, seen, ended)
  const block = events?.find(({ reason }) => reason === 'DependencyNotReady')
  if (block) {
    memory.toldBlockedAt = block.revision
    memory.toldBlockedFor = askOf(seen.kustomization)
    memory.toldBlockedMs = seen.monotonicMs
  }
  for (const event of events ?? []) tellEvent(context, seen.kustomization, event)
  if (ended && attempt)
    reportEnd(context, key, attempt, ended, {
      ...(cause !== undefined && { cause }),
      ...(unhealthy && { objects: unhealthy }),
    })
}

function finish(
  memory: Memory,
  { kustomization, monotonicMs }: KustomizationSeen,
  ended: 'succeeded' | 'failed',
): void {
  memory.healthWatch?.close()
  memory.healthWatch = undefined
  const passes = memory.attempt?.failure?.passes === true
  memory.attempt = undefined
  memory.objects = []
  const waitMs = ended === 'failed' ? kustomization.retryIntervalMs : kustomization.intervalMs * 0.95
  memory.nextMs = monotonicMs + (passes ? 0 : waitMs)
}

function reportEnd(
  { report }: EngineContext,
  kustomization: string,
  { revision, inventory, failure }: Attempt,
  ended: 'succeeded' | 'failed',
  why: { readonly cause?: string; readonly objects?: readonly string[] },
): void {
  // what failed before the health check was told by its own step
  const isTold = failure !== undefined && failure.phase !== 'Running health checks'
  if (inventory === undefined || isTold) return
  const state = ended === 'succeeded' ? 'healthy' : 'unhealthy'
  report({ kind: 'health', kustomization, revision, state, ...why })
}
