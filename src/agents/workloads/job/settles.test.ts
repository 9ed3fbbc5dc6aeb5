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
import { type KubeObject, refOf } from '../../../lib/kube/object.ts'
import { conditionOf, controlledBy, controllerOf, timeText } from '../meta.ts'
import { isActivePod } from '../pods.ts'
import { as, type Pod } from '../shapes.ts'
import { FOREGROUND } from '../garbage/decide.ts'
import { jobController } from './controller.ts'
import { isHeld, isOver, TRACKING } from './ended.ts'
import { COMPLETION_INDEX, parseIndexes } from './indexes.ts'
import type { Job, JobStatus } from './shapes.ts'

const kinds = [servedKind('batch/v1', 'Job', 'jobs'), servedKind('v1', 'Pod', 'pods')]
const LABELS = { job: 'j' }

const jobOf = (cluster: SimulatedCluster): Job | undefined => cluster.store.of<Job>('Job')[0]
const mineOf = (cluster: SimulatedCluster, uid: string): Pod[] =>
  cluster.store.of<Pod>('Pod').filter((pod) => controllerOf(pod)?.uid === uid)

/** A Job of any kind, in any state that others may have left it in. */
function anyJob({ chance: { pick, int, is } }: SimulatedCluster): Job {
  const isIndexed = is(0.5)
  const completions = isIndexed || is(0.7) ? 1 + int(4) : undefined
  const perIndex = isIndexed && is(0.5)
  const spec: Job['spec'] = {
    parallelism: pick([0, 1, 2, 3, 9]),
    ...(completions !== undefined && { completions }),
    completionMode: isIndexed ? 'Indexed' : 'NonIndexed',
    backoffLimit: perIndex ? 2 ** 31 - 1 : int(3),
    ...(perIndex && { backoffLimitPerIndex: int(2), ...(is(0.3) && { maxFailedIndexes: int(2) }) }),
    ...(is(0.2) && { activeDeadlineSeconds: 60 + int(600) }),
    ...(is(0.2) && { ttlSecondsAfterFinished: int(600) }),
    ...(isIndexed && is(0.3) && { successPolicy: { rules: [{ succeededCount: 1 + int((completions ?? 1) - 1) }] } }),
    ...(is(0.3) && { podFailurePolicy: { rules: [{ action: pick(['Ignore', 'FailJob', 'Count']), ...onExitCode1 }] } }),
    suspend: is(0.15),
    podReplacementPolicy: pick(['Failed', 'TerminatingOrFailed']),
    selector: { matchLabels: LABELS },
    template: { metadata: { labels: LABELS }, spec: { containers: [{ name: 'c' }], restartPolicy: 'Never' } },
  }
  return {
    ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'j', namespace: 'a', uid: 'j', generation: 1 } },
    spec,
  }
}
const onExitCode1 = { onExitCodes: { operator: 'In', values: [1] } }

function anyStatus({ spec }: Job, { chance: { int, is } }: SimulatedCluster): JobStatus {
  const isIndexed = spec.completionMode === 'Indexed'
  return {
    ...(is(0.7) && { startTime: timeText(START_MS - int(600) * 1000) }),
    ...(is(0.5) && { active: int(9), terminating: int(3) }),
    ...(is(0.5) && !isIndexed && { succeeded: int(2) }),
    ...(is(0.5) && isIndexed && { completedIndexes: String(int(6)), succeeded: 1 }),
    ...(is(0.5) && { failed: int(1) }),
    ...(is(0.5) && {
      uncountedTerminatedPods: {
        ...(is(0.5) && !isIndexed && { succeeded: ['gone', 's-0'].slice(int(1)) }),
        ...(is(0.5) && { failed: ['lost', 's-1'].slice(int(1)) }),
      },
    }),
    ...(is(0.2) && { conditions: [{ type: 'Suspended', status: is(0.5) ? 'True' : 'False' }] }),
  }
}

