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
import { conditionOf, timeMs, timeText } from '../meta.ts'
import type { Condition, Pod } from '../shapes.ts'
import { staleDisruptions } from './stale.ts'

const kinds = [servedKind('v1', 'Pod', 'pods')]
const STALE_MS = 120_000
const READY: Condition = { type: 'Ready', status: 'True' }

const podsOf = (cluster: SimulatedCluster): Pod[] => cluster.store.of<Pod>('Pod')
const targetOf = (pod: Pod): Condition | undefined => conditionOf(pod.status?.conditions, 'DisruptionTarget')
const isLive = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined && !['Failed', 'Succeeded'].includes(status?.phase ?? '')

/** What somebody says who wants a pod to go. */
function anyTarget({ clock, chance: { pick, int } }: SimulatedCluster): Condition {
  return {
    ...{ type: 'DisruptionTarget', status: pick(['True', 'True', 'True', 'False']), message: 'asked to go' },
    reason: pick(['EvictionByEvictionAPI', 'PreemptionByScheduler', 'TerminationByKubelet']),
    lastTransitionTime: timeText(clock.nowMs() - int(180) * 1000),
  }
}

function putPod(cluster: SimulatedCluster, name: string): void {
  const { pick, is } = cluster.chance
  cluster.store.put({
    ...{ apiVersion: 'v1', kind: 'Pod', spec: { containers: [] } },
    metadata: {
      ...{ name, namespace: 'a', uid: name, generation: 1 },
      ...(is(0.2) && { deletionTimestamp: timeText(cluster.clock.nowMs()), finalizers: ['held'] }),
    },
    status: {
      phase: pick(['Running', 'Running', 'Running', 'Failed']),
      conditions: is(0.8) ? [READY, anyTarget(cluster)] : [READY],
    },
  })
}

/** Pods begin to leave, end, change, and are asked to go once more, a few times. */
function others(cluster: SimulatedCluster, changes: { left: number }): boolean {
  const { pick, is } = cluster.chance
  const [pod] = podsOf(cluster).filter(() => is(0.3))
  if (changes.left === 0 || podsOf(cluster).length === 0) return false
  if (pod === undefined) return true
  changes.left--
  const conditions = pod.status?.conditions ?? []
  const change = pick(['leave', 'end', 'ask', 'change'])
  if (change === 'leave') cluster.store.remove(refOf(pod))
  if (change === 'end') cluster.store.put({ ...pod, status: { ...pod.status, phase: 'Failed' } } as Pod)
  if (change === 'change')
    cluster.store.put({ ...pod, status: { ...pod.status, message: `seen ${changes.left}` } } as Pod)
  if (change === 'ask') {
    const kept = conditions.filter(({ type }) => type !== 'DisruptionTarget')
    cluster.store.put({ ...pod, status: { ...pod.status, conditions: [...kept, anyTarget(cluster)] } } as Pod)
  }
  return true
}

/** What holds of each write: it takes one condition back, whose time is over, from a pod that stays. */
function mayTakeBack(cluster: SimulatedCluster, written: Pod): void {
  const before = cluster.store.get<Pod>('Pod', 'a', written.metadata.name)
  // whoever has an older one is told of a conflict
  if (before === undefined || before.metadata.resourceVersion !== written.metadata.resourceVersion) return
  const target = targetOf(before)
  assert.ok(isLive(before), 'it stays')
  assert.ok(target?.status === 'True' && target.reason !== 'TerminationByKubelet', 'it was asked to go')
  assert.ok(timeMs(target.lastTransitionTime) + STALE_MS <= cluster.clock.nowMs(), 'it had its time')
  assert.equal(targetOf(written)?.status, 'False')
  const rest = (pod: Pod): object => ({
    ...pod.status,
    conditions: pod.status?.conditions?.filter(({ type }) => type !== 'DisruptionTarget'),
  })
  assert.deepEqual([rest(written), written.metadata], [rest(before), before.metadata])
}

test('what asks a pod to go is taken back two minutes later from those that stay, and a second run writes nothing', () =>
  forSeeds(12, async (seed) => {
    const cluster = simulateCluster(seed, kinds, START_MS)
    for (let at = cluster.chance.int(6); at >= 0; at--) putPod(cluster, `p-${at}`)
    const changes = { left: 8 }
    const options: RunOptions = {
      round: () => others(cluster, changes),
      roundMs: 20_000,
      onWrite: ({ verb, args: [pod] }) => verb === 'replace' && mayTakeBack(cluster, pod as Pod),
    }
    await workInTrouble(cluster, (bench) => [staleDisruptions(bench)], options, 48)
    await untilSettled(cluster, (bench) => [staleDisruptions(bench)], options)
    const asked = podsOf(cluster)
      .filter(isLive)
      .filter((pod) => targetOf(pod)?.status === 'True')
    assert.deepEqual(asked.filter((pod) => targetOf(pod)?.reason !== 'TerminationByKubelet').map(refOf), [])
  }))
