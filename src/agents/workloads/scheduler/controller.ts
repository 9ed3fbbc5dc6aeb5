import { ApiError } from '../../../adapters/kube/api-error.ts'
import type { WatchCache } from '../../../adapters/kube/types.ts'
import type { Controller } from '../../../engine/controller.ts'
import { type KubeObject, refOf } from '../../../lib/kube/object.ts'
import type { Bench } from '../bench.ts'
import { lookUp } from '../by-key.ts'
import type { Budget } from '../budget/decide.ts'
import { isSame, keyOf, timeText } from '../meta.ts'
import { withCondition } from '../pods.ts'
import { as, type Condition, type Node, type Pod } from '../shapes.ts'
import type { Cluster } from './cluster.ts'
import { isWaitingForNode, placePod, unscheduledConditions, type Placement } from './decide.ts'
import { type Announce, announcer, COMPONENT } from './events.ts'
import { createPlaces, type Places } from './places.ts'
import { PREEMPTED } from './preempt.ts'
import type { Claim, Storage, StorageClass, Volume } from '../volumes/shapes.ts'

type PodSeen = { readonly pod: Pod; readonly placement: Placement }

/** A copy that is behind shows a pod that is bound or gone already. */
const AFTER_CONFLICT_MS = 20
/** What keeps a pod from its node may have changed without waking it. @see k8s.io/kubernetes/pkg/scheduler/backend/queue flushUnschedulablePodsLeftover */
const LONGEST_UNSEEN_MS = 300_000
const NO_PROMISE = { status: { nominatedNodeName: null } }
const STATUS = { fieldManager: 'kube-scheduler', subresource: 'status' } as const

/** The scheduler: binds pods that wait for a node, one at a time; those that fit nowhere are looked at again when nodes or pods change. */
export function scheduler(bench: Bench): Controller<PodSeen, PodSeen, PodSeen> {
  const pods = bench.cache('v1', 'Pod')
  const nodes = bench.cache('v1', 'Node')
  const claims = bench.cache('v1', 'PersistentVolumeClaim')
  const volumes = bench.cache('v1', 'PersistentVolume')
  const classes = bench.cache('storage.k8s.io/v1', 'StorageClass')
  const namespaces = bench.cache('v1', 'Namespace')
  const budgets = bench.cache('policy/v1', 'PodDisruptionBudget')
  const places = createPlaces()
  const announce = announcer(bench)
  const clusterNow = (): Cluster => ({
    rooms: places.roomsOf(nodes.list().map((node) => as<Node>(node))),
    budgets: budgets.list().map((budget) => as<Budget>(budget)),
    namespaceLabels: (name) => namespaces.get('', name)?.metadata.labels ?? {},
    storage: storageOf(claims, volumes, classes),
  })

  return {
    kind: 'scheduler',
    concurrency: 1,
    async watch(wake) {
      await Promise.all([pods, nodes, claims, volumes, classes, namespaces, budgets].map(({ ready }) => ready))
      const wakeWaiting = (): void => places.waiting().forEach((key) => wake.now(key))
      pods.onChange((pod, type) => {
        for (const key of places.take(as<Pod>(pod), type === 'DELETED')) wake.now(key)
        if (places.isWaiting(keyOf(pod))) wake.now(keyOf(pod))
      })
      nodes.onChange(wakeWaiting)
      for (const cache of [claims, volumes, classes]) cache.onChange(wakeWaiting)
      for (const pod of pods.list()) places.take(as<Pod>(pod), false)
      wakeWaiting()
    },
    async observe(key) {
      const pod = lookUp<Pod>(pods, key)
      if (!pod || places.isPlaced(key) || !isWaitingForNode(pod)) return undefined
      return { pod, placement: placePod(pod, clusterNow()) }
    },
    decide: (seen) =>
      seen.placement.kind === 'bind'
        ? { kind: 'act', changes: [seen] }
        : { kind: 'done', status: seen, againAfterMs: LONGEST_UNSEEN_MS },
    async act(_changes, { pod, placement }) {
      if (placement.kind !== 'bind') return
      if (await bind(bench, announce, pod, placement.nodeName)) return places.settleOn(pod, placement.nodeName)
      await new Promise<void>((resolve) => void bench.clock.after(AFTER_CONFLICT_MS, resolve))
    },
    async settle({ pod, placement }) {
      if (placement.kind === 'bind') return
      if (placement.kind === 'claim') return tellNode(bench, pod, placement)
      if (placement.kind === 'wait' && !placement.keepsPromise) places.renounce(pod)
      await reportUnscheduled(bench, announce, pod, placement)
      if (placement.kind !== 'preempt') return
      places.promise(pod, placement.nodeName)
      for (const other of placement.renouncing) await renounce(bench, places, other)
      for (const victim of placement.victims) await evict(bench, announce, victim, pod, placement.nodeName)
    },
    close: () => undefined,
  }
}