/** Pods in any state, of the Job and of nobody, of another and of a former one of its name. */
function anyPods(cluster: SimulatedCluster, job: Job): void {
  const { chance } = cluster
  const { pick, int, is } = chance
  for (let at = 0; at < int(5); at++) {
    const owner = pick([job, job, job, undefined, { ...job, metadata: { ...job.metadata, uid: 'former' } }])
    const isIndexed = job.spec.completionMode === 'Indexed' && is(0.9)
    const annotations: Record<string, string> = isIndexed ? { [COMPLETION_INDEX]: String(int(5)) } : {}
    cluster.store.put({
      ...{ apiVersion: 'v1', kind: 'Pod', spec: { ...job.spec.template.spec, ...(is(0.7) && { nodeName: 'n' }) } },
      metadata: {
        ...{ name: `s-${at}`, namespace: 'a', uid: `s-${at}`, labels: is(0.9) ? LABELS : { job: 'other' } },
        ...{ annotations, creationTimestamp: timeText(START_MS - 60_000) },
        ...(is(0.8) && { finalizers: [TRACKING] }),
        ...(owner && { ownerReferences: [controlledBy(owner)] }),
        ...(is(0.2) && { deletionTimestamp: timeText(START_MS), deletionGracePeriodSeconds: 30 }),
      },
      status: statusOf(cluster, pick(['Pending', 'Running', 'Succeeded', 'Failed'])),
    })
  }
}

function statusOf({ clock, chance }: SimulatedCluster, phase: string): Pod['status'] {
  const now = timeText(clock.nowMs())
  const terminated = { exitCode: phase === 'Failed' ? chance.pick([1, 2]) : 0, finishedAt: now }
  const hasEnded = phase === 'Succeeded' || phase === 'Failed'
  return {
    phase,
    conditions: [{ type: 'Ready', status: phase === 'Running' ? 'True' : 'False', lastTransitionTime: now }],
    ...(hasEnded && { containerStatuses: [{ name: 'c', state: { terminated } }] }),
  }
}

/** What kubelets and the garbage collector do; answers whether there was anything to do. */
function others(cluster: SimulatedCluster): boolean {
  const { is } = cluster.chance
  let isBusy = false
  for (const pod of cluster.store.of<Pod>('Pod')) {
    const { phase = 'Pending' } = pod.status ?? {}
    const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
    const hasEnded = phase === 'Succeeded' || phase === 'Failed'
    if (hasEnded && (deletionTimestamp === undefined || deletionGracePeriodSeconds === 0)) continue
    isBusy = true
    if (is(0.4)) continue
    if (hasEnded) cluster.store.remove(refOf(pod), { gracePeriodSeconds: 0 })
    else if (deletionTimestamp !== undefined)
      cluster.store.put({ ...pod, status: statusOf(cluster, is(0.8) ? 'Failed' : 'Succeeded') })
    else if (phase === 'Pending')
      cluster.store.put({ ...pod, spec: { ...pod.spec, nodeName: 'n' }, status: statusOf(cluster, 'Running') })
    else cluster.store.put({ ...pod, status: statusOf(cluster, is(0.7) ? 'Succeeded' : 'Failed') })
  }
  return collect(cluster) || isBusy
}

function collect(cluster: SimulatedCluster): boolean {
  let isBusy = false
  const uids = new Set(cluster.store.of<Job>('Job').map(({ metadata }) => metadata.uid))
  for (const pod of cluster.store.of<Pod>('Pod')) {
    const owner = controllerOf(pod)
    const isGoing = cluster.store.of<Job>('Job').some((job) => job.metadata.uid === owner?.uid && isForeground(job))
    if (owner === undefined || (uids.has(owner.uid) && !isGoing) || pod.metadata.deletionTimestamp) continue
    cluster.store.remove(refOf(pod))
    isBusy = true
  }
  for (const job of cluster.store.of<Job>('Job').filter(isForeground)) {
    if (mineOf(cluster, job.metadata.uid ?? '').length > 0) continue
    cluster.store.put({ ...job, metadata: { ...job.metadata, finalizers: [] } })
    isBusy = true
  }
  return isBusy
}

