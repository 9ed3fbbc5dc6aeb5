import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asJson, type JsonObject, objectOf, objectsOf } from '../../lib/kube/json.ts'
import { mergePatch } from '../../lib/kube/merge-patch.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/object.ts'
import { decideDaemonSet } from './daemonset/decide.ts'
import type { DaemonSet } from './daemonset/shapes.ts'
import type { WorkloadDecision } from './decision.ts'
import type { ControllerRevision } from './history/revision.ts'
import { conditionOf, controlledBy, controllerOf, timeText } from './meta.ts'
import { decideReplicaSet } from './replicaset/decide.ts'
import { as, type Pod, type PodTemplate, type ReplicaSet } from './shapes.ts'
import { decideStatefulSet } from './statefulset/decide.ts'
import type { StatefulSet } from './statefulset/shapes.ts'
import { decideClaim } from './volumes/claim.ts'
import type { Claim, Volume } from './volumes/shapes.ts'
import { decideVolume } from './volumes/volume.ts'
import type { Write } from './write.ts'

/**
 * Objects as an API server keeps them: names and uids are given, what finalizers hold stays, and a pod on a node stays until its kubelet has ended it.
 */
type World = {
  nowMs: number
  readonly put: (object: KubeObject) => KubeObject
  readonly of: <T extends KubeObject>(kind: string) => T[]
  readonly get: <T extends KubeObject>(kind: string, name: string) => T | undefined
  readonly drop: (kind: string, name: string) => void
  /** Carries out what was decided; answers how much was written, besides Events. */
  readonly take: (decision: WorkloadDecision) => number
  /** What was told, in order: reasons of Events. */
  readonly told: string[]
}

/** An empty world at a moment of its own. */
function emptyWorld(nowMs: number): World {
  const objects = new Map<string, KubeObject>()
  let count = 0
  const keyOf = (kind: string, name: string): string => `${kind}/${name}`
  const put = (given: KubeObject): KubeObject => {
    const { metadata } = given
    const { name } = metadata
    const stored = {
      ...given,
      metadata: { ...metadata, uid: metadata.uid ?? `uid-${name}`, resourceVersion: `${++count}` },
    }
    if (hasGone(stored)) objects.delete(keyOf(given.kind, name))
    else objects.set(keyOf(given.kind, name), stored)
    return stored
  }
  const world: World = {
    nowMs,
    told: [],
    put,
    of: (kind) => [...objects.values()].filter((object) => object.kind === kind).map((object) => as(object)),
    get(kind, name) {
      const found = objects.get(keyOf(kind, name))
      return found && as(found)
    },
    drop: (kind, name) => void objects.delete(keyOf(kind, name)),
    take(decision) {
      const writes = decision.kind === 'act' ? decision.changes : decision.status
      for (const write of writes) carryOut(world, write, () => ++count)
      return writes.filter((write) => write.do !== 'tell').length
    },
  }
  return world
}

function hasGone({ kind, metadata }: KubeObject): boolean {
  if (metadata.deletionTimestamp === undefined || (metadata.finalizers ?? []).length > 0) return false
  return kind !== 'Pod' || metadata.deletionGracePeriodSeconds === 0
}

function carryOut(world: World, write: Write, next: () => number): void {
  if ('tell' in write && write.tell) world.told.push(write.tell.reason)
  switch (write.do) {
    case 'create':
      create(world, write.object, next)
      return
    case 'replace': {
      const before = world.get(write.object.kind, write.object.metadata.name)
      if (before === undefined) return
      const isStatus = write.subresource === 'status'
      world.put(
        isStatus ? { ...before, status: write.object['status'] } : { ...write.object, status: before['status'] },
      )
      return
    }
    case 'patch':
      patch(world, write.ref, write.type, objectOf(asJson(write.body)))
      return
    case 'delete':
      remove(world, write.object, write.options?.gracePeriodSeconds)
      return
    case 'tell':
  }
}

function create(world: World, object: KubeObject, next: () => number): void {
  const name = object.metadata.name || `${object.metadata.generateName ?? ''}${next()}`
  if (world.get(object.kind, name) !== undefined) throw new Error(`${object.kind} ${name} is there already`)
  const creationTimestamp = timeText(world.nowMs)
  world.put({ ...object, metadata: { ...object.metadata, name, creationTimestamp } })
}

function remove(world: World, { kind, metadata: { name } }: KubeObject, graceSeconds = 30): void {
  const found = world.get(kind, name)
  if (found === undefined) return
  const isBound = kind === 'Pod' && objectOf(asJson(found['spec'])).nodeName !== undefined
  const deletionGracePeriodSeconds = isBound ? graceSeconds : 0
  const deletionTimestamp = found.metadata.deletionTimestamp ?? timeText(world.nowMs)
  world.put({ ...found, metadata: { ...found.metadata, deletionTimestamp, deletionGracePeriodSeconds } })
}

