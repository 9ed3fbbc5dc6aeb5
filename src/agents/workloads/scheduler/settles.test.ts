import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Chance,
  forSeeds,
  type RunOptions,
  servedKind,
  simulateCluster,
  type SimulatedWrite,
  START_MS,
} from '../../../../tests/support/simulated-cluster.ts'
import type { SimulatedStore } from '../../../../tests/support/simulated-store.ts'
import { refOf } from '../../../lib/kube/object.ts'
import { timeText } from '../meta.ts'
import { isFinishedPod } from '../pods.ts'
import type { Node, Pod } from '../shapes.ts'
import { scheduler } from './controller.ts'

const kinds = [
  servedKind('v1', 'Pod', 'pods'),
  servedKind('v1', 'Node', 'nodes', false),
  servedKind('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  servedKind('v1', 'PersistentVolume', 'persistentvolumes', false),
  servedKind('storage.k8s.io/v1', 'StorageClass', 'storageclasses', false),
  servedKind('v1', 'Namespace', 'namespaces', false),
  servedKind('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
]
const NODES = ['n0', 'n1', 'n2']
const WAIT = 'node(s) were tried'

function putNode(store: SimulatedStore, { pick, is }: Chance, name: string): void {
  const before = store.get<Node>('Node', '', name)
  // what pods were bound by stays: nobody takes room away from under them
  const allocatable = before?.status?.allocatable ?? { cpu: pick(['1', '2', '500m']), pods: pick(['2', '4', '9']) }
  store.put({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { ...before?.metadata, name, labels: { disk: pick(['ssd', 'hdd']) } },
    spec: { unschedulable: is(0.2), taints: is(0.2) ? [{ key: 'own', effect: 'NoSchedule' }] : [] },
    status: { allocatable },
  })
}

function putPod(store: SimulatedStore, { pick, is }: Chance, name: string, mayBeBound: boolean): void {
  const stale = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: WAIT }
  const isBound = mayBeBound && is(0.3)
  const isLeaving = isBound && is(0.4)
  // as in Kubernetes, one that drives out nobody keeps the room that somebody else has promised it
  const mayPreempt = is(0.8)
  store.put({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'a',
      ...(isLeaving && { deletionTimestamp: timeText(START_MS), deletionGracePeriodSeconds: 30 }),
    },
    spec: {
      containers: [
        {
          name: 'c',
          resources: { requests: { cpu: pick(['100m', '300m', '600m', '3']) } },
          ...(is(0.2) && { ports: [{ containerPort: 80, hostPort: 80 }] }),
        },
      ],
      priority: pick([0, 0, 10, 100]),
      ...(!mayPreempt && { preemptionPolicy: 'Never' }),
      ...(is(0.3) && { nodeSelector: { disk: 'ssd' } }),
      ...(is(0.3) && { tolerations: [{ key: 'own', operator: 'Exists' }] }),
      ...(is(0.1) && { schedulingGates: [{ name: 'g' }] }),
      ...(isBound && { nodeName: pick(NODES) }),
    },
    status: {
      phase: isBound ? pick(['Running', 'Running', 'Failed']) : 'Pending',
      ...(is(0.2) && { conditions: [stale] }),
      ...(!isBound && mayPreempt && is(0.2) && { nominatedNodeName: pick([...NODES, 'gone']) }),
    },
  })
}

/** Pods come, go, come anew under their name, or end; nodes come, go and are closed. */
function others(store: SimulatedStore, chance: Chance): (() => void)[] {
  const { pick, is, int } = chance
  const deed = (): void => {
    const [pods, name] = [store.of<Pod>('Pod'), pick(NODES)]
    const node = store.get('Node', '', name)
    if (is(0.2) && node !== undefined) store.remove(refOf(node))
    else if (is(0.3)) putNode(store, chance, name)
    else if (pods.length > 0 && is(0.6)) {
      const pod = pick(pods)
      store.remove(refOf(pod), { gracePeriodSeconds: pick([0, 30]) })
      if (is(0.5) && store.get('Pod', 'a', pod.metadata.name) === undefined)
        putPod(store, chance, pod.metadata.name, false)
    } else putPod(store, chance, `late-${int(3)}`, false)
  }
  return Array.from({ length: int(8) }, () => deed)
}

const kubelets = (store: SimulatedStore) => (): (() => void)[] =>
  store
    .of<Pod>('Pod')
    .filter(({ metadata }) => metadata.deletionTimestamp && (metadata.deletionGracePeriodSeconds ?? 0) > 0)
    .map((pod) => () => store.remove(refOf(pod), { gracePeriodSeconds: 0 }))

