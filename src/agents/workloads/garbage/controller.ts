import { ApiError } from '../../../adapters/kube/api-error.ts'
import type { SharedCaches } from '../../../adapters/kube/shared-caches.ts'
import type { KubeResource, WatchCache } from '../../../adapters/kube/types.ts'
import type { Controller, Wake } from '../../../engine/controller.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import type { Telling } from '../write.ts'
import { carryGarbageStep, lookUpOwner } from './act.ts'
import { decideGarbage, FOREGROUND, ORPHAN, type GarbageSeen, type GarbageStep } from './decide.ts'
import { createGraph, type Graph, type GraphNode } from './graph.ts'
import { type Misnamed, misnamedAmong, tellElsewhere } from './misnamed.ts'

/** Kinds that come and go all the time and own nothing. */
const IGNORED = new Set(['Event'])
/** After a kind appears or goes, discovery needs a moment. */
const REDISCOVER_AFTER_MS = 500
const AFTER_CONFLICT_MS = 20

/** The garbage collector: watches the metadata of every kind that can be deleted, and of new kinds as their definitions come. */
export function garbageCollector(bench: Bench, caches: SharedCaches): Controller<GarbageSeen, GarbageStep, undefined> {
  const graph = createGraph()
  const open = new Map<string, WatchCache>()
  let wake: Wake | undefined
  let cancelRediscovery: () => void = () => undefined

  const tell = (telling: Telling): void => bench.tell('garbage-collector-controller', telling)
  const follow = (resource: KubeResource): WatchCache => {
    const { apiVersion, kind } = resource
    const shared = bench.known(apiVersion, kind)
    const cache = shared ?? caches.open({ apiVersion, kind, metadataOnly: true })
    const stop = cache.onChange((object, type) => wake && takeChange(graph, wake, tell, object, type))
    for (const object of cache.list()) if (wake) takeChange(graph, wake, tell, object, 'ADDED')
    return { ...cache, close: shared ? stop : cache.close }
  }
  const discover = async (): Promise<void> => {
    const wanted = new Map(
      collectable(await bench.client.resources()).map((kind) => [`${kind.apiVersion}/${kind.kind}`, kind]),
    )
    for (const [key, cache] of open) {
      if (wanted.has(key)) continue
      cache.close()
      open.delete(key)
    }
    for (const [key, kind] of wanted) if (!open.has(key)) open.set(key, follow(kind))
  }
  return {
    kind: 'garbage',
    concurrency: 8,
    async watch(given) {
      wake = given
      await discover()
      const definitions = bench.cache('apiextensions.k8s.io/v1', 'CustomResourceDefinition')
      definitions.onChange(() => {
        cancelRediscovery()
        const run = (): void => void discover().catch((error: unknown) => bench.log(`garbage: ${String(error)}`))
        cancelRediscovery = bench.clock.after(REDISCOVER_AFTER_MS, run)
      })
    },
    observe: (uid) => observe(bench, graph, uid),
    decide(seen) {
      const changes = decideGarbage(seen)
      return changes.length > 0 ? { kind: 'act', changes } : { kind: 'done', status: undefined }
    },
    async act(changes, { object }) {
      for (const step of changes) await carryCalmly(bench, object, step, (uid) => wake?.now(uid))
    },
    settle: () => Promise.resolve(),
    close() {
      cancelRediscovery()
      for (const cache of open.values()) cache.close()
    },
  }
}

type Change = 'ADDED' | 'MODIFIED' | 'DELETED'

function takeChange(
  graph: Graph,
  wake: Wake,
  tell: (telling: Telling) => void,
  object: KubeObject,
  type: Change,
): void {
  const uid = object.metadata.uid ?? ''
  const before = graph.get(uid)
  if (type === 'DELETED') {
    const owners = before?.owners ?? []
    graph.remove(object)
    for (const dependent of graph.dependentsOf(uid)) wake.now(dependent.uid)
    // Who waits for its dependents may have been waiting for this one.
    for (const owner of owners) if (graph.get(owner.uid)?.isDeleting) wake.now(owner.uid)
    return
  }
  const node = graph.put(object)
  const mustEnd = node.isDeleting && (node.finalizers.includes(FOREGROUND) || node.finalizers.includes(ORPHAN))
  const hasLostOwner = !node.isDeleting && node.owners.some((owner) => isDoubtful(graph, owner.uid))
  if (mustEnd || hasLostOwner) wake.now(uid)
  for (const owner of node.owners) if (graph.get(owner.uid)?.isDeleting) wake.now(owner.uid)
  for (const misnamed of newlyMisnamed(graph, before, node)) {
    wake.now(misnamed.node.uid)
    if (misnamed.isElsewhere) tell(tellElsewhere(misnamed))
  }
}

/** References that turn out to be wrong by what is known now: those that a node has got, and those to a node that was not known. */
function newlyMisnamed(graph: Graph, before: GraphNode | undefined, node: GraphNode): Misnamed[] {
  const added = node.owners.filter(({ uid }) => !before?.owners.some((known) => known.uid === uid))
  const waiting = before === undefined ? graph.dependentsOf(node.uid) : []
  return [
    misnamedAmong(graph, node, added),
    ...waiting.map((dependent) => {
      const references = dependent.owners.filter(({ uid }) => uid === node.uid)
      return misnamedAmong(graph, dependent, references)
    }),
  ].filter((misnamed) => misnamed !== undefined)
}

function isDoubtful(graph: Graph, uid: string): boolean {
  const owner = graph.get(uid)
  return owner === undefined || (owner.isDeleting && owner.finalizers.includes(FOREGROUND))
}

/** The object as it is on the server: the copies may be behind, and a deletion cannot be taken back. */
async function observe(bench: Bench, graph: Graph, uid: string): Promise<GarbageSeen | undefined> {
  const node = graph.get(uid)
  if (!node) return undefined
  const object = await bench.client.get(node.ref)
  if (!object || object.metadata.uid !== uid) return undefined
  const isDeleting = object.metadata.deletionTimestamp !== undefined
  const references = isDeleting ? [] : (object.metadata.ownerReferences ?? [])
  const owners = await Promise.all(
    references.map(async (owner) => ({ owner, state: await lookUpOwner(bench.client, owner, node.ref.namespace) })),
  )
  return { object, owners, dependents: graph.dependentsOf(uid) }
}

async function carryCalmly(
  bench: Bench,
  object: KubeObject,
  step: GarbageStep,
  wake: (uid: string) => void,
): Promise<void> {
  try {
    await carryGarbageStep(bench.client, object, step, wake)
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error
  }
  // The step shows in the next look only when the watch has brought it.
  await new Promise((resolve) => setTimeout(resolve, AFTER_CONFLICT_MS))
}

function collectable(kinds: readonly KubeResource[]): KubeResource[] {
  const seen = new Set<string>()
  return kinds.filter(({ apiVersion, kind, plural, verbs }) => {
    const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
    const key = `${group}/${plural}`
    const isWanted = ['delete', 'list', 'watch'].every((verb) => verbs.includes(verb)) && !IGNORED.has(kind)
    if (!isWanted || seen.has(key)) return false
    seen.add(key)
    return true
  })
}
