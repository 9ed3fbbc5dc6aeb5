import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controlledBy } from '../meta.ts'
import type { Pod, Service } from '../shapes.ts'
import { decideService, type ServiceSeen } from './decide.ts'
import type { EndpointSlice } from './slice.ts'

const service: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'a', uid: 's', creationTimestamp: '2026-11-23T00:00:00Z' },
  spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'web' }], clusterIP: '10.0.0.1' },
}
const pod = (name: string, ip: string, isReady = true, deletionTimestamp?: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'a', uid: name, ...(deletionTimestamp !== undefined && { deletionTimestamp }) },
  spec: { nodeName: 'n', containers: [{ name: 'c', ports: [{ name: 'web', containerPort: 8080 }] }] },
  status: {
    phase: 'Running',
    podIP: ip,
    podIPs: [{ ip }],
    conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
  },
})
const see = (pods: Pod[], rest: Partial<ServiceSeen> = {}): ServiceSeen => ({
  service,
  pods,
  nodeNamed: (name) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } }),
  zoneShares: () => undefined,
  hadTopologyMode: false,
  slices: [],
  endpoints: undefined,
  triggerMs: Date.parse('2026-11-23T01:00:00Z'),
  ...rest,
})
function sliceOf(seen: ServiceSeen): EndpointSlice {
  const decision = decideService(seen)
  assert.ok(decision.kind === 'act')
  const write = decision.changes.find((one) => 'object' in one && one.object.kind === 'EndpointSlice')
  assert.ok(write && 'object' in write)
  return write.object as EndpointSlice
}

test('ready, unready and leaving pods are told apart', () => {
  const slice = sliceOf(
    see([pod('a', '10.1.0.1'), pod('b', '10.1.0.2', false), pod('c', '10.1.0.3', true, '2026-11-23T00:30:00Z')]),
  )
  assert.deepEqual(
    slice.endpoints?.map(({ addresses, conditions: { ready, serving, terminating } }) => [
      addresses[0],
      ready,
      serving,
      terminating,
    ]),
    [
      ['10.1.0.1', true, true, false],
      ['10.1.0.2', false, false, false],
      ['10.1.0.3', false, true, true],
    ],
  )
  assert.deepEqual(slice.ports, [{ name: 'http', protocol: 'TCP', port: 8080 }])
})

test('whether a Service is headless is not for its labels to say', () => {
  const HEADLESS = 'service.kubernetes.io/headless'
  const labelsFor = (clusterIP: string): unknown[] => {
    const metadata = { ...service.metadata, labels: { a: 'b', [HEADLESS]: 'said' } }
    const decision = decideService(see([], { service: { ...service, metadata, spec: { ...service.spec, clusterIP } } }))
    assert.ok(decision.kind === 'act')
    return decision.changes.flatMap((write) =>
      write.do === 'create' ? [write.object.metadata.labels?.[HEADLESS]] : [],
    )
  }
  assert.deepEqual(labelsFor('10.0.0.1'), [undefined, undefined])
  assert.deepEqual(labelsFor('None'), ['', ''])
})

test('what is right already is not written', () => {
  const first = decideService(see([pod('a', '10.1.0.1')]))
  assert.ok(first.kind === 'act')
  const objects = first.changes.flatMap((write) => (write.do === 'create' ? [write.object] : []))
  const slices = [
    { ...objects[0], metadata: { ...objects[0]?.metadata, name: 'web-x', ownerReferences: [controlledBy(service)] } },
  ] as unknown as EndpointSlice[]
  assert.equal(decideService(see([pod('a', '10.1.0.1')], { slices, endpoints: objects[1] })).kind, 'done')
  const changed = decideService(see([pod('a', '10.1.0.9')], { slices, endpoints: objects[1] }))
  assert.ok(changed.kind === 'act')
  assert.deepEqual(
    changed.changes.map((write) => write.do),
    ['replace', 'replace'],
  )
})

test('a slice of nothing that only gets another label keeps its lists as they are', () => {
  const metadata = { name: 'web-x', namespace: 'a', labels: { old: '' }, ownerReferences: [controlledBy(service)] }
  const present = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, addressType: 'IPv4' }
  const slices = [{ ...present, endpoints: null, ports: null }] as unknown as EndpointSlice[]
  const { endpoints, ports } = sliceOf(see([], { slices }))
  assert.deepEqual({ endpoints, ports }, { endpoints: null, ports: null })
})

const former = { ...controlledBy(service), uid: 'former' }
const strangers: { it: string; slice: Partial<EndpointSlice>; want: string[] }[] = [
  { it: 'of a family that the Service has no more goes', slice: { addressType: 'IPv6' }, want: ['delete'] },
  {
    it: 'of the Service before goes',
    slice: { metadata: { name: 'x', ownerReferences: [former] } },
    want: ['create', 'delete'],
  },
  {
    it: 'that goes already is left alone',
    slice: { metadata: { name: 'x', ownerReferences: [controlledBy(service)], deletionTimestamp: 'now' } },
    want: ['create'],
  },
]
for (const { it, slice, want } of strangers)
  test(`a slice ${it}`, () => {
    const first = decideService(see([pod('a', '10.1.0.1')]))
    assert.ok(first.kind === 'act')
    const [made, endpoints] = first.changes.flatMap((write) => (write.do === 'create' ? [write.object] : []))
    const present = { ...made, metadata: { ...made?.metadata, name: 'web-1' } } as EndpointSlice
    const other = { ...present, ...slice }
    const slices = want.includes('create') ? [other] : [present, other]
    const then = decideService(see([pod('a', '10.1.0.1')], { slices, endpoints }))
    assert.ok(then.kind === 'act')
    assert.deepEqual(
      then.changes.map((write) => write.do),
      want,
    )
  })

