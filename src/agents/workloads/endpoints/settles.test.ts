import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Chance,
  forSeeds,
  type RunOptions,
  servedKind,
  simulateCluster,
  START_MS,
} from '../../../../tests/support/simulated-cluster.ts'
import type { SimulatedStore } from '../../../../tests/support/simulated-store.ts'
import { type KubeObject, refOf } from '../../../lib/kube/object.ts'
import { conditionOf } from '../meta.ts'
import type { Pod, Service } from '../shapes.ts'
import { endpointsController } from './controller.ts'
import type { Endpoints } from './mirror.ts'
import { mirrorController } from './mirror-controller.ts'
import type { Endpoint, EndpointSlice } from './slice.ts'

const kinds = [
  servedKind('v1', 'Service', 'services'),
  servedKind('v1', 'Pod', 'pods'),
  servedKind('v1', 'Node', 'nodes', false),
  servedKind('v1', 'Endpoints', 'endpoints'),
  servedKind('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'),
]
const NAMES = ['s0', 's1', 's2']

function service({ pick, is }: Chance, name: string): KubeObject {
  const ports = [
    { name: 'web', port: 80, targetPort: pick([8080, 'http', 0]), protocol: 'TCP' },
    { name: 'more', port: 81, targetPort: pick([9090, 'more']), protocol: 'TCP' },
  ]
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'a', ...(is(0.3) && { labels: { team: pick(['x', 'y']) } }) },
    spec: {
      ...(is(0.8) && { selector: pick([{ app: 'x' }, { app: 'y' }, { tier: 't' }]) }),
      type: pick(['ClusterIP', 'ClusterIP', 'ClusterIP', 'ExternalName']),
      clusterIP: pick(['10.96.0.9', 'None']),
      ipFamilies: pick([['IPv4'], ['IPv4'], ['IPv6', 'IPv4']]),
      ports: pick([ports, ports.slice(1), []]),
      publishNotReadyAddresses: is(0.2),
    },
  }
}

function pod({ pick, is, int }: Chance, name: string): KubeObject {
  const ip = `10.0.0.${int(5)}`
  const containers = [{ name: 'c', ports: [{ name: 'http', containerPort: pick([8000, 8001]) }] }]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'a',
      labels: { app: pick(['x', 'y']), tier: pick(['t', 'u']) },
      ...(is(0.2) && { deletionTimestamp: '2026-11-23T03:59:59Z', deletionGracePeriodSeconds: 30 }),
    },
    spec: { containers, nodeName: pick(['n0', 'n1', 'gone']) },
    status: {
      phase: pick(['Pending', 'Running', 'Running', 'Running', 'Succeeded', 'Failed']),
      ...(is(0.8) && { podIP: ip, podIPs: [{ ip }, ...(is(0.3) ? [{ ip: `fd00::${int(5)}` }] : [])] }),
      conditions: [{ type: 'Ready', status: pick(['True', 'True', 'False', 'Unknown']) }],
    },
  }
}

/** A slice of anybody's: of a Service that is there, of the one before it, of Endpoints, or of nobody. */
function slice(store: SimulatedStore, { pick, is, int }: Chance, name: string): KubeObject {
  const kind = pick(['Service', 'Service', 'Endpoints'])
  const owner = pick(NAMES)
  const uid = is(0.8) ? store.get(kind, 'a', owner)?.metadata.uid : 'former'
  const manager = kind === 'Service' ? 'endpointslice-controller.k8s.io' : 'endpointslicemirroring-controller.k8s.io'
  const of = { apiVersion: 'v1', kind, name: owner, uid: uid ?? 'former', controller: true }
  const endpoint = { addresses: [`10.0.0.${int(9)}`], conditions: { ready: is(0.5) }, nodeName: 'n0' }
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      namespace: 'a',
      labels: { 'kubernetes.io/service-name': owner, 'endpointslice.kubernetes.io/managed-by': manager },
      ...(is(0.8) && { ownerReferences: [of] }),
      ...(is(0.1) && { finalizers: ['held'], deletionTimestamp: '2026-11-23T03:00:00Z' }),
    },
    addressType: pick(['IPv4', 'IPv4', 'IPv6']),
    endpoints: pick([null, [], [endpoint], [endpoint, endpoint]]),
    ports: pick([null, [], [{ name: 'web', protocol: 'TCP', port: 8080 }]]),
  }
}

