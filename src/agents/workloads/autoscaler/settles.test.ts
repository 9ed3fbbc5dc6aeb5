import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Controllers,
  forSeeds,
  type RunOptions,
  servedKind,
  simulateCluster,
  type SimulatedCluster,
  START_MS,
} from '../../../../tests/support/simulated-cluster.ts'
import { untilSettled, workInTrouble } from '../../../../tests/support/until-settled.ts'
import { asJson, numberOf, objectOf } from '../../../lib/kube/json.ts'
import { refOf } from '../../../lib/kube/object.ts'
import { timeText } from '../meta.ts'
import { as, type Pod, type ReplicaSet } from '../shapes.ts'
import { autoscalerController } from './controller.ts'
import type { Autoscaler, ScalingRules } from './shapes.ts'

const kinds = [
  servedKind('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'),
  servedKind('apps/v1', 'ReplicaSet', 'replicasets'),
  servedKind('v1', 'Pod', 'pods'),
]
/** What a pod asks for, in thousandths of a processor, and what it is wanted to use of that. */
const REQUEST = 100
const WANTED_PERCENT = 50

const autoscalerOf = (cluster: SimulatedCluster): Autoscaler =>
  as<Autoscaler>(cluster.store.of('HorizontalPodAutoscaler')[0] as Autoscaler)
const sizeOf = (cluster: SimulatedCluster): number => cluster.store.of<ReplicaSet>('ReplicaSet')[0]?.spec.replicas ?? 0

function anyAutoscaler({ chance: { pick, int, is } }: SimulatedCluster): Autoscaler {
  const rules = (): ScalingRules => ({
    stabilizationWindowSeconds: pick([0, 60, 300]),
    policies: [{ type: 'Pods', value: 1 + int(2), periodSeconds: pick([15, 60, 120]) }],
  })
  const conditions = ['AbleToScale', 'ScalingActive', 'ScalingLimited', 'Own'].filter(() => is(0.4))
  return {
    ...{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' },
    metadata: { name: 'h', namespace: 'a', uid: 'h', generation: 1 },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 's' },
      minReplicas: 1 + int(2),
      maxReplicas: 3 + int(6),
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: WANTED_PERCENT } },
        },
      ],
      ...(is(0.5) && { behavior: { ...(is(0.7) && { scaleUp: rules() }), ...(is(0.7) && { scaleDown: rules() }) } }),
    },
    status: {
      ...(is(0.5) && { observedGeneration: int(3), currentReplicas: int(20), desiredReplicas: int(20) }),
      ...(is(0.5) && { lastScaleTime: timeText(START_MS - int(600) * 1000) }),
      conditions: conditions.map((type) => ({
        ...{ type, status: pick(['True', 'False', 'Unknown']), reason: 'Before', message: 'as it was' },
        lastTransitionTime: timeText(START_MS - 3_600_000),
      })),
    },
  }
}

/** So many pods as were asked for, which share a load. */
function others(cluster: SimulatedCluster): boolean {
  const pods = cluster.store.of<Pod>('Pod')
  const surplus = pods.length - sizeOf(cluster)
  for (const pod of pods.slice(0, Math.max(surplus, 0))) cluster.store.remove(refOf(pod), { gracePeriodSeconds: 0 })
  for (let at = surplus; at < 0; at++)
    cluster.store.put(podOf(`s-${cluster.clock.nowMs()}${at}`, cluster.clock.nowMs()))
  return surplus !== 0
}

function podOf(name: string, nowMs: number): Pod {
  const since = timeText(nowMs)
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'a', uid: name, labels: { app: 'x' } } },
    spec: { nodeName: 'n', containers: [{ name: 'c', resources: { requests: { cpu: `${REQUEST}m` } } }] },
    status: {
      ...{ phase: 'Running', startTime: since },
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: since }],
    },
  }
}