test('a Service that is deleted keeps its slices up to date and gets no new ones', () => {
  const leaving = { ...service, metadata: { ...service.metadata, deletionTimestamp: 'now' } }
  const decided = decideService(see([pod('a', '10.1.0.1')], { service: leaving }))
  assert.ok(decided.kind === 'act')
  assert.deepEqual(
    decided.changes.map((write) => write.do === 'create' && write.object.kind),
    ['Endpoints'],
  )
})

test('more than a hundred pods are spread over slices', () => {
  const pods = Array.from({ length: 230 }, (_, i) => pod(`p${i}`, `10.1.${i >> 8}.${i & 255}`))
  const decision = decideService(see(pods))
  assert.ok(decision.kind === 'act')
  const sizes = decision.changes.flatMap((write) =>
    write.do === 'create' && write.object.kind === 'EndpointSlice'
      ? [(write.object as EndpointSlice).endpoints?.length]
      : [],
  )
  assert.deepEqual(sizes, [100, 100, 30])
})

test('a Service without a selector is left to its owner', () => {
  const { selector: _selector, ...spec } = service.spec
  assert.deepEqual(decideService(see([], { service: { ...service, spec } })), { kind: 'done', status: [] })
})

test('slices that are refused are told and tried again, but not in a namespace that ends', () => {
  const refused = decideService({ ...see([pod('a', '10.1.0.1')]), failure: 'no!' })
  assert.ok(refused.kind === 'wait')
  const [write] = refused.status
  assert.equal(
    write?.do === 'tell' && write.tell.message,
    'Error updating Endpoint Slices for Service a/web: failed to create EndpointSlice for Service a/web: no!',
  )
  const failure = 'unable to create new content in namespace a because it is being terminated'
  assert.deepEqual(decideService({ ...see([pod('a', '10.1.0.1')]), failure }), { kind: 'done', status: [] })
})

const AUTO = { 'service.kubernetes.io/topology-mode': 'Auto' }
const INSUFFICIENT =
  'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes, addressType: IPv4'
const zones = new Map([
  ['n', 0.5],
  ['m', 0.5],
])
const inMode = { ...service, metadata: { ...service.metadata, annotations: AUTO } }
const inZones = {
  nodeNamed: (name: string) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'topology.kubernetes.io/zone': name } },
  }),
  zoneShares: () => zones,
}
const two = [pod('a', '10.1.0.1'), { ...pod('b', '10.1.0.2'), spec: { ...pod('b', '').spec, nodeName: 'm' } }]
const toldBy = (seen: ServiceSeen): string[] => {
  const decision = decideService(seen)
  const writes = decision.kind === 'act' ? decision.changes : decision.status
  return writes.flatMap((write) => (write.do === 'tell' ? [`${write.tell.reason}: ${write.tell.message}`] : []))
}

test('hints come and go with the mode of the Service, and what keeps them away is told', () => {
  const seen = see(two, { ...inZones, service: inMode })
  const slice = sliceOf(seen)
  assert.deepEqual(
    slice.endpoints?.map(({ hints }) => hints?.forZones?.map(({ name }) => name)),
    [['n'], ['m']],
  )
  assert.deepEqual(toldBy(seen), [
    'TopologyAwareHintsEnabled: Topology Aware Hints has been enabled, addressType: IPv4',
  ])
  const own = { ...slice, metadata: { ...slice.metadata, name: 'web-1' } }
  const gone = see(two, { ...inZones, slices: [own], hadTopologyMode: true })
  assert.deepEqual(toldBy(gone), [
    'TopologyAwareHintsDisabled: Topology Aware Hints has been disabled, addressType: IPv4',
  ])
  assert.equal(sliceOf(gone).endpoints?.[0]?.hints, undefined)
  assert.deepEqual(toldBy({ ...gone, hadTopologyMode: false }), [])
  const unknown = see(two, { service: inMode })
  const plain = sliceOf(unknown)
  const settled = decideService({ ...unknown, slices: [{ ...plain, metadata: { ...plain.metadata, name: 'web-1' } }] })
  assert.equal(settled.kind, 'act', 'the Endpoints object is still missing')
  const writes = settled.kind === 'act' ? settled.changes : []
  const endpoints = writes.flatMap((write) => (write.do === 'create' ? [write.object] : []))[0]
  const slices = [{ ...plain, metadata: { ...plain.metadata, name: 'web-1' } }]
  assert.deepEqual(toldBy({ ...unknown, slices, endpoints }), [`TopologyAwareHintsDisabled: ${INSUFFICIENT}`])
})