function endpoints({ pick, is, int }: Chance, name: string): KubeObject {
  const subset = { addresses: [{ ip: `10.1.0.${int(3)}` }], ports: [{ name: 'web', port: 8080, protocol: 'TCP' }] }
  const isOurs = { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' }
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name, namespace: 'a', labels: pick<Record<string, string>>([{}, isOurs, { team: 'z' }]) },
    subsets: pick([undefined, [], [subset], [subset, { notReadyAddresses: [{ ip: 'fd00::1' }] }]]),
    ...(is(0.1) && { unread: true }),
  }
}

const node = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'topology.kubernetes.io/zone': `z-${name}` } },
})

function begin(store: SimulatedStore, chance: Chance): void {
  for (const name of ['n0', 'n1']) if (chance.is(0.8)) store.put(node(name))
  for (const name of NAMES) if (chance.is(0.8)) store.put(service(chance, name))
  for (const name of NAMES) if (chance.is(0.5)) store.put(endpoints(chance, name))
  for (let at = chance.int(6); at >= 0; at--) store.put(pod(chance, `p${at}`))
  for (let at = chance.int(4); at >= 0; at--) store.put(slice(store, chance, `e${at}`))
}

/** What others do meanwhile: Services, pods and nodes come, change and go; somebody meddles with what is ours. */
function others(store: SimulatedStore, chance: Chance): (() => void)[] {
  const { pick, is, int } = chance
  const again = (made: KubeObject): void => {
    const before = store.get(made.kind, made.metadata.namespace ?? '', made.metadata.name)
    if (before !== undefined && is(0.4)) store.remove(refOf(before), { gracePeriodSeconds: 0 })
    else store.put({ ...made, metadata: { ...before?.metadata, ...made.metadata } })
  }
  const deeds = [
    () => again(service(chance, pick(NAMES))),
    () => again(pod(chance, `p${int(6)}`)),
    () => again(node(pick(['n0', 'n1']))),
    () => {
      const name = pick(NAMES)
      const found = store.get<Service>('Service', 'a', name)
      // as in Kubernetes, what is written for no Service, or into what is ours, stays for a while
      if (found !== undefined && !isSelecting(found)) again(endpoints(chance, name))
    },
    () => {
      const slices = store.of('EndpointSlice')
      if (slices.length === 0) return
      const { metadata } = pick(slices)
      again({ ...slice(store, chance, metadata.name), metadata })
    },
  ]
  return Array.from({ length: int(8) }, () => pick(deeds))
}

const isSelecting = ({ spec }: Service): boolean => spec.selector !== undefined && spec.type !== 'ExternalName'

/** Who answers for a Service, by address: told by the documented rule alone. */
function answering(store: SimulatedStore, of: Service, family: string, listed: 'slices' | 'endpoints'): string[] {
  const all = of.spec.publishNotReadyAddresses === true
  return store.of<Pod>('Pod').flatMap(({ metadata, spec, status }) => {
    const isSelected = Object.entries(of.spec.selector ?? {}).every(([key, value]) => metadata.labels?.[key] === value)
    const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed'
    const ip = status?.podIPs?.find((each) => each.ip.includes(':') === (family === 'IPv6'))?.ip
    if (!isSelected || isOver || ip === undefined) return []
    const isLeaving = metadata.deletionTimestamp !== undefined
    if (listed === 'slices' && !all && store.get('Node', '', spec.nodeName ?? '') === undefined) return []
    if (listed === 'endpoints' && isLeaving && !all) return []
    const isServing = conditionOf(status?.conditions, 'Ready')?.status === 'True'
    return [`${ip} of ${metadata.name} ${all || (isServing && !isLeaving) ? 'ready' : 'not ready'}`]
  })
}

/** Slices that say that they are of a Service, and stay. */
const slicesOf = (store: SimulatedStore, name: string, manager: string): EndpointSlice[] =>
  store.of<EndpointSlice>('EndpointSlice').filter(({ metadata: { labels, deletionTimestamp } }) => {
    const isTheirs = labels?.['kubernetes.io/service-name'] === name
    return isTheirs && labels['endpointslice.kubernetes.io/managed-by'] === manager && deletionTimestamp === undefined
  })