/** Scale and metrics as the API server serves them. */
function serve(
  cluster: SimulatedCluster,
  loadMilli: number,
  resized: (to: number) => void,
): NonNullable<RunOptions['serve']> {
  const say = (body: unknown) => ({ status: 200, text: JSON.stringify(body) })
  return (method, path, body) => {
    const [set] = cluster.store.of<ReplicaSet>('ReplicaSet')
    assert.ok(set)
    if (method === 'PUT') {
      const to = numberOf(objectOf(objectOf(asJson(body)).spec).replicas) ?? -1
      resized(to)
      cluster.store.put({ ...set, spec: { ...set.spec, replicas: to } })
    }
    if (path.includes('/scale'))
      return say({ metadata: {}, spec: { replicas: sizeOf(cluster) }, status: { selector: 'app=x' } })
    const pods = cluster.store.of<Pod>('Pod')
    const usage = { cpu: `${Math.floor(loadMilli / pods.length)}m` }
    const timestamp = timeText(cluster.clock.nowMs())
    return say({
      items: pods.map(({ metadata: { name } }) => ({
        ...{ metadata: { name }, timestamp, window: '15s', containers: [{ name: 'c', usage }] },
      })),
    })
  }
}

/** No size outside of its bounds, and none reached faster than a policy lets it. */
function mayResize(cluster: SimulatedCluster, lately: { atMs: number; change: number }[], to: number): void {
  const { minReplicas = 1, maxReplicas, behavior } = autoscalerOf(cluster).spec
  const [before, nowMs] = [sizeOf(cluster), cluster.clock.nowMs()]
  assert.ok(to >= minReplicas && to <= maxReplicas, `${to} is not from ${minReplicas} to ${maxReplicas}`)
  if (before < minReplicas || before > maxReplicas) return
  const rules = to > before ? behavior?.scaleUp : behavior?.scaleDown
  for (const { value, periodSeconds } of rules?.policies ?? []) {
    const within = lately.filter(({ atMs }) => atMs > nowMs - periodSeconds * 1000)
    const first = within.reduce((size, { change }) => size - change, before)
    assert.ok(
      Math.sign(to - before) * (to - first) <= value,
      `${first} to ${to} in ${periodSeconds} s, by more than ${value}`,
    )
  }
  lately.push({ atMs: nowMs, change: to - before })
}

function holds(cluster: SimulatedCluster, loadMilli: number): void {
  const { spec, status } = autoscalerOf(cluster)
  const { minReplicas = 1, maxReplicas } = spec
  const size = sizeOf(cluster)
  const ratio = Math.trunc((Math.floor(loadMilli / size) * 100) / REQUEST) / WANTED_PERCENT
  const wanted =
    ratio >= 0.9 && ratio <= 1.1 ? size : Math.min(Math.max(Math.ceil(ratio * size), minReplicas), maxReplicas)
  assert.equal(size, wanted, `a load of ${loadMilli}`)
  assert.deepEqual([status?.currentReplicas, status?.desiredReplicas, status?.observedGeneration], [size, size, 1])
  const told = (status?.conditions ?? []).map(({ type }) => type)
  for (const type of ['AbleToScale', 'ScalingActive', 'ScalingLimited'])
    assert.equal(told.filter((each) => each === type).length, 1)
}

test('an autoscaler finds the size for a load from any state, within bounds and rates, and a second run writes nothing', () =>
  forSeeds(24, async (seed) => {
    const cluster = simulateCluster(seed, kinds, START_MS)
    const { chance } = cluster
    cluster.store.put({
      ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 's', namespace: 'a', uid: 's' } },
      spec: { replicas: 1 + chance.int(12), selector: {}, template: {} },
    })
    cluster.store.put(anyAutoscaler(cluster))
    others(cluster)
    // within its bounds: at a bound a new process, which remembers no more than the size, says for a while that all is well
    const { minReplicas = 1, maxReplicas } = autoscalerOf(cluster).spec
    const size = minReplicas + chance.int(maxReplicas - minReplicas)
    const loadMilli = (size * REQUEST * WANTED_PERCENT) / 100 - chance.int(20)
    const lately: { atMs: number; change: number }[] = []
    const controllers: Controllers = (bench) => {
      lately.length = 0
      return [autoscalerController(bench)]
    }
    const options: RunOptions = {
      serve: serve(cluster, loadMilli, (to) => mayResize(cluster, lately, to)),
      // longer than any window, which begins when the first try succeeds: as many as fail before wait for a minute and a half
      quietMs: 420_000,
      round: () => others(cluster),
      roundMs: 30_000,
      // a size that was set and not answered is in no history, as in the original's
      failures: ['refused', 'behind'],
    }
    await workInTrouble(cluster, controllers, options, 96)
    await untilSettled(cluster, controllers, options, { quietMs: 90_000 })
    holds(cluster, loadMilli)
  }))
