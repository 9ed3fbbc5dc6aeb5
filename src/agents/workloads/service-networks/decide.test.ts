import assert from 'node:assert/strict'
import { test } from 'node:test'
import { as } from '../shapes.ts'
import { decideNetwork, type ServiceCIDR } from './decide.ts'

const GUARD = 'networking.k8s.io/service-cidr-finalizer'
const nowMs = Date.parse('2026-11-28T10:00:00Z')
const network = (name: string, cidrs: string[], metadata = {}, conditions: unknown[] = []): ServiceCIDR =>
  as<ServiceCIDR>({
    ...{ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR' },
    metadata: { name, uid: name, finalizers: [GUARD], ...metadata },
    spec: { cidrs },
    status: { conditions },
  })
const leaving = (secondsAgo: number) => ({ deletionTimestamp: new Date(nowMs - secondsAgo * 1000).toISOString() })
const address = (name: string, by = 'ipallocator.k8s.io') => ({
  ...{ apiVersion: 'networking.k8s.io/v1', kind: 'IPAddress' },
  metadata: { name, labels: { 'ipaddress.kubernetes.io/managed-by': by } },
})

// what the controller of Kubernetes 1.37 does
const cases: {
  it: string
  cidrs?: string[]
  others?: ServiceCIDR[]
  addresses?: ReturnType<typeof address>[]
  agoS?: number
  want: 'goes' | 'waits' | 'is held'
}[] = [
  { it: 'without addresses', want: 'goes' },
  { it: 'without addresses, just deleted', agoS: 4, want: 'waits' },
  { it: 'with an address', addresses: [address('10.1.0.5')], want: 'is held' },
  { it: 'with an address that nobody allocated', addresses: [address('10.1.0.5', 'me')], want: 'goes' },
  { it: 'with its first address', addresses: [address('10.1.0.0')], want: 'goes' },
  { it: 'with its last address', addresses: [address('10.1.255.255')], want: 'goes' },
  { it: 'of IPv6, with its last address', cidrs: ['fd00::/120'], addresses: [address('fd00::ff')], want: 'is held' },
  { it: 'with an address elsewhere', addresses: [address('10.2.0.5')], want: 'goes' },
  {
    it: 'within another',
    others: [network('b', ['10.0.0.0/8'])],
    addresses: [address('10.1.0.5')],
    want: 'goes',
  },
  { it: 'equal to another', others: [network('b', ['10.1.0.0/16'])], addresses: [address('10.1.0.5')], want: 'goes' },
  {
    it: 'around another that has the address',
    others: [network('b', ['10.1.0.0/24'])],
    addresses: [address('10.1.0.5')],
    want: 'goes',
  },
  {
    it: 'around another that has not',
    others: [network('b', ['10.1.0.0/24'])],
    addresses: [address('10.1.1.5')],
    want: 'is held',
  },
  {
    it: 'around another whose last address it is',
    others: [network('b', ['10.1.0.0/24'])],
    addresses: [address('10.1.0.255')],
    want: 'is held',
  },
  {
    it: 'of which one half is within another',
    cidrs: ['10.1.0.0/16', 'fd00::/112'],
    others: [network('b', ['10.0.0.0/8'])],
    addresses: [address('fd00::5')],
    want: 'is held',
  },
]
for (const { it, cidrs = ['10.1.0.0/16'], others = [], addresses = [], agoS = 60, want } of cases)
  test(`a network that is deleted, ${it}, ${want}`, () => {
    const own = network('a', cidrs, leaving(agoS))
    const decision = decideNetwork({ network: own, all: [own, ...others], addresses, nowMs })
    assert.ok(decision.kind === 'done')
    const [write] = decision.status
    if (want === 'waits') return assert.deepEqual([write, decision.againAfterMs], [undefined, 6000])
    assert.ok(write?.do === 'patch')
    assert.equal(write.subresource, want === 'goes' ? undefined : 'status')
    assert.match(JSON.stringify(write.body), want === 'goes' ? /deleteFromPrimitiveList/ : /"Terminating"/)
  })

test('a new network gets its finalizer and is said to be ready, once', () => {
  const fresh = network('a', ['10.1.0.0/16'], { finalizers: [] })
  const decision = decideNetwork({ network: fresh, all: [fresh], addresses: [], nowMs })
  assert.deepEqual(decision.kind === 'done' && decision.status.map((write) => write.do === 'patch' && write.body), [
    { metadata: { finalizers: [GUARD] } },
    {
      status: {
        conditions: [
          {
            ...{ type: 'Ready', status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' },
            lastTransitionTime: '2026-11-28T10:00:00Z',
          },
        ],
      },
    },
  ])
  const shown = { type: 'Ready', status: 'True', message: 'Kubernetes Service CIDR is ready' }
  const ready = network('a', ['10.1.0.0/16'], {}, [shown])
  assert.deepEqual(decideNetwork({ network: ready, all: [ready], addresses: [], nowMs }), { kind: 'done', status: [] })
})
