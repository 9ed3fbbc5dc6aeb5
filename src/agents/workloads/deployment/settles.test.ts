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
import { type KubeObject, refOf } from '../../../lib/kube/object.ts'
import { conditionOf, controlledBy, controllerOf, timeText } from '../meta.ts'
import { isActivePod, isFinishedPod, isReadyPod } from '../pods.ts'
import { replicaSetController } from '../replicaset/controller.ts'
import { as, type Deployment, type Pod, type PodTemplate, type ReplicaSet } from '../shapes.ts'
import { deploymentController } from './controller.ts'
import { maxSurge, maxUnavailable, sizeOf, wantedReplicas } from './scaling.ts'

const kinds = [
  servedKind('apps/v1', 'Deployment', 'deployments'),
  servedKind('apps/v1', 'ReplicaSet', 'replicasets'),
  servedKind('v1', 'Pod', 'pods'),
]
const LABELS = { app: 'x' }

const deploymentOf = (cluster: SimulatedCluster): Deployment =>
  cluster.store.of<Deployment>('Deployment')[0] as Deployment
const setsOf = (cluster: SimulatedCluster): ReplicaSet[] =>
  cluster.store.of<ReplicaSet>('ReplicaSet').filter((set) => controllerOf(set)?.uid === 'd')
const template = (image: string): PodTemplate => ({
  metadata: { labels: LABELS },
  spec: { containers: [{ name: 'c', image }] },
})
const ownedBy = (owner: KubeObject | undefined): object => (owner ? { ownerReferences: [controlledBy(owner)] } : {})

/** A Deployment, sets of former templates in any state, of the Deployment and of nobody, of another and of a former one of its name. */
function begin(cluster: SimulatedCluster): void {
  const { pick, int, is } = cluster.chance
  const rollingUpdate = { maxSurge: pick([0, 1, 2, '25%', '100%']), maxUnavailable: pick([0, 1, '25%', '50%']) }
  const owner: Deployment = {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace: 'a', uid: 'd', generation: 1 } },
    spec: {
      ...{ replicas: int(5), selector: { matchLabels: LABELS }, template: template('x:1'), paused: is(0.1) },
      ...{ revisionHistoryLimit: int(2), progressDeadlineSeconds: 600, minReadySeconds: pick([0, 90]) },
      strategy: is(0.2) ? { type: 'Recreate' } : { type: 'RollingUpdate', rollingUpdate },
    },
    status: {
      ...(is(0.5) && {
        observedGeneration: int(2),
        replicas: int(9),
        readyReplicas: int(9),
        availableReplicas: int(9),
      }),
      ...(is(0.3) && { conditions: [{ type: pick(['Progressing', 'Available']), status: 'False', reason: 'Before' }] }),
    },
  }
  cluster.store.put(owner)
  for (let at = 0; at < int(4); at++) {
    const by = pick([owner, owner, undefined, { ...owner, metadata: { ...owner.metadata, uid: 'former' } }])
    const revision: Record<string, string> = is(0.7) ? { 'deployment.kubernetes.io/revision': String(int(4)) } : {}
    const set: ReplicaSet = {
      ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet' },
      metadata: {
        ...{ name: `d-${at}`, namespace: 'a', uid: `d-${at}`, labels: LABELS, annotations: revision },
        ...{ creationTimestamp: timeText(START_MS - int(600) * 1000), ...ownedBy(by) },
      },
      spec: { replicas: int(3), selector: { matchLabels: LABELS }, template: template(pick(['x:0', 'x:1', 'x:2'])) },
      status: { replicas: int(3), ...(is(0.5) && { availableReplicas: int(3) }) },
    }
    cluster.store.put(set)
    for (let pod = 0; pod < int(3); pod++) anyPod(cluster, `d-${at}-${pod}`, is(0.9) ? set : undefined)
  }
}

function anyPod(cluster: SimulatedCluster, name: string, set: ReplicaSet | undefined): void {
  const { pick, is } = cluster.chance
  cluster.store.put({
    ...{
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { ...(set?.spec.template ?? template('x:9')).spec, ...(is(0.7) && { nodeName: 'n' }) },
    },
    metadata: {
      ...{ name, namespace: 'a', uid: name, labels: LABELS, ...ownedBy(set) },
      ...(is(0.2) && { deletionTimestamp: timeText(START_MS), deletionGracePeriodSeconds: 30 }),
    },
    status: is(0.5) ? ready(cluster) : { phase: pick(['Pending', 'Failed', 'Succeeded']) },
  })
}

