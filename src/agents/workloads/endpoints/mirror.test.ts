import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideMirror, type Endpoints, type MirrorSlice } from './mirror.ts'

const service = (spec: Partial<Service['spec']> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'ext', namespace: 'a' },
  spec: { ports: [{ port: 80 }], ...spec },
})
const written = (subsets: Endpoints['subsets'], metadata: object = {}): Endpoints => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { name: 'ext', namespace: 'a', uid: 'e1', labels: { a: 'b' }, ...metadata },
  subsets: subsets ?? [],
})
const two = [
  {
    addresses: [{ ip: '10.1.2.3', hostname: 'h', nodeName: 'n9' }, { ip: 'fd00::1' }],
    notReadyAddresses: [{ ip: '10.1.2.5' }],
    ports: [{ name: 'a', port: 9090, protocol: 'TCP' }],
  },
  { notReadyAddresses: [{ ip: '10.1.2.9' }] },
]

/** Carries the writes out, so that the next look sees them. */
function after(slices: readonly MirrorSlice[], changes: readonly Write[]): MirrorSlice[] {
  const gone = new Set(changes.flatMap((write) => (write.do === 'delete' ? [write.object.metadata.name] : [])))
  const changed = new Map(
    changes.flatMap((write) => (write.do === 'replace' ? [[write.object.metadata.name, write.object]] : [])),
  )
  const kept = slices.filter(({ metadata }) => !gone.has(metadata.name))
  const made = changes.flatMap((write, at) =>
    write.do === 'create'
      ? [{ ...write.object, metadata: { ...write.object.metadata, name: `s${kept.length + at}` } }]
      : [],
  )
  return [...kept.map((slice) => changed.get(slice.metadata.name) ?? slice), ...made] as MirrorSlice[]
}

/** What stands in the end; a second look must change nothing. */
function settled(
  endpoints: Endpoints | undefined,
  of: Service | undefined,
  slices: readonly MirrorSlice[] = [],
): MirrorSlice[] {
  const first = decideMirror({ endpoints, service: of, slices })
  const then = first.kind === 'act' ? after(slices, first.changes) : [...slices]
  const again = decideMirror({ endpoints, service: of, slices: then })
  assert.deepEqual(again.kind === 'done' && again.status.filter((write) => write.do !== 'tell'), [])
  return then
}

test('addresses become slices by family and ports, as the real controller writes them', () => {
  const annotations = { x: 'y', 'kubectl.kubernetes.io/last-applied-configuration': '{}' }
  const slices = settled(written(two, { annotations }), service())
  assert.deepEqual(
    slices.map(({ addressType, endpoints, ports }) => ({ addressType, endpoints, ports })),
    [
      {
        addressType: 'IPv4',
        endpoints: [
          { addresses: ['10.1.2.3'], conditions: { ready: true }, hostname: 'h', nodeName: 'n9' },
          { addresses: ['10.1.2.5'], conditions: { ready: false } },
        ],
        ports: [{ name: 'a', port: 9090, protocol: 'TCP' }],
      },
      {
        addressType: 'IPv6',
        endpoints: [{ addresses: ['fd00::1'], conditions: { ready: true } }],
        ports: [{ name: 'a', port: 9090, protocol: 'TCP' }],
      },
      { addressType: 'IPv4', endpoints: [{ addresses: ['10.1.2.9'], conditions: { ready: false } }], ports: null },
    ],
  )
  const { labels, annotations: copied, generateName, ownerReferences } = slices[0]?.metadata ?? {}
  assert.deepEqual([copied, generateName, ownerReferences?.[0]?.kind], [{ x: 'y' }, 'ext-', 'Endpoints'])
  assert.deepEqual(labels, {
    a: 'b',
    'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
    'kubernetes.io/service-name': 'ext',
  })
})

test('ports that other hosts offer as well have slices of their own', () => {
  const b = { name: 'b', port: 9091, protocol: 'UDP' }
  const subsets = [
    { addresses: [{ ip: '10.1.2.3' }], ports: [{ name: 'a', port: 9090 }, b] },
    { addresses: [{ ip: '10.1.2.9' }], ports: [{ name: 'a', port: 1 }, b] },
  ]
  const shown = settled(written(subsets), service()).map(({ ports, endpoints }) => [ports, endpoints?.length])
  assert.deepEqual(shown, [
    [[{ name: 'a', port: 9090, protocol: 'TCP' }], 1],
    [[b], 2],
    [[{ name: 'a', port: 1, protocol: 'TCP' }], 1],
  ])
})

test('a slice is kept and changed, and goes with its addresses', () => {
  const before = settled(written(two), service())
  const moved = settled(written([{ addresses: [{ ip: '10.9.9.9' }], ports: [{ port: 1 }] }]), service(), before)
  assert.deepEqual([moved.length, moved[0]?.metadata.name], [1, before[0]?.metadata.name])
  assert.deepEqual(settled(written([]), service(), moved), [])
})

test('slices of Endpoints that were made anew become theirs, and go when there are none', () => {
  const before = settled(written(two), service())
  const anew = settled(written(two, { uid: 'e2' }), service(), before)
  assert.deepEqual(
    anew.map(({ metadata }) => [metadata.name, metadata.ownerReferences?.[0]?.uid]),
    before.map(({ metadata }) => [metadata.name, 'e2']),
  )
  assert.deepEqual(settled(undefined, service(), anew), [])
})

test('a slice that goes already is not deleted again', () => {
  const slices = settled(written(two), service()).map((slice) => ({
    ...slice,
    metadata: { ...slice.metadata, deletionTimestamp: 'now' },
  }))
  assert.deepEqual(decideMirror({ endpoints: undefined, service: undefined, slices }), { kind: 'done', status: [] })
})

const unmirrored: [it: string, endpoints: Endpoints, service: Service | undefined][] = [
  ['without a Service', written(two), undefined],
  ['of a Service with a selector', written(two), service({ selector: { app: 'x' } })],
  ['that say so', written(two, { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }), service()],
  ['of a leader', written(two, { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } }), service()],
]
for (const [it, endpoints, of] of unmirrored)
  test(`Endpoints ${it} have no slices`, () => {
    assert.deepEqual(settled(endpoints, of, settled(written(two), service())), [])
  })

test('of a subset a thousand addresses are mirrored, those that are ready first, and it is told how many are not', () => {
  const ips = (count: number, net: string) =>
    Array.from({ length: count }, (_, at) => ({ ip: `${net}.${at >> 8}.${at & 255}` }))
  const v6 = Array.from({ length: 5 }, (_, at) => ({ ip: `fd00::${at + 1}` }))
  const many = written([
    { addresses: [...ips(600, '10.1'), ...v6], notReadyAddresses: ips(400, '10.2'), ports: [{ port: 1 }] },
  ])
  const slices = settled(many, service())
  const counts = slices.map(({ addressType, endpoints }) => [addressType, endpoints?.length])
  assert.deepEqual(counts, [
    ['IPv4', 995],
    ['IPv6', 5],
  ])
  const decision = decideMirror({ endpoints: many, service: service(), slices })
  const told = decision.kind === 'done' ? decision.status : []
  assert.deepEqual(
    told.map((write) => write.do === 'tell' && [write.tell.reason, write.tell.message]),
    [
      [
        'TooManyAddressesToMirror',
        'A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. 5 addresses were skipped',
      ],
    ],
  )
})