async function renounce(bench: Bench, places: Places, pod: Pod): Promise<void> {
  places.renounce(pod)
  await unlessGone(() => bench.client.patch(refOf(pod), 'strategic', NO_PROMISE, STATUS))
}

function storageOf(claims: WatchCache, volumes: WatchCache, classes: WatchCache): Storage {
  return {
    claim: (namespace, name) => found<Claim>(claims.get(namespace, name)),
    volume: (name) => found<Volume>(volumes.get('', name)),
    volumes: () => volumes.list().map((volume) => as<Volume>(volume)),
    storageClass: (name) => found<StorageClass>(classes.get('', name)),
  }
}

const found = <T extends KubeObject>(object: KubeObject | undefined): T | undefined => object && as<T>(object)

/** False where somebody else has bound or deleted the pod meanwhile: the watch will say. */
async function bind(bench: Bench, announce: Announce, pod: Pod, nodeName: string): Promise<boolean> {
  const { name, namespace = '', uid } = pod.metadata
  const binding = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, namespace, ...(uid !== undefined && { uid }) },
    target: { kind: 'Node', name: nodeName },
  }
  const isBound = await unlessGone(() =>
    bench.client.create(binding, { fieldManager: 'kube-scheduler', subresource: 'binding' }),
  )
  if (!isBound) return false
  const note = `Successfully assigned ${namespace}/${name} to ${nodeName}`
  announce(pod, { type: 'Normal', reason: 'Scheduled', action: 'Binding', note })
  return true
}

/** Reserves the volumes that the node has for claims that waited for it; who makes the others is told the node. The pod is promised to it. */
async function tellNode(
  bench: Bench,
  pod: Pod,
  { nodeName, claims }: Extract<Placement, { kind: 'claim' }>,
): Promise<void> {
  const promise = { status: { nominatedNodeName: nodeName } }
  if (nodeName !== '' && pod.status?.nominatedNodeName !== nodeName)
    await unlessGone(() => bench.client.patch(refOf(pod), 'strategic', promise, STATUS))
  for (const { object, body } of claims)
    await unlessGone(() => bench.client.patch(refOf(object), 'merge', body, { fieldManager: 'kube-scheduler' }))
}

/** Says why the pod waits, and on which node it was promised room. */
async function reportUnscheduled(
  bench: Bench,
  announce: Announce,
  pod: Pod,
  placement: Extract<Placement, { kind: 'wait' | 'preempt' }>,
): Promise<void> {
  const conditions = unscheduledConditions(pod, placement.why, bench.clock.nowMs())
  const before = pod.status?.nominatedNodeName || undefined
  const promised = promisedBy(placement, before)
  const isPromised = promised === before
  if (isSame(conditions, pod.status?.conditions) && isPromised) return
  announce(pod, { type: 'Warning', reason: 'FailedScheduling', action: 'Scheduling', note: placement.why })
  const condition = conditions.find(({ type }) => type === 'PodScheduled')
  const nominated = isPromised ? {} : { nominatedNodeName: promised ?? null }
  const body = { status: { ...(condition && withCondition(pod, condition)), ...nominated } }
  await unlessGone(() => bench.client.patch(refOf(pod), 'strategic', body, STATUS))
}

/** On which node the pod is promised room from now on. */
function promisedBy(
  placement: Extract<Placement, { kind: 'wait' | 'preempt' }>,
  before: string | undefined,
): string | undefined {
  if (placement.kind === 'preempt') return placement.nodeName
  return placement.keepsPromise ? before : undefined
}

/** Deletes a pod in favour of another, having said so in its status. */
async function evict(bench: Bench, announce: Announce, victim: Pod, pod: Pod, nodeName: string): Promise<void> {
  if (victim.metadata.deletionTimestamp !== undefined) return
  const condition: Condition = {
    type: 'DisruptionTarget',
    status: 'True',
    lastTransitionTime: timeText(bench.clock.nowMs()),
    reason: PREEMPTED,
    message: `${COMPONENT}: preempting to accommodate a higher priority pod`,
  }
  const { uid } = victim.metadata
  await unlessGone(async () => {
    await bench.client.patch(refOf(victim), 'strategic', { status: withCondition(victim, condition) }, STATUS)
    await bench.client.delete(refOf(victim), uid === undefined ? {} : { uid })
  })
  const note = `Preempted by pod ${pod.metadata.uid} on node ${nodeName}`
  announce(victim, { type: 'Normal', reason: 'Preempted', action: 'Preempting', note })
}

/** Whether it was written; false where what it is about has gone or changed. */
async function unlessGone(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write()
    return true
  } catch (error) {
    if (!(error instanceof ApiError && (error.status === 409 || error.status === 404))) throw error
    return false
  }
}
