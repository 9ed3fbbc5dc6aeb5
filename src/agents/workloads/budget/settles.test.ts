import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  forSeeds,
  type RunOptions,
  servedKind,
  simulateCluster,
  type SimulatedCluster,
  START_MS,
} from '../../../../tests/support/simulated-cluster.ts'
import { untilSettled, workInTrouble } from '../../../../tests/support/until-settled.ts'
import { refOf } from '../../../lib/kube/object.ts'
import { controlledBy, controllerOf, scaledValue, timeText } from '../meta.ts'
import { isReadyPod } from '../pods.ts'
import type { Pod, ReplicaSet } from '../shapes.ts'
import { budgetController } from './controller.ts'
import type { Budget } from './decide.ts'

const kinds = [
  servedKind('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  servedKind('v1', 'Pod', 'pods'),
  servedKind('apps/v1', 'ReplicaSet', 'replicasets'),
  servedKind('apps/v1', 'Deployment', 'deployments'),
]
const LABELS = { app: 'x' }

const budgetOf = (cluster: SimulatedCluster): Budget => cluster.store.of<Budget>('PodDisruptionBudget')[0] as Budget
const isHealthy = (pod: Pod): boolean => isReadyPod(pod) && pod.metadata.deletionTimestamp === undefined
const isChosen = ({ metadata }: Pod): boolean => metadata.labels?.['app'] === 'x'
const healthyOf = (cluster: SimulatedCluster): Pod[] => cluster.store.of<Pod>('Pod').filter(isChosen).filter(isHealthy)

function podOf({ clock, chance: { is, pick } }: SimulatedCluster, name: string, set: ReplicaSet | undefined): Pod {
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', spec: { containers: [], nodeName: 'n' } },
    metadata: {
      ...{ name, namespace: 'a', uid: name, labels: is(0.9) ? LABELS : { app: 'y' } },
      ...(set && { ownerReferences: [controlledBy(set)] }),
    },
    status: {
      phase: 'Running',
      conditions: [
        { type: 'Ready', status: pick(['True', 'True', 'False']), lastTransitionTime: timeText(clock.nowMs()) },
      ],
    },
  }
}

/** A ReplicaSet, its pods, pods of nobody, and a budget whose status is of any former time. */
function begin(cluster: SimulatedCluster): void {
  const { pick, int, is } = cluster.chance
  const set: ReplicaSet = {
    ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 's', namespace: 'a', uid: 's' } },
    spec: { replicas: int(5), selector: { matchLabels: LABELS }, template: { spec: { containers: [] } } },
  }
  cluster.store.put(set)
  for (let at = 0; at < int(6); at++) cluster.store.put(podOf(cluster, `s-${at}`, is(0.8) ? set : undefined))
  const much = pick([0, 1, 2, 5, '0%', '30%', '50%', '100%'])
  const disrupted = ['s-0', 's-1', 'gone']
    .filter(() => is(0.3))
    .map((name) => [name, timeText(START_MS - int(200) * 1000)])
  cluster.store.put({
    ...{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
    metadata: { name: 'b', namespace: 'a', uid: 'b', generation: 2 },
    spec: { selector: { matchLabels: LABELS }, ...(is(0.5) ? { minAvailable: much } : { maxUnavailable: much }) },
    ...(is(0.7) && {
      status: {
        ...{ disruptionsAllowed: 0, currentHealthy: int(5), desiredHealthy: int(5), expectedPods: int(5) },
        ...(disrupted.length > 0 && { disruptedPods: Object.fromEntries(disrupted) }),
        observedGeneration: pick([1, 2]),
        ...(is(0.5) && {
          conditions: [
            { type: 'DisruptionAllowed', status: pick(['True', 'False']), reason: 'SyncFailed', message: 'x' },
          ],
        }),
      },
    }),
  })
}

/** How many pods the budget asks for, of so many. */
function desiredOf({ spec: { minAvailable, maxUnavailable } }: Budget, expected: number): number {
  if (maxUnavailable !== undefined) return Math.max(expected - scaledValue(maxUnavailable, expected, 'up'), 0)
  return scaledValue(minAvailable ?? 0, expected, 'up')
}