const isForeground = ({ metadata }: KubeObject): boolean => metadata.finalizers?.includes(FOREGROUND) === true

/** Every pod that has ever ended, by how. */
function endsOf(cluster: SimulatedCluster): {
  readonly succeeded: ReadonlySet<string>
  readonly lost: ReadonlySet<string>
} {
  const ends = { succeeded: new Set<string>(), lost: new Set<string>() }
  for (const { object } of cluster.store.log.map(({ event }) => event)) {
    const { metadata, status } = as<Pod>(object)
    if (object.kind === 'Pod' && status?.phase === 'Succeeded') ends.succeeded.add(metadata.uid ?? '')
    if (object.kind === 'Pod' && (status?.phase === 'Failed' || metadata.deletionTimestamp !== undefined))
      ends.lost.add(metadata.uid ?? '')
  }
  return ends
}

function holds(cluster: SimulatedCluster, before: Job): void {
  const { succeeded, lost } = endsOf(cluster)
  const held = cluster.store.of<Pod>('Pod').filter((pod) => isHeld(pod) && controllerOf(pod)?.uid !== 'j')
  assert.deepEqual(held, [], 'a pod that nobody will count is held')
  const job = jobOf(cluster)
  if (job === undefined) return assert.ok(before.spec.ttlSecondsAfterFinished !== undefined)
  const { status = {} } = job
  const { completions, parallelism = 1, completionMode } = job.spec
  const active = mineOf(cluster, 'j').filter(isActivePod).length
  assert.equal(status.active ?? 0, active)
  assert.deepEqual(status.uncountedTerminatedPods ?? {}, {})
  const { uncountedTerminatedPods: uncounted = {} } = before.status ?? {}
  const mostFailed = (before.status?.failed ?? 0) + (uncounted.failed ?? []).length + lost.size
  assert.ok((status.failed ?? 0) <= mostFailed, 'a failure was counted twice')
  if (completionMode === 'Indexed') assert.equal(status.succeeded ?? 0, parseIndexes(status.completedIndexes).size)
  else {
    const most = (before.status?.succeeded ?? 0) + (uncounted.succeeded ?? []).length + succeeded.size
    assert.ok((status.succeeded ?? 0) <= most, 'a success was counted twice')
  }
  if (isOver(job)) {
    assert.equal(active, 0)
    assert.equal(mineOf(cluster, 'j').some(isHeld), false)
    const isComplete = conditionOf(status.conditions, 'Complete') !== undefined
    assert.equal(isComplete, status.completionTime !== undefined)
    assert.notEqual(isComplete, conditionOf(status.conditions, 'Failed') !== undefined)
    if (isComplete && job.spec.successPolicy === undefined) assert.ok((status.succeeded ?? 0) >= (completions ?? 1))
    return
  }
  assert.ok(job.spec.suspend || parallelism === 0, 'it neither ended nor has a reason not to')
  assert.equal(active, 0)
}

test('a Job comes to its end from any state, counts every pod once, and a second run writes nothing', () =>
  forSeeds(12, async (seed) => {
    const cluster = simulateCluster(seed, kinds, START_MS)
    const before = anyJob(cluster)
    const given = { ...before, status: anyStatus(before, cluster) }
    cluster.store.put(given)
    anyPods(cluster, given)
    const options: RunOptions = {
      onWrite({ verb }) {
        const active = mineOf(cluster, 'j').filter(isActivePod).length
        const most = given.spec.parallelism ?? 1
        assert.ok(verb !== 'create' || active < most, `${active} pods run already`)
      },
      round: () => others(cluster),
      roundMs: 60_000,
      // whose creation is not answered is made once more, as by the original
      failures: ['refused', 'behind'],
    }
    await workInTrouble(cluster, (bench) => [jobController(bench)], options, 64)
    await untilSettled(cluster, (bench) => [jobController(bench)], options)
    holds(cluster, given)
  }))