const cpuOf = ({ spec }: Pod): number =>
  spec.containers.reduce((sum, { resources }) => sum + milliOf(resources?.requests?.['cpu']), 0)
const milliOf = (amount: string | number | undefined): number =>
  `${amount}`.endsWith('m') ? Number.parseInt(`${amount}`, 10) : Number(amount ?? 0) * 1000
const portsOf = ({ spec }: Pod): (number | undefined)[] =>
  spec.containers.flatMap(({ ports = [] }) => ports.map(({ hostPort }) => hostPort))
const priorityOf = ({ spec }: Pod): number => spec.priority ?? 0

const runningOn = (store: SimulatedStore, name: string): Pod[] =>
  store.of<Pod>('Pod').filter((pod) => pod.spec.nodeName === name && !isFinishedPod(pod))

/** Whether pods have room on a node together. */
function haveRoom(pods: readonly Pod[], node: Node): boolean {
  const { cpu, pods: most } = node.status?.allocatable ?? {}
  const ports = pods.flatMap(portsOf)
  return (
    pods.length <= Number(most) &&
    pods.reduce((sum, pod) => sum + cpuOf(pod), 0) <= milliOf(cpu) &&
    new Set(ports).size === ports.length
  )
}

function mayGoTo(pod: Pod, node: Node): boolean {
  const { unschedulable, taints = [] } = node.spec ?? {}
  const isTold = taints.length === 0 || (pod.spec.tolerations ?? []).length > 0
  const isWanted = pod.spec.nodeSelector === undefined || node.metadata.labels?.['disk'] === 'ssd'
  return unschedulable !== true && isTold && isWanted
}

/** Nobody is bound to where there is no room. */
function checkWrite(store: SimulatedStore, { verb, args: [binding, options] }: SimulatedWrite): void {
  if (verb !== 'create' || options.subresource !== 'binding') return
  const pod = store.get<Pod>('Pod', 'a', binding.metadata.name)
  const node = store.get<Node>('Node', '', binding.target.name)
  const isNow = pod?.metadata.uid === binding.metadata.uid && pod?.metadata.deletionTimestamp === undefined
  if (pod === undefined || node === undefined || !isNow || pod.spec.nodeName !== undefined) return
  const present = runningOn(store, binding.target.name)
  assert.ok(haveRoom([...present, pod], node) || !haveRoom(present, node), `${node.metadata.name} is too full`)
}

function checkEnd(store: SimulatedStore): void {
  for (const pod of store.of<Pod>('Pod')) {
    const { nodeName, schedulingGates = [] } = pod.spec
    if (nodeName !== undefined || schedulingGates.length > 0) continue
    for (const node of store.of<Node>('Node').filter((each) => mayGoTo(pod, each))) {
      const { name } = node.metadata
      const present = runningOn(store, name)
      assert.ok(!haveRoom([...present, pod], node), `${pod.metadata.name} waits, and has room on ${name}`)
      if (pod.spec.preemptionPolicy === 'Never') continue
      const stay = present.filter((other) => priorityOf(other) >= priorityOf(pod))
      assert.ok(!haveRoom([...stay, pod], node), `${pod.metadata.name} waits for less important ones on ${name}`)
    }
    const why = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')
    assert.ok(why?.status === 'False' && why.message !== WAIT, `nobody says why ${pod.metadata.name} waits`)
  }
}

test('the scheduler settles from any state, overfills no node, and a further run writes nothing', () =>
  forSeeds(8, async (seed) => {
    const cluster = simulateCluster(seed, kinds, START_MS)
    const { store, chance } = cluster
    const schedule = (options: RunOptions): Promise<readonly string[]> =>
      cluster.run((bench) => [scheduler(bench)], {
        world: kubelets(store),
        onWrite: (write) => checkWrite(store, write),
        ...options,
      })
    store.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } })
    for (const name of NODES) if (chance.is(0.8)) putNode(store, chance, name)
    for (let at = chance.int(7); at >= 0; at--) putPod(store, chance, `p${at}`, true)
    // a node may be too full, as in Kubernetes, where nobody knows that a pod was bound to it
    await schedule({ faults: chance.int(4), failures: ['refused', 'behind'], others: others(store, chance) })
    checkEnd(store)
    assert.deepEqual(await schedule({}), [])
  }))
