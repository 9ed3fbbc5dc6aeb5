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
import { ownerOf } from '../../../pipeline/apply/rules.ts'
import type { EngineContext } from '../context.ts'
import { keyOf, overlayView, writeStatus } from '../status-writer.ts'
import { seeKustomization } from './observe.ts'
import { createLiveObjects } from './live-objects.ts'
import { carryOut } from './steps.ts'
import { newMemory, STATUS_MANAGER, type KustomizationTools, type Memory } from './memory.ts'

const API_VERSION = 'kustomize.toolkit.fluxcd.io/v1'

/** The controller of Kustomizations: `decide` is pure, `observe.ts` gathers what it sees, `steps.ts` does what it says. */
export function kustomizationController(
  context: EngineContext,
): Controller<KustomizationSeen, KustomizationChange, KustomizationStatus> {
  const { caches, clock, client } = context
  const cache = caches.open({ apiVersion: API_VERSION, kind: 'Kustomization' })
  const sourceCache = caches.open({ apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository' })
  const memories = new Map<string, Memory>()
  const live = createLiveObjects(client, caches)
  let wake: Wake = { now: () => undefined, after: () => undefined }
  const view = overlayView(cache.get)
  const parsed = new WeakMap<KubeObject, Kustomization>()
  const parse = (object: KubeObject): Kustomization => {
    const found = parsed.get(object) ?? parseKustomization(object)
    parsed.set(object, found)
    return found
  }
  const find = (key: string): Kustomization | undefined => {
    const object = view.get(key)
    return object ? parse(object) : undefined
  }
  const tools: KustomizationTools = {
    context,
    live,
    view,
    find,
    objectOf: (key) => view.get(key),
    hasSource: (namespace, name) => sourceCache.get(namespace, name) !== undefined,
    usersOf: ({ kind, namespace, name }) => usersOf(`${kind}/${namespace}/${name}`),
    memoryOf(key) {
      const found = memories.get(key) ?? newMemory()
      memories.set(key, found)
      return found
    },
    wakeKey: (key) => wake.now(key),
    holds: (owner, entry) => find(owner)?.inventory.some(({ id }) => id === entry.id) === true,
  }
  return {
    kind: 'Kustomization',
    concurrency: 20,
    async watch(given) {
      wake = given
      cache.onChange((object) => {
        wake.now(keyOf(object))
        wakeDependents(keyOf(object))
      })
      sourceCache.onChange((object) => wakeUsers(`GitRepository/${keyOf(object)}`))
      context.sources.onChange(wakeUsers)
      live.onChange(wakeOwner)
      await Promise.all([cache.ready, sourceCache.ready])
      for (const object of cache.list()) wake.now(keyOf(object))
    },
    async observe(key) {
      const kustomization = find(key)
      if (kustomization) return seeKustomization(tools, key, kustomization)
      memories.get(key)?.healthWatch?.close()
      memories.delete(key)
      view.drop(key)
      return undefined
    },
    decide: decideKustomization,
    async act(changes, seen, key) {
      for (const change of changes) await carryOut(tools, change, seen, key)
    },
    settle: (status, seen, key) => settle(status, seen, key),
    close() {
      for (const memory of memories.values()) memory.healthWatch?.close()
      live.close()
      cache.close()
      sourceCache.close()
    },
  }

  async function settle(
    { status, events, ended, cause }: KustomizationStatus,
    seen: KustomizationSeen,
    key: string,
  ): Promise<void> {
    const memory = tools.memoryOf(key)
    const { attempt } = memory
    if (ended) finish(memory, seen, ended)
    const object = view.get(key)
    if (object && status !== undefined) {
      const written = await writeStatus(client, object, status, STATUS_MANAGER)
      if (written && written !== object) view.put(key, written)
      if (written && written !== object) wakeDependents(key)
    }
    const block = events?.find(({ reason }) => reason === 'DependencyNotReady')
    if (block) memory.toldBlockedAt = block.revision
    for (const event of events ?? []) tellEvent(context, seen.kustomization, event)
    if (ended && attempt) reportEnd(context, key, attempt, ended, cause)
  }

  function finish(memory: Memory, seen: KustomizationSeen, ended: 'succeeded' | 'failed'): void {
    memory.healthWatch?.close()
    memory.healthWatch = undefined
    memory.attempt = undefined
    memory.objects = []
    const waitMs = ended === 'failed' ? seen.kustomization.retryIntervalMs : seen.kustomization.intervalMs * 0.95
    memory.nextMs = clock.nowMs() + waitMs
  }

  /** Those that depend on one that changed look again. */
  function wakeDependents(changed: string): void {
    for (const object of cache.list()) {
      const { dependsOn } = parse(object)
      if (dependsOn.some(({ namespace, name }) => `${namespace}/${name}` === changed)) wake.now(keyOf(object))
    }
  }

  function wakeUsers(source: string): void {
    for (const key of usersOf(source)) wake.now(key)
  }

  function usersOf(source: string): readonly string[] {
    return cache.list().flatMap((object) => {
      const { kind, namespace, name } = parse(object).sourceRef
      return `${kind}/${namespace}/${name}` === source ? [keyOf(object)] : []
    })
  }

  /** An applied object changed: whoever waits for its health looks again. */
  function wakeOwner(object: KubeObject): void {
    const owner = ownerOf(object)
    if (owner !== undefined && memories.get(owner)?.healthWatch) wake.now(owner)
  }
}

/** Tells an event of a Kustomization with its revision, as Flux annotates it. */
export function tellEvent(
  context: EngineContext,
  kustomization: Kustomization,
  event: NonNullable<KustomizationStatus['events']>[number],
): void {
  const { apiVersion, kind, namespace, name, uid, resourceVersion } = kustomization
  const { severity, reason, message, revision, isCommitStatus } = event
  context.tell({
    object: { apiVersion, kind, namespace, name, uid, resourceVersion },
    severity,
    reason,
    message,
    annotations: {
      ...(revision === '' ? {} : { 'kustomize.toolkit.fluxcd.io/revision': revision }),
      ...(isCommitStatus ? { 'kustomize.toolkit.fluxcd.io/commit_status': 'update' } : {}),
    },
    controller: 'kustomize-controller',
    atMs: context.clock.nowMs(),
  })
}

function reportEnd(
  { report }: EngineContext,
  kustomization: string,
  { revision, inventory }: Attempt,
  ended: 'succeeded' | 'failed',
  cause: string | undefined,
): void {
  if (inventory === undefined) return
  const state = ended === 'succeeded' ? 'healthy' : 'unhealthy'
  report({ kind: 'health', kustomization, revision, state, ...(cause === undefined ? {} : { cause }) })
}
