import { ApiError } from '../../../adapters/kube/api-error.ts'
import type { SharedCaches } from '../../../adapters/kube/shared-caches.ts'
import type { KubeResource, WatchCache } from '../../../adapters/kube/types.ts'
import { BACKOFF, type Controller, type Wake } from '../../../engine/controller.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import type { Telling } from '../write.ts'
import { carryGarbageStep, lookUpOwner } from './act.ts'
import { decideGarbage, FOREGROUND, ORPHAN, type GarbageSeen, type GarbageWrite } from './decide.ts'
import { createGraph, type Graph, type GraphNode } from './graph.ts'
import { type Misnamed, misnamedAmong, tellElsewhere } from './misnamed.ts'

/** Kinds that come and go all the time and own nothing. */
const IGNORED = new Set(['Event'])
/** After a kind appears or goes, discovery needs a moment. */
const REDISCOVER_AFTER_MS = 500
/** As often as the original asks which kinds there are. */
const AGAIN_AFTER_MS = 30_000
const AFTER_CONFLICT_MS = 20
/** kube-controller-manager's limit for the collector. @see k8s.io/kubernetes/cmd/kube-controller-manager/app/core.go */
const LONGEST_LISTING_MS = 30_000

/** The garbage collector: watches the metadata of every kind that can be deleted, and of new kinds as their definitions come. */
export function garbageCollector(
  bench: Bench,
  caches: SharedCaches,
): Controller<GarbageSeen, GarbageWrite, readonly GraphNode[]> {
  const graph = createGraph()
  let wake: Wake | undefined
  let cancelRediscovery: () => void = () => undefined
  let begin: () => void = () => undefined
  const begun = new Promise<void>((resolve) => (begin = resolve))

  const tell = (telling: Telling): void => bench.tell('garbage-collector-controller', telling)
  const kinds = followKinds(bench, caches, (object, type) => wake && takeChange(graph, wake, tell, object, type))
  const rediscover = (afterMs: number): void => {
    const failed = (error: unknown): void => {
      bench.log(`garbage: ${String(error)}`)
      if (wake) rediscover(AGAIN_AFTER_MS)
    }
    cancelRediscovery()
    cancelRediscovery = bench.clock.after(afterMs, () => void kinds.discover().catch(failed))
  }
  return {
    kind: 'garbage',
    concurrency: 8,
    async watch(given) {
      wake = given
      await kinds.discover()
      void whenListed(bench, kinds.all()).then(begin)
      const definitions = bench.cache('apiextensions.k8s.io/v1', 'CustomResourceDefinition')
      definitions.onChange(() => rediscover(REDISCOVER_AFTER_MS))
    },
    async observe(uid) {
      // who owns what is not known yet would look as if it owned nothing, and be let go
      await begun
      return wake && observe(bench, graph, uid)
    },
    decide(seen) {
      const steps = decideGarbage(seen)
      const changes = steps.flatMap((step) => (step.do === 'collect' ? [] : [step]))
      if (changes.length > 0) return { kind: 'act', changes }
      const status = steps.flatMap((step) => (step.do === 'collect' ? step.dependents : []))
      // the kind of an owner may come yet, and then there is something to conclude
      const isLater = seen.owners.some(({ state }) => state === 'unserved')
      return isLater ? { kind: 'wait', afterMs: BACKOFF, status } : { kind: 'done', status }
    },
    async act(changes, { object }) {
      for (const step of changes) await carryCalmly(bench, object, step)
    },
    // whoever goes wakes who waits for it
    async settle(asked) {
      for (const { uid } of asked) wake?.now(uid)
    },
    close() {
      wake = undefined
      begin()
      cancelRediscovery()
      kinds.close()
    },
  }
}

/** The metadata of every kind that can be deleted, as far as discovery has shown it. */
function followKinds(bench: Bench, caches: SharedCaches, take: (object: KubeObject, type: Change) => void) {
  const open = new Map<string, WatchCache>()
  const follow = ({ apiVersion, kind }: KubeResource): WatchCache => {
    const shared = bench.known(apiVersion, kind)
    const cache = shared ?? caches.open({ apiVersion, kind, metadataOnly: true })
    const stop = cache.onChange(take)
    for (const object of cache.list()) take(object, 'ADDED')
    return { ...cache, close: shared ? stop : cache.close }
  }
  return {
    async discover(): Promise<void> {
      const wanted = new Map(
        collectable(await bench.client.resources()).map((kind) => [`${kind.apiVersion}/${kind.kind}`, kind]),
      )
      for (const [key, cache] of open) {
        if (wanted.has(key)) continue
        cache.close()
        open.delete(key)
      }
      for (const [key, kind] of wanted) if (!open.has(key)) open.set(key, follow(kind))
    },
    all: (): readonly WatchCache[] => [...open.values()],
    close(): void {
      for (const cache of open.values()) cache.close()
    },
  }
}

/** Resolves when the first list of each kind is in or was refused; what cannot be listed for long is not waited for. */
async function whenListed({ clock }: Bench, kinds: readonly WatchCache[]): Promise<void> {
  const lists = kinds.map(({ ready, refused }) => Promise.race([ready.catch(() => undefined), refused]))
  const late = new Promise<void>((resolve) => void clock.after(LONGEST_LISTING_MS, resolve))
  await Promise.race([Promise.all(lists), late])
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
  // also whom it belonged to until now: that one may have been waiting for it
  for (const { uid: owner } of [...(before?.owners ?? []), ...node.owners])
    if (graph.get(owner)?.isDeleting) wake.now(owner)
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

async function carryCalmly(bench: Bench, object: KubeObject, step: GarbageWrite): Promise<void> {
  try {
    await carryGarbageStep(bench.client, object, step)
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error
  }
  // The step shows in the next look only when the watch has brought it.
  await new Promise<void>((resolve) => void bench.clock.after(AFTER_CONFLICT_MS, resolve))
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
