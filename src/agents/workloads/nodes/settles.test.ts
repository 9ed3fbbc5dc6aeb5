import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Chance,
  forSeeds,
  type RunOptions,
  servedKind,
  simulateCluster,
  type SimulatedCluster,
  type SimulatedWrite,
  START_MS,
} from '../../../../tests/support/simulated-cluster.ts'
import type { SimulatedStore } from '../../../../tests/support/simulated-store.ts'
import { refOf } from '../../../lib/kube/object.ts'
import { conditionOf, timeText } from '../meta.ts'
import { podGarbageCollector } from '../pod-garbage/controller.ts'
import type { Node, Pod, Taint } from '../shapes.ts'
import { nodeRegistry, nodeTaintController, taintEvictionController } from './controller.ts'
import { toleratedMs } from './evict.ts'
import { nodeSilenceController } from './silence-controller.ts'

const LEASES = 'kube-node-lease'
const kinds = [
  servedKind('v1', 'Node', 'nodes', false),
  servedKind('v1', 'Pod', 'pods'),
  servedKind('coordination.k8s.io/v1', 'Lease', 'leases'),
]
const NAMES = ['n0', 'n1', 'n2', 'n3']
const HELD = 'example.com/held'
const KEYS = ['not-ready', 'unreachable', 'memory-pressure', 'out-of-service'].map((key) => `node.kubernetes.io/${key}`)

function putNode(store: SimulatedStore, { pick, is }: Chance, name: string): void {
  const before = store.get('Node', '', name)
  const taints = [...KEYS, 'own']
    .filter(() => is(0.2))
    .map((key) => ({ key, effect: pick(['NoSchedule', 'NoExecute']) }))
  const conditions = ['Ready', 'MemoryPressure', 'DiskPressure']
    .filter(() => is(0.7))
    .map((type) => ({ type, status: pick(['True', 'True', 'False', 'Unknown']) }))
  store.put({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      ...before?.metadata,
      name,
      labels: {
        'topology.kubernetes.io/zone': pick(['x', 'x', 'y']),
        ...(is(0.2) && { 'node.kubernetes.io/exclude-disruption': '' }),
        'kubernetes.io/os': 'linux',
      },
    },
    spec: { taints, unschedulable: is(0.2) },
    status: { conditions },
  })
}

const ENDLESS = [undefined, 0, 30, 400]

function putPod(store: SimulatedStore, { pick, is, int }: Chance, name: string): void {
  const tolerations = Array.from({ length: int(3) }, () => ({
    ...pick([{ operator: 'Exists' }, { key: pick(KEYS), operator: 'Exists' }, { key: 'own', effect: 'NoExecute' }]),
    ...(is(0.5) && { tolerationSeconds: pick(ENDLESS) }),
  }))
  const isLeaving = is(0.2)
  store.put({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'a',
      ...(is(0.2) && { finalizers: [HELD] }),
      ...(isLeaving && { deletionTimestamp: timeText(START_MS - 60_000), deletionGracePeriodSeconds: pick([0, 30]) }),
    },
    spec: { containers: [], ...(is(0.8) && { nodeName: pick([...NAMES, 'gone']) }), tolerations },
    status: {
      phase: pick(['Pending', 'Running', 'Running', 'Succeeded']),
      conditions: [{ type: 'Ready', status: pick(['True', 'False']) }],
    },
  })
}

/** Kubelets that live show it, for ever; every other one is silent. */
function beat({ store, chance, clock }: SimulatedCluster): ReadonlySet<string> {
  const alive = new Set(NAMES.filter(() => chance.is(0.6)))
  const renew = (): void => {
    for (const name of alive) {
      const spec = { renewTime: timeText(clock.nowMs()) }
      const metadata = { name, namespace: LEASES }
      store.put({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec })
    }
    clock.after(10_000, renew)
  }
  renew()
  return alive
}

function others(store: SimulatedStore, chance: Chance): (() => void)[] {
  const { pick, is, int } = chance
  const deed = (): void => {
    const name = pick(NAMES)
    const node = store.get('Node', '', name)
    if (node !== undefined && is(0.3)) store.remove(refOf(node))
    else if (node !== undefined && is(0.5)) putNode(store, chance, name)
    else putPod(store, chance, `late-${int(9)}`)
  }
  return Array.from({ length: int(6) }, () => deed)
}