/** An eviction as the API server allows it; some of the pods stay all the same. Never more go than the budget lets go. */
function evict(cluster: SimulatedCluster): boolean {
  const budget = budgetOf(cluster)
  const { disruptionsAllowed = 0, desiredHealthy = 0, observedGeneration, disruptedPods } = budget.status ?? {}
  const [pod] = healthyOf(cluster)
  if (pod === undefined || Number(disruptionsAllowed) < 1 || observedGeneration !== budget.metadata.generation)
    return false
  const left = healthyOf(cluster).length - 1
  assert.ok(left >= Number(desiredHealthy), `${left} healthy pods are left of ${String(desiredHealthy)}`)
  cluster.store.put({
    ...budget,
    status: {
      ...{ ...budget.status, disruptionsAllowed: Number(disruptionsAllowed) - 1 },
      disruptedPods: { ...disruptedPods, [pod.metadata.name]: timeText(cluster.clock.nowMs()) },
    },
  })
  if (cluster.chance.is(0.8)) cluster.store.remove(refOf(pod))
  return true
}

/** Kubelets end what leaves and make the rest ready, a ReplicaSet makes pods anew, and somebody evicts. */
function others(cluster: SimulatedCluster, evictions: { left: number }): boolean {
  const { is } = cluster.chance
  let isBusy = false
  for (const pod of cluster.store.of<Pod>('Pod')) {
    if (isHealthy(pod)) continue
    isBusy = true
    if (is(0.5)) continue
    if (pod.metadata.deletionTimestamp !== undefined) cluster.store.remove(refOf(pod), { gracePeriodSeconds: 0 })
    else cluster.store.put({ ...podOf(cluster, pod.metadata.name, undefined), ...pod, status: READY })
  }
  const [set] = cluster.store.of<ReplicaSet>('ReplicaSet')
  const mine = cluster.store.of<Pod>('Pod').filter((pod) => controllerOf(pod)?.uid === 's')
  if (set && mine.length < (set.spec.replicas ?? 1)) {
    if (is(0.5)) cluster.store.put(podOf(cluster, `s-${cluster.store.log.length}`, set))
    isBusy = true
  }
  if (evictions.left > 0 && evict(cluster)) evictions.left--
  return isBusy
}
const READY = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }

function holds(cluster: SimulatedCluster): void {
  const budget = budgetOf(cluster)
  const { spec, status = {} } = budget
  const chosen = cluster.store.of<Pod>('Pod').filter(isChosen)
  const isOwned = chosen.some((pod) => controllerOf(pod) !== undefined)
  const counts = typeof spec.minAvailable === 'number'
  const replicas = isOwned ? (cluster.store.of<ReplicaSet>('ReplicaSet')[0]?.spec.replicas ?? 1) : 0
  const expected = counts ? chosen.length : replicas
  const desired = desiredOf(budget, expected)
  const healthy = healthyOf(cluster).length
  const allowed = expected === 0 ? 0 : Math.max(healthy - desired, 0)
  assert.deepEqual(
    [status['expectedPods'], status['desiredHealthy'], status['currentHealthy'], status['disruptionsAllowed']],
    [expected, desired, healthy, allowed],
  )
  assert.equal(status.observedGeneration, budget.metadata.generation)
  assert.deepEqual(status.disruptedPods ?? {}, {})
  assert.equal(status.conditions?.[0]?.status, allowed > 0 ? 'True' : 'False')
}

test('a budget tells the truth from any state, never lets more go than it may, and a second run writes nothing', () =>
  forSeeds(12, async (seed) => {
    const cluster = simulateCluster(seed, kinds, START_MS)
    begin(cluster)
    const evictions = { left: 6 }
    const options: RunOptions = {
      serve: () => ({ status: 404, text: '{}' }),
      round: () => others(cluster, evictions),
      roundMs: 10_000,
    }
    await workInTrouble(cluster, (bench) => [budgetController(bench)], options, 96)
    await untilSettled(cluster, (bench) => [budgetController(bench)], options)
    holds(cluster)
  }))
