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
import { type KubeObject, refOf } from '../../../lib/kube/object.ts'
import { conditionOf } from '../meta.ts'
import { namespaceController } from './controller.ts'
import type { Namespace } from './decide.ts'

const contents = [
  servedKind('v1', 'Pod', 'pods'),
  servedKind('v1', 'ServiceAccount', 'serviceaccounts'),
  servedKind('v1', 'ConfigMap', 'configmaps'),
  servedKind('example.com/v1', 'Thing', 'things'),
  servedKind('example.com/v2', 'Thing', 'things'),
]
const kinds = [servedKind('v1', 'Namespace', 'namespaces', false), ...contents]
const NAMES = ['a', 'b', 'c']
const HELD = 'example.com/held'
const LEFT = { deletionTimestamp: '2026-11-23T03:59:00Z', deletionGracePeriodSeconds: 0 }

function begin(store: SimulatedStore, chance: Chance): void {
  const { pick, is, int } = chance
  for (const name of NAMES) {
    const isLeaving = is(0.5)
    const stale = { type: pick(['NamespaceContentRemaining', 'Mine']), status: 'True', reason: 'x', message: 'y' }
    store.put({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, ...(isLeaving && LEFT) },
      spec: { finalizers: pick([['kubernetes'], ['kubernetes'], ['kubernetes', HELD], [HELD]]) },
      status: { phase: isLeaving ? 'Terminating' : 'Active', ...(is(0.3) && { conditions: [stale] }) },
    })
    for (let at = int(5); at > 0; at--) putContent(store, chance, name, `o${at}`)
  }
}

function putContent(store: SimulatedStore, { pick, is }: Chance, namespace: string, name: string): void {
  const { apiVersion, kind } = pick(contents)
  const isHeld = is(0.25)
  store.put({
    apiVersion: kind === 'Thing' ? 'example.com/v1' : apiVersion,
    kind,
    metadata: {
      name: pick([name, kind === 'ConfigMap' ? 'kube-root-ca.crt' : kind === 'ServiceAccount' ? 'default' : name]),
      namespace,
      ...(isHeld && { finalizers: [HELD], ...(is(0.3) && LEFT) }),
    },
    ...(kind === 'Pod' && {
      spec: { containers: [], ...(is(0.7) && { nodeName: 'n' }), terminationGracePeriodSeconds: pick([0, 30, 90]) },
      status: { phase: pick(['Running', 'Succeeded']) },
    }),
    ...(kind === 'ConfigMap' && { data: pick([{}, { 'ca.crt': 'CA' }, { 'ca.crt': 'old', more: 'x' }]) }),
  })
}

const within = (store: SimulatedStore, namespace: string): KubeObject[] =>
  ['Pod', 'ServiceAccount', 'ConfigMap', 'Thing'].flatMap((kind) => store.of(kind, namespace))

/** People delete namespaces and what is in them, and let go what they held. */
function others(store: SimulatedStore, chance: Chance): (() => void)[] {
  const { pick, is, int } = chance
  const deed = (): void => {
    const name = pick(NAMES)
    const namespace = store.get('Namespace', '', name)
    if (namespace !== undefined && is(0.2)) store.remove(refOf(namespace))
    if (namespace === undefined && is(0.5))
      store.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: { finalizers: ['kubernetes'] } })
    const content = within(store, name)
    if (content.length === 0) return
    const object = pick(content)
    if (is(0.5)) store.remove(refOf(object))
    else store.put({ ...object, metadata: { ...object.metadata, finalizers: [] } })
  }
  return Array.from({ length: int(6) }, () => deed)
}

/** What kubelets do: pods that are to end have ended. */
const kubelets = (store: SimulatedStore) => (): (() => void)[] =>
  store
    .of('Pod')
    .filter(({ metadata }) => metadata.deletionTimestamp && (metadata.deletionGracePeriodSeconds ?? 0) > 0)
    .map((pod) => () => store.remove(refOf(pod), { gracePeriodSeconds: 0 }))

/** Nothing is deleted but in a namespace that ends. */
function checkWrite(store: SimulatedStore, { verb, args: [ref] }: SimulatedWrite): void {
  if (verb !== 'remove') return
  const namespace = store.get('Namespace', '', ref.namespace)
  const isEnding = namespace === undefined || namespace.metadata.deletionTimestamp !== undefined
  assert.ok(isEnding, `${ref.kind} ${ref.name} is deleted, and its namespace is there`)
}

function checkEnd(store: SimulatedStore): void {
  for (const name of NAMES)
    if (store.get('Namespace', '', name) === undefined) assert.deepEqual(within(store, name), [], `${name} is gone`)
  for (const namespace of store.of<Namespace>('Namespace')) {
    const { metadata, spec, status } = namespace
    const left = within(store, metadata.name)
    if (metadata.deletionTimestamp === undefined) {
      assert.ok(store.get('ServiceAccount', metadata.name, 'default'), `${metadata.name} has no account`)
      const data = store.get('ConfigMap', metadata.name, 'kube-root-ca.crt')?.['data']
      assert.deepEqual(data, { 'ca.crt': 'CA' })
      continue
    }
    if (!spec?.finalizers?.includes('kubernetes')) continue
    const held = left.filter((object) => object.metadata.finalizers?.includes(HELD))
    assert.ok(held.length > 0, `${metadata.name} stays, and nothing is held in it`)
    const isGuarded = held.some(({ kind }) => kind === 'Pod')
    assert.deepEqual(isGuarded ? [] : left, isGuarded ? [] : held)
    if (!isGuarded) assert.equal(conditionOf(status?.conditions, 'NamespaceContentRemaining')?.status, 'True')
  }
}

test('namespaces settle from any state, and a further run writes nothing', () =>
  forSeeds(6, async (seed) => {
    const cluster = simulateCluster(seed, kinds, START_MS)
    const { store, chance } = cluster
    const keep = (options: RunOptions): Promise<readonly string[]> =>
      cluster.run((bench) => [namespaceController(bench)], {
        quietMs: 300_000,
        world: kubelets(store),
        onWrite: (write) => checkWrite(store, write),
        ...options,
      })
    begin(store, chance)
    await keep({ faults: chance.int(4), others: others(store, chance) })
    checkEnd(store)
    assert.deepEqual(await keep({}), [])
    for (const object of NAMES.flatMap((name) => within(store, name)))
      store.put({ ...object, metadata: { ...object.metadata, finalizers: [] } })
    await keep({})
    for (const { metadata, spec } of store.of<Namespace>('Namespace'))
      assert.ok(metadata.deletionTimestamp === undefined || spec?.finalizers?.join() === HELD, metadata.name)
  }))