/** Kubelets that live end their pods. */
const kubelets = (store: SimulatedStore, alive: ReadonlySet<string>) => (): (() => void)[] =>
  store
    .of<Pod>('Pod')
    .filter(({ metadata, spec }) => {
      const isEnding = metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds !== 0
      return isEnding && alive.has(spec.nodeName ?? '') && store.get('Node', '', spec.nodeName ?? '') !== undefined
    })
    .map((pod) => () => store.remove(refOf(pod), { gracePeriodSeconds: 0 }))

const taintsOf = (store: SimulatedStore, { spec }: Pod): readonly Taint[] =>
  (store.get<Node>('Node', '', spec.nodeName ?? '')?.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute')

const bearsAll = ({ spec }: Pod): boolean =>
  (spec.tolerations ?? []).length > 0 &&
  (spec.tolerations ?? []).every(({ key, tolerationSeconds }) => key === undefined && tolerationSeconds === undefined)

/** Nothing goes from a node that is there as long as it bears whatever the node has. */
function checkWrite(store: SimulatedStore, { verb, args: [ref] }: SimulatedWrite): void {
  if (verb !== 'remove') return
  const pod = store.get<Pod>('Pod', ref.namespace, ref.name)
  if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return
  const hasNode = store.get('Node', '', pod.spec.nodeName ?? '') !== undefined
  assert.ok(!(hasNode && bearsAll(pod)), `${ref.name} is deleted, and bears all taints of its node`)
}

function checkEnd(store: SimulatedStore, alive: ReadonlySet<string>): void {
  for (const { metadata, spec, status } of store.of<Node>('Node')) {
    const { name } = metadata
    const ready = conditionOf(status?.conditions, 'Ready')?.status
    if (!alive.has(name)) assert.equal(ready, 'Unknown', `${name} is silent`)
    const has = (key: string, effect: string): boolean =>
      spec?.taints?.some((taint) => taint.key === `node.kubernetes.io/${key}` && taint.effect === effect) === true
    assert.equal(has('not-ready', 'NoSchedule'), ready === 'False', `${name} not ready`)
    assert.equal(has('unreachable', 'NoSchedule'), ready === 'Unknown', `${name} unreachable`)
    assert.equal(has('unschedulable', 'NoSchedule'), spec?.unschedulable === true, `${name} unschedulable`)
    if (ready === 'True')
      assert.ok(!has('not-ready', 'NoExecute') && !has('unreachable', 'NoExecute'), `${name} evicts`)
  }
  for (const pod of store.of<Pod>('Pod')) {
    const { name, deletionTimestamp, finalizers = [] } = pod.metadata
    const isHeld = finalizers.includes(HELD)
    if (!isHeld && deletionTimestamp !== undefined)
      assert.ok(alive.has(pod.spec.nodeName ?? '') === false && pod.spec.nodeName !== undefined, `${name} lingers`)
    if (deletionTimestamp !== undefined) continue
    const { nodeName } = pod.spec
    const hasNode = nodeName === undefined || store.get('Node', '', nodeName) !== undefined
    assert.ok(hasNode, `${name} is on a node that is gone`)
    const taints = taintsOf(store, pod)
    const graceMs = taints.length === 0 ? Infinity : toleratedMs(pod.spec.tolerations ?? [], taints)
    assert.equal(graceMs, Infinity, `${name} does not bear the taints of its node`)
  }
}

const all = [
  nodeRegistry,
  nodeTaintController,
  taintEvictionController,
  nodeSilenceController,
  podGarbageCollector,
] as const

test('nodes and what is on them settle from any state, and a further run writes nothing', () =>
  forSeeds(5, async (seed) => {
    const cluster = simulateCluster(seed, kinds, START_MS)
    const { store, chance } = cluster
    for (const name of NAMES) if (chance.is(0.8)) putNode(store, chance, name)
    for (let at = chance.int(6); at >= 0; at--) putPod(store, chance, `p${at}`)
    const alive = beat(cluster)
    const keep = (options: RunOptions): Promise<readonly string[]> =>
      cluster.run((bench) => all.map((controller) => controller(bench)), {
        quietMs: 900_000,
        world: kubelets(store, alive),
        onWrite: (write) => checkWrite(store, write),
        ...options,
      })
    await keep({ faults: chance.int(4), others: others(store, chance) })
    checkEnd(store, alive)
    assert.deepEqual(await keep({}), [])
  }))
