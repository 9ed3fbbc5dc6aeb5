import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packSlices } from './packing.ts'
import type { Endpoint, EndpointSlice, SlicePort } from './slice.ts'

const HTTP: readonly SlicePort[] = [{ name: 'http', protocol: 'TCP', port: 80 }]
const ADMIN: readonly SlicePort[] = [{ name: 'admin', protocol: 'TCP', port: 81 }]

const endpoint = (number: number, ready = true): Endpoint => ({
  addresses: [`10.0.${Math.floor(number / 250)}.${number % 250}`],
  conditions: { ready, serving: ready, terminating: false },
  targetRef: { kind: 'Pod', namespace: 'a', name: `p${number}`, uid: `p${number}` },
})
const range = (from: number, to: number): Endpoint[] =>
  Array.from({ length: Math.max(to - from, 0) }, (_, at) => endpoint(from + at))
const slice = (name: string, endpoints: readonly Endpoint[], ports = HTTP): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name },
  addressType: 'IPv4',
  endpoints,
  ports,
})

/** How many endpoints each slice is to hold, `*` for those that are written. */
function pack(endpoints: readonly Endpoint[], present: readonly EndpointSlice[], stale: readonly string[] = []) {
  const groups = endpoints.length === 0 ? [] : [{ ports: HTTP, endpoints }]
  const { packed, unneeded } = packSlices(groups, present, ({ metadata }) => stale.includes(metadata.name))
  const held = packed.map(({ slice: into, endpoints: held }) => {
    const isWritten = into === undefined || JSON.stringify(into.endpoints) !== JSON.stringify(held)
    return `${into?.metadata.name ?? 'new'}:${held.length}${isWritten ? '*' : ''}`
  })
  return [...held, ...unneeded.map(({ metadata }) => `-${metadata.name}`)].join(' ')
}

// what the reconciler of Kubernetes 1.37 does with the same
const cases: { it: string; endpoints: readonly Endpoint[]; present: readonly EndpointSlice[]; want: string }[] = [
  { it: 'makes full slices', endpoints: range(0, 250), present: [], want: 'new:100* new:100* new:50*' },
  { it: 'has an empty one where there is nothing', endpoints: [], present: [], want: 'new:0*' },
  { it: 'keeps the empty one', endpoints: [], present: [slice('a', [], [])], want: 'a:0' },
  { it: 'fills the empty one first', endpoints: range(0, 2), present: [slice('a', [], [])], want: 'a:2*' },
  {
    it: 'leaves other slices alone where endpoints of one are gone',
    endpoints: range(10, 250),
    present: [slice('a', range(0, 100)), slice('b', range(100, 200)), slice('c', range(200, 250))],
    want: 'a:90* b:100 c:50',
  },
  {
    it: 'puts new ones into a slice that is written anyhow',
    endpoints: [...range(10, 150), ...range(300, 305)],
    present: [slice('a', range(0, 100)), slice('b', range(100, 150))],
    want: 'a:95* b:50',
  },
  {
    it: 'puts new ones into the fullest slice that has room for all',
    endpoints: [...range(0, 160), ...range(300, 310)],
    present: [slice('a', range(0, 60)), slice('b', range(60, 155)), slice('c', range(155, 160))],
    want: 'a:70* b:95 c:5',
  },
  {
    it: 'makes a new one where none has room for all',
    endpoints: [...range(0, 190), ...range(300, 330)],
    present: [slice('a', range(0, 95)), slice('b', range(95, 190))],
    want: 'a:95 b:95 new:30*',
  },
  {
    it: 'deletes a slice whose endpoints are gone',
    endpoints: range(0, 100),
    present: [slice('a', range(0, 100)), slice('b', range(100, 110))],
    want: 'a:100 -b',
  },
  {
    it: 'makes a new one of a slice whose endpoints are gone',
    endpoints: range(200, 210),
    present: [slice('a', range(0, 100))],
    want: 'a:10*',
  },
  {
    it: 'makes slices of ports that nobody has any more those of others',
    endpoints: range(0, 5),
    present: [slice('a', range(0, 5), ADMIN)],
    want: 'a:5',
  },
]
for (const { it, endpoints, present, want } of cases)
  test(`packing ${it}`, () => assert.equal(pack(endpoints, present), want))

test('packing takes an endpoint as it is now, in the slice in which it is', () => {
  const { packed } = packSlices(
    [{ ports: HTTP, endpoints: [endpoint(1, false)] }],
    [slice('a', [endpoint(1)])],
    () => false,
  )
  assert.deepEqual(packed[0]?.endpoints, [endpoint(1, false)])
})

test('packing fills what is written for its labels', () => {
  const present = [slice('a', range(0, 60)), slice('b', range(60, 155))]
  assert.equal(pack([...range(0, 155), ...range(300, 303)], present, ['a']), 'a:63* b:95')
  assert.equal(pack([...range(0, 155), ...range(300, 303)], present), 'a:60 b:98*')
})