function ready({ clock }: SimulatedCluster): object {
  const lastTransitionTime = timeText(clock.nowMs())
  return { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime }] }
}

/** What kubelets and the garbage collector do; answers whether there was anything to do. */
function others(cluster: SimulatedCluster): boolean {
  const { is } = cluster.chance
  let isBusy = false
  const uids = new Set(cluster.store.of('ReplicaSet').map(({ metadata }) => metadata.uid))
  for (const pod of cluster.store.of<Pod>('Pod')) {
    const isLeaving = pod.metadata.deletionTimestamp !== undefined
    const owner = controllerOf(pod)
    const isLost = owner !== undefined && !uids.has(owner.uid)
    if (!isLeaving && !isLost && (isReadyPod(pod) || !isActivePod(pod))) continue
    isBusy = true
    if (is(0.5)) continue
    if (isLeaving) cluster.store.remove(refOf(pod), { gracePeriodSeconds: 0 })
    else if (isLost) cluster.store.remove(refOf(pod))
    else cluster.store.put({ ...pod, spec: { ...pod.spec, nodeName: 'n' }, status: ready(cluster) })
  }
  return isBusy
}

/** Whatever is late or refused: enough of the pods stay, not too many come, and of a set that replaces all others none beside them. */
function staysWithinBounds(cluster: SimulatedCluster): void {
  const deployment = deploymentOf(cluster)
  const wanted = wantedReplicas(deployment)
  const sets = new Set(setsOf(cluster).map(({ metadata }) => metadata.uid))
  const pods = cluster.store.of<Pod>('Pod').filter((pod) => sets.has(controllerOf(pod)?.uid))
  const active = pods.filter(isActivePod)
  if (deployment.spec.strategy?.type === 'Recreate')
    return assert.ok(
      new Set(pods.filter((pod) => !isFinishedPod(pod)).map((pod) => controllerOf(pod)?.uid)).size < 2,
      'pods of two sets at once',
    )
  const [least, most] = [wanted - maxUnavailable(deployment), wanted + maxSurge(deployment)]
  assert.ok(active.length <= most, `${active.length} pods, and at most ${most} may be`)
  assert.ok(active.filter(isReadyPod).length >= least, `less than ${least} pods are ready`)
}

function holds(cluster: SimulatedCluster): void {
  const { spec, status, metadata } = deploymentOf(cluster)
  const wanted = spec.replicas ?? 1
  const mine = setsOf(cluster)
  assert.equal(status?.observedGeneration, metadata.generation)
  if (spec.paused) return
  const current = mine.filter((set) => sizeOf(set) > 0)
  assert.deepEqual(current.map(sizeOf), wanted > 0 ? [wanted] : [])
  for (const set of current) assert.deepEqual(set.spec.template.spec, spec.template.spec)
  assert.ok(mine.length - 1 <= (spec.revisionHistoryLimit ?? 10), `${mine.length} sets are kept`)
  const pods = cluster.store.of<Pod>('Pod').filter((pod) => controllerOf(pod)?.uid === current[0]?.metadata.uid)
  assert.equal(pods.filter(isReadyPod).length, wanted)
  assert.deepEqual(
    [status?.replicas ?? 0, status?.updatedReplicas ?? 0, status?.availableReplicas ?? 0],
    [wanted, wanted, wanted],
  )
  assert.equal(conditionOf(status?.conditions, 'Progressing')?.reason, 'NewReplicaSetAvailable')
}

const controllers: Controllers = (bench) => [replicaSetController(bench), deploymentController(bench)]

test('a Deployment rolls out from any state, then within its bounds at every moment, and a second run writes nothing', () =>
  forSeeds(12, async (seed) => {
    const cluster = simulateCluster(seed, kinds, START_MS)
    begin(cluster)
    const settle = async (round: () => boolean): Promise<void> => {
      // whose creation is not answered is made once more, as by the original
      const options: RunOptions = { round, failures: ['refused', 'behind'] }
      await workInTrouble(cluster, controllers, options, 60)
      await untilSettled(cluster, controllers, options)
      holds(cluster)
    }
    await settle(() => others(cluster))
    const before = deploymentOf(cluster)
    if (before.spec.paused) return
    cluster.store.put(
      as<KubeObject>({ ...before, spec: { ...before.spec, template: template(`x:${1 + cluster.chance.int(2)}`) } }),
    )
    await settle(() => {
      staysWithinBounds(cluster)
      return others(cluster)
    })
  }))