function patch(world: World, { kind, name }: ObjectRef, type: string, body: JsonObject): void {
  const found = world.get(kind, name)
  if (found === undefined) return
  const before = objectOf(asJson(found))
  const whole = type === 'strategic' ? strategic(before, body) : body
  world.put(mergePatch(before, whole) as unknown as KubeObject)
}

/** As much of a strategic merge as controllers use: owners by uid, conditions by type. */
function strategic(before: JsonObject, body: JsonObject): JsonObject {
  const metadata = objectOf(body.metadata)
  const status = objectOf(body.status)
  const owners = mergeBy('uid', objectsOf(objectOf(before.metadata).ownerReferences), metadata.ownerReferences)
  const conditions = mergeBy('type', objectsOf(objectOf(before.status).conditions), status.conditions)
  const { '$setElementOrder/conditions': _order, ...rest } = status
  return {
    ...body,
    ...(body.metadata !== undefined && { metadata: { ...metadata, ...(owners && { ownerReferences: owners }) } }),
    ...(body.status !== undefined && { status: { ...rest, ...(conditions && { conditions }) } }),
  }
}

function mergeBy(key: string, before: readonly JsonObject[], given: unknown): JsonObject[] | undefined {
  if (!Array.isArray(given)) return undefined
  const merged = new Map(before.map((item) => [item[key], item]))
  for (const item of objectsOf(given)) {
    if (item.$patch === 'delete') merged.delete(item[key])
    else merged.set(item[key], { ...merged.get(item[key]), ...item })
  }
  return [...merged.values()]
}

/** Small, seeded: the same cases every time. */
type Chance = {
  readonly pick: <T>(items: readonly T[]) => T
  readonly int: (most: number) => number
  readonly is: (share: number) => boolean
}

function chanceOf(seed: number): Chance {
  let state = seed
  const roll = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  return {
    pick: (items) => items[Math.floor(roll() * items.length)] as never,
    int: (most) => Math.floor(roll() * (most + 1)),
    is: (share) => roll() < share,
  }
}

const START_MS = Date.parse('2026-11-23T04:00:00Z')
const LABELS = { app: 'x' }
const template = (image: string): PodTemplate => ({
  metadata: { labels: LABELS },
  spec: { containers: [{ name: 'c', image }] },
})
const owned = (object: KubeObject, by: KubeObject): boolean =>
  [by.metadata.uid, undefined].includes(controllerOf(object)?.uid)
const readyPods = (world: World): Pod[] =>
  world.of<Pod>('Pod').filter((pod) => conditionOf(pod.status?.conditions, 'Ready')?.status === 'True')

/** What kubelets do meanwhile; answers whether they did anything. */
function kubelets(world: World, { is }: Chance): boolean {
  let isBusy = false
  for (const pod of world.of<Pod>('Pod')) {
    const { name, deletionTimestamp } = pod.metadata
    const isReady = conditionOf(pod.status?.conditions, 'Ready')?.status === 'True'
    if (deletionTimestamp === undefined && (isReady || pod.status?.phase === 'Failed')) continue
    isBusy = true
    if (is(0.5)) continue
    if (deletionTimestamp !== undefined) world.drop('Pod', name)
    else
      world.put({ ...pod, spec: { ...pod.spec, nodeName: pod.spec.nodeName ?? nodeOf(pod) }, status: running(world) })
  }
  return isBusy
}

/** The node that a daemon is made for; others go anywhere. */
function nodeOf({ spec }: Pod): string {
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  return terms?.[0]?.matchFields?.[0]?.values?.[0] ?? 'n0'
}

const running = (world: World): object => ({
  phase: 'Running',
  conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: timeText(world.nowMs) }],
})

type Strays = {
  readonly owner: KubeObject
  readonly hash: string
  readonly phases?: readonly string[]
  readonly areOwned?: boolean
}

/** Pods in any state: of a former template, ended, leaving, and where not all are owned also of others and of nobody. */
function strayPods(
  world: World,
  { int, is, pick }: Chance,
  { owner, hash, phases = ['Pending', 'Failed', 'Succeeded'], areOwned = false }: Strays,
): void {
  for (let at = 0; at <= int(4); at++) {
    const labels = { ...LABELS, 'controller-revision-hash': pick([hash, 'former']) }
    world.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `s-${at}`,
        namespace: 'a',
        creationTimestamp: timeText(START_MS - 60_000),
        labels: areOwned || is(0.9) ? labels : { app: 'y' },
        ...((areOwned || is(0.7)) && { ownerReferences: [controlledBy(owner)] }),
        ...(is(0.2) && { deletionTimestamp: timeText(START_MS), deletionGracePeriodSeconds: 30 }),
      },
      spec: { ...template('x').spec, nodeName: pick(['n0', 'n1']) },
      status: is(0.5) ? running(world) : { phase: pick(phases) },
    })
  }
}