const told = ({ addresses, conditions, targetRef }: Endpoint): string =>
  `${addresses.join()} of ${targetRef?.name} ${conditions.ready ? 'ready' : 'not ready'}`

function checkSlices(store: SimulatedStore, each: Service): void {
  const { name, uid } = each.metadata
  const slices = slicesOf(store, name, 'endpointslice-controller.k8s.io')
  const families = each.spec.ipFamilies ?? []
  for (const { addressType, metadata } of slices) {
    assert.ok(families.includes(addressType), `${name} has a slice of ${addressType}`)
    assert.ok(
      metadata.ownerReferences?.some((owner) => owner.uid === uid),
      `${metadata.name} is not of ${name}`,
    )
  }
  for (const family of families) {
    const listed = slices.filter(({ addressType }) => addressType === family).flatMap((one) => one.endpoints ?? [])
    assert.deepEqual(listed.map(told).sort(), answering(store, each, family, 'slices').sort(), `${name} ${family}`)
  }
}

function checkEndpoints(store: SimulatedStore, each: Service): void {
  const { name } = each.metadata
  const { ports = [], clusterIP, ipFamilies: [family = 'IPv4'] = [] } = each.spec
  const list = store.get<Endpoints>('Endpoints', 'a', name)
  assert.ok(list, `${name} has no Endpoints`)
  const say = (isReady: string) => (address: { ip: string; targetRef?: Readonly<Record<string, string>> }) =>
    `${address.ip} of ${address.targetRef?.['name']} ${isReady}`
  const listed = (list.subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [] }) => [
    ...addresses.map(say('ready')),
    ...notReadyAddresses.map(say('not ready')),
  ])
  // no container has the port `more`
  const hasPorts = ports.length === 0 ? clusterIP === 'None' : ports.some(({ targetPort }) => targetPort !== 'more')
  assert.deepEqual(
    [...new Set(listed)].sort(),
    hasPorts ? answering(store, each, family, 'endpoints').sort() : [],
    name,
  )
}

/** Endpoints that people write are mirrored where the Service has no selector, and nowhere else. */
function checkMirror(store: SimulatedStore, name: string): void {
  const of = store.get<Service>('Service', 'a', name)
  const written = store.get<Endpoints>('Endpoints', 'a', name)
  const isMirrored = of !== undefined && of.spec.selector === undefined
  const wanted = (isMirrored ? (written?.subsets ?? []) : []).flatMap(({ addresses = [], notReadyAddresses = [] }) => [
    ...addresses.map(({ ip }) => `${ip} ready`),
    ...notReadyAddresses.map(({ ip }) => `${ip} not ready`),
  ])
  const mirrored = slicesOf(store, name, 'endpointslicemirroring-controller.k8s.io').flatMap(
    (one) => one.endpoints ?? [],
  )
  const listed = mirrored.map(
    ({ addresses, conditions }) => `${addresses[0]} ${conditions.ready ? 'ready' : 'not ready'}`,
  )
  assert.deepEqual(listed.sort(), wanted.sort(), `the mirror of ${name}`)
}

function checkEnd(store: SimulatedStore): void {
  for (const each of store.of<Service>('Service').filter(isSelecting)) {
    checkSlices(store, each)
    checkEndpoints(store, each)
  }
  for (const name of NAMES) {
    checkMirror(store, name)
    const isOrphaned = store.get('Service', 'a', name) === undefined && store.get('Endpoints', 'a', name) !== undefined
    assert.ok(!isOrphaned, `the Endpoints of ${name} are there`)
  }
}

test('slices settle from any state on who answers, and a further run writes nothing', () =>
  forSeeds(6, async (seed) => {
    const cluster = simulateCluster(seed, kinds, START_MS)
    const { store, chance } = cluster
    const keep = (options: RunOptions): Promise<readonly string[]> =>
      cluster.run((bench) => [endpointsController(bench), mirrorController(bench)], options)
    begin(store, chance)
    await keep({ faults: chance.int(4), others: others(store, chance) })
    checkEnd(store)
    assert.deepEqual(await keep({}), [])
  }))
