import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '../shapes.ts'
import type { Endpoint } from './slice.ts'
import { zoneSharesOf, zonesByTopology, type ZoneShares } from './topology.ts'

const endpoints = (zones: string): Endpoint[] =>
  [...zones].map((zone, at) => ({
    addresses: [`10.0.0.${at}`],
    conditions: { ready: zone !== '-', serving: zone !== '-', terminating: false },
    ...(zone !== '?' && { zone }),
    targetRef: { kind: 'Pod', namespace: 'a', name: `p${at}`, uid: `p${at}` },
  }))
const node = (zone: string, cpu: string, more: object = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: zone, labels: { ...(zone !== '' && { 'topology.kubernetes.io/zone': zone }), ...more } },
  status: { allocatable: { cpu }, conditions: [{ type: 'Ready', status: 'True' }] },
})
const EVEN = zoneSharesOf([node('a', '4'), node('b', '4'), node('c', '4')])

// Reasons and counts as kube-controller-manager v1.37.2 gives them; which of several zones takes an endpoint is any there, the first here.
const cases: { zones: string; shares: ZoneShares; want: string }[] = [
  { zones: 'aabbcc', shares: EVEN, want: 'aabbcc' },
  { zones: 'aabbcc-', shares: EVEN, want: 'aabbcc' },
  { zones: 'aaaabc', shares: EVEN, want: 'bcaabc' },
  { zones: 'ab', shares: EVEN, want: 'Insufficient number of endpoints (2 endpoints, 3 zones)' },
  {
    zones: 'abbcc',
    shares: EVEN,
    want: 'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (5 endpoints, 3 zones)',
  },
  {
    zones: 'abc?',
    shares: zoneSharesOf([node('a', '1'), node('b', '1')]),
    want: 'One or more endpoints do not have a zone specified',
  },
  {
    zones: 'abc',
    shares: undefined,
    want: 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes',
  },
]
for (const { zones, shares, want } of cases)
  test(`endpoints in the zones ${zones} are for ${want}`, () => {
    const found = zonesByTopology(endpoints(zones), shares)
    assert.equal(typeof found === 'string' ? found : [...found.values()].join(''), want)
  })

test('zones share by the processors of their nodes, if each of these says its zone', () => {
  const nodes = [
    node('a', '3'),
    node('a', '1'),
    node('b', '4000m'),
    node('', '8', { 'node-role.kubernetes.io/control-plane': '' }),
  ]
  assert.deepEqual(
    zoneSharesOf(nodes),
    new Map([
      ['a', 0.5],
      ['b', 0.5],
    ]),
  )
  assert.equal(zoneSharesOf([...nodes, node('', '1')]), undefined)
  assert.equal(zoneSharesOf([node('a', '4')]), undefined)
})