type Row = {
  readonly it: string
  /** Puts a state, any state, into the world. */
  readonly begin: (world: World, chance: Chance) => void
  /** What the controller decides about everything that is its own. */
  readonly look: (world: World) => readonly (() => WorkloadDecision)[]
  /** What holds once nothing is written any more. */
  readonly holds: (world: World) => void
}

/** Each object of a kind as it is when its turn comes. */
function each<T extends KubeObject>(
  world: World,
  kind: string,
  decide: (object: T) => WorkloadDecision,
): (() => WorkloadDecision)[] {
  return world.of<T>(kind).map(({ metadata }) => () => {
    const object = world.get<T>(kind, metadata.name)
    return object === undefined ? { kind: 'done', status: [] } : decide(object)
  })
}

const replicaSet: Row = {
  it: 'a ReplicaSet',
  begin(world, chance) {
    const spec = {
      replicas: chance.int(5),
      selector: { matchLabels: LABELS },
      template: template('x'),
      minReadySeconds: chance.pick([0, 90]),
    }
    const owner = world.put({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 's', namespace: 'a', generation: 1 },
      spec,
    })
    strayPods(world, chance, { owner, hash: 'h' })
  },
  look: (world) =>
    each<ReplicaSet>(world, 'ReplicaSet', (set) =>
      decideReplicaSet({
        set,
        selector: set.spec.selector,
        candidates: world.of<Pod>('Pod').filter((pod) => owned(pod, set)),
        siblingsOn: () => 0,
        nowMs: world.nowMs,
      }),
    ),
  holds(world) {
    const [set] = world.of<ReplicaSet>('ReplicaSet')
    const mine = readyPods(world).filter((pod) => controllerOf(pod)?.uid === set?.metadata.uid)
    assert.equal(mine.length, set?.spec.replicas)
    assert.equal(set?.status?.availableReplicas ?? 0, set?.spec.replicas)
  },
}

const statefulSet: Row = {
  it: 'a StatefulSet',
  begin(world, chance) {
    const { pick, int, is } = chance
    const spec = {
      replicas: int(4),
      serviceName: 's',
      selector: { matchLabels: LABELS },
      template: template('x'),
      podManagementPolicy: pick(['OrderedReady', 'Parallel']),
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: pick([1, 2, '50%']) } },
      minReadySeconds: pick([0, 90]),
      ...(is(0.5) && { volumeClaimTemplates: [{ metadata: { name: 'd' }, spec: {} }] }),
      persistentVolumeClaimRetentionPolicy: { whenDeleted: pick(['Retain', 'Delete']), whenScaled: 'Retain' },
    }
    const owner = world.put({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 's', namespace: 'a', generation: 1 },
      spec,
    })
    // as in Kubernetes two that have ended among those that are too many stop an ordered scale down for good
    const phases = spec.podManagementPolicy === 'Parallel' ? ['Pending', 'Failed', 'Succeeded'] : ['Pending']
    strayPods(world, chance, { owner, hash: 's-former', phases, areOwned: true })
  },
  look: (world) =>
    each<StatefulSet>(world, 'StatefulSet', (set) =>
      decideStatefulSet({
        set,
        candidates: world.of<Pod>('Pod').filter((pod) => owned(pod, set)),
        revisions: world.of<ControllerRevision>('ControllerRevision'),
        revisionNamed: (name) => world.get('ControllerRevision', name),
        claimNamed: (name) => world.get('PersistentVolumeClaim', name),
        nowMs: world.nowMs,
      }),
    ),
  holds(world) {
    const [set] = world.of<StatefulSet>('StatefulSet')
    const names = readyPods(world).map(({ metadata }) => metadata.name)
    assert.deepEqual(
      names.sort(),
      Array.from({ length: set?.spec.replicas ?? 0 }, (_, at) => `s-${at}`),
    )
    assert.equal(set?.status?.availableReplicas ?? 0, set?.spec.replicas)
    assert.equal(set?.status?.currentRevision, set?.status?.updateRevision)
  },
}

const daemonSet: Row = {
  it: 'a DaemonSet',
  begin(world, chance) {
    const { pick } = chance
    const rollingUpdate = pick([
      { maxUnavailable: 1, maxSurge: 0 },
      { maxUnavailable: '50%', maxSurge: 0 },
      { maxUnavailable: 0, maxSurge: 1 },
    ])
    const spec = {
      selector: { matchLabels: LABELS },
      template: template('x'),
      updateStrategy: { type: 'RollingUpdate', rollingUpdate },
    }
    const owner = world.put({
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 's', namespace: 'a', generation: 1 },
      spec,
    })
    for (let at = pick([2, 3]) - 1; at >= 0; at--)
      world.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: `n${at}` }, spec: {} })
    strayPods(world, chance, { owner, hash: 'h' })
  },
  look: (world) =>
    each<DaemonSet>(world, 'DaemonSet', (set) =>
      decideDaemonSet({
        set,
        nodes: world.of('Node'),
        candidates: world.of<Pod>('Pod').filter((pod) => owned(pod, set)),
        revisions: world.of<ControllerRevision>('ControllerRevision'),
        revisionNamed: (name) => world.get('ControllerRevision', name),
        waitOn: () => 0,
        nowMs: world.nowMs,
      }),
    ),
  holds(world) {
    const [set] = world.of<DaemonSet>('DaemonSet')
    const nodes = world
      .of('Node')
      .map(({ metadata }) => metadata.name)
      .sort()
    const on = readyPods(world)
      .filter((pod) => controllerOf(pod)?.uid === set?.metadata.uid)
      .map(({ spec }) => spec.nodeName)
    assert.deepEqual(on.sort(), nodes)
    assert.equal(set?.status?.updatedNumberScheduled ?? 0, nodes.length)
  },
}

const binder: Row = {
  it: 'claims and volumes',
  begin(world, { pick, int, is }) {
    for (let at = 0; at <= int(3); at++) {
      const uid = pick([undefined, 'uid-c0', 'gone'])
      const claimRef = { namespace: 'a', name: pick(['c0', 'c1', 'c2']), ...(uid && { uid }) }
      const spec = {
        capacity: { storage: pick(['1Gi', '2Gi']) },
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'fast',
        persistentVolumeReclaimPolicy: pick(['Retain', 'Delete']),
      }
      const status = { phase: pick(['Pending', 'Available', 'Bound', 'Released', 'Failed']) }
      world.put({
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: `v${at}` },
        spec: { ...spec, ...(is(0.4) && { claimRef }) },
        status,
      })
    }
    for (let at = 0; at <= int(3); at++) {
      const spec = {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        storageClassName: 'fast',
        ...(is(0.3) && { volumeName: pick(['v0', 'v1']) }),
      }
      const wasBound = is(0.2)
      const annotations: Record<string, string> = wasBound ? { 'pv.kubernetes.io/bind-completed': 'yes' } : {}
      world.put({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: `c${at}`, namespace: 'a', annotations },
        spec,
        status: { phase: wasBound ? pick(['Pending', 'Bound']) : 'Pending' },
      })
    }
  },
  look: (world) => [
    ...each<Claim>(world, 'PersistentVolumeClaim', (claim) =>
      decideClaim({ claim, volumes: world.of('PersistentVolume'), classes: [], waiting: [], mayTell: true }),
    ),
    ...each<Volume>(world, 'PersistentVolume', (volume) =>
      decideVolume({ volume, claim: world.get('PersistentVolumeClaim', volume.spec.claimRef?.name ?? '') }),
    ),
  ],
  holds(world) {
    const bound = world.of<Claim>('PersistentVolumeClaim').filter(({ status }) => status?.phase === 'Bound')
    const names = bound.map(({ spec }) => spec.volumeName)
    assert.equal(new Set(names).size, names.length, 'a volume was given twice')
    for (const { metadata, spec } of bound)
      assert.equal(world.get<Volume>('PersistentVolume', spec.volumeName ?? '')?.spec.claimRef?.uid, metadata.uid)
  },
}

for (const { it, begin, look, holds } of [replicaSet, statefulSet, daemonSet, binder])
  test(`${it} settles from any state, and a further look writes nothing`, () => {
    for (let seed = 1; seed <= 5; seed++) {
      const chance = chanceOf(seed)
      const world = emptyWorld(START_MS)
      begin(world, chance)
      const isQuiet = (): boolean => look(world).every((decide) => world.take(decide()) === 0)
      let round = 0
      for (; round < 200; round++) {
        const wasQuiet = isQuiet()
        const isBusy = kubelets(world, chance)
        if (wasQuiet && !isBusy && round > 3) break
        world.nowMs += 60_000
      }
      assert.ok(round < 200, `seed ${seed}: still writing`)
      assert.ok(isQuiet(), `seed ${seed}: a further look wrote`)
      holds(world)
    }
  })
