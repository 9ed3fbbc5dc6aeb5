import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Chance,
  forSeeds,
  servedKind,
  simulateCluster,
  START_MS,
} from '../../../../tests/support/simulated-cluster.ts'
import type { SimulatedStore } from '../../../../tests/support/simulated-store.ts'
import { refOf } from '../../../lib/kube/object.ts'
import { conditionOf, timeText } from '../meta.ts'
import { serviceNetworks } from './controller.ts'
import type { ServiceCIDR } from './decide.ts'

const GUARD = 'networking.k8s.io/service-cidr-finalizer'
const apiVersion = 'networking.k8s.io/v1'
const kinds = [
  servedKind(apiVersion, 'ServiceCIDR', 'servicecidrs', false),
  servedKind(apiVersion, 'IPAddress', 'ipaddresses', false),
]
const CIDRS = [['10.1.0.0/16'], ['10.1.2.0/24'], ['10.2.0.0/24'], ['10.2.0.0/24', 'fd00::/120']]
const ADDRESSES = ['10.1.0.5', '10.1.2.7', '10.2.0.9', 'fd00::9']

function putNetwork(store: SimulatedStore, { is, pick }: Chance, name: string): void {
  const conditions = [
    { type: 'Ready', status: pick(['True', 'False']), reason: pick(['', 'Terminating']), message: '?' },
  ]
  const finalizers = is(0.7) ? [GUARD] : is(0.5) ? ['example.com/held'] : []
  store.put({
    ...{ apiVersion, kind: 'ServiceCIDR', spec: { cidrs: pick(CIDRS) } },
    metadata: {
      name,
      finalizers,
      ...(finalizers.length > 0 && is(0.4) && { deletionTimestamp: timeText(START_MS - 60_000) }),
    },
    ...(is(0.6) && { status: { conditions } }),
  })
}

function putAddress(store: SimulatedStore, { is }: Chance, name: string): void {
  const labels = { 'ipaddress.kubernetes.io/managed-by': is(0.8) ? 'ipallocator.k8s.io' : 'me' }
  store.put({ apiVersion, kind: 'IPAddress', metadata: { name, labels } })
}

function others(store: SimulatedStore, chance: Chance): (() => void)[] {
  const { pick, is, int } = chance
  const deed = (): void => {
    const [name, address] = [`n${int(3)}`, pick(ADDRESSES)]
    const [network, taken] = [store.get('ServiceCIDR', '', name), store.get('IPAddress', '', address)]
    if (network && is(0.5)) store.remove(refOf(network))
    else if (!network) putNetwork(store, chance, name)
    if (taken) store.remove(refOf(taken))
    else putAddress(store, chance, address)
  }
  return Array.from({ length: int(5) }, () => deed)
}

/** Told for these few networks and addresses alone. */
const holds = ({ spec }: ServiceCIDR, address: string): boolean =>
  spec.cidrs.some((cidr) => {
    const [network = '', bits = ''] = cidr.split('/')
    const parts = { '16': 2, '24': 3, '120': 7 }[bits] ?? 0
    return network.includes(':')
      ? address.startsWith('fd00::')
      : !address.includes(':') &&
          address.split('.').slice(0, parts).join() === network.split('.').slice(0, parts).join()
  })

/** Whether a network has an address that no other has. */
function isNeeded(store: SimulatedStore, network: ServiceCIDR): boolean {
  const rest = store.of<ServiceCIDR>('ServiceCIDR').filter((other) => other !== network)
  return store.of('IPAddress').some(({ metadata: { name, labels } }) => {
    const isAllocated = labels?.['ipaddress.kubernetes.io/managed-by'] === 'ipallocator.k8s.io'
    return isAllocated && holds(network, name) && !rest.some((other) => holds(other, name))
  })
}

function checkEnd(store: SimulatedStore): void {
  for (const network of store.of<ServiceCIDR>('ServiceCIDR')) {
    const { name, deletionTimestamp, finalizers = [] } = network.metadata
    const ready = conditionOf(network.status?.conditions, 'Ready')
    if (deletionTimestamp === undefined) {
      assert.ok(finalizers.includes(GUARD), `${name} is not guarded`)
      assert.equal(ready?.status, 'True', `${name} is there`)
      continue
    }
    if (!finalizers.includes(GUARD)) continue
    assert.ok(isNeeded(store, network), `${name} waits for nothing`)
    assert.deepEqual([ready?.status, ready?.reason], ['False', 'Terminating'], `${name} waits`)
  }
}

test('networks of Services settle from any state, none goes that is needed, and a further run writes nothing', () =>
  forSeeds(8, async (seed) => {
    const { store, chance, run } = simulateCluster(seed, kinds, START_MS)
    for (let at = chance.int(3); at >= 0; at--) putNetwork(store, chance, `n${at}`)
    for (const address of ADDRESSES) if (chance.is(0.6)) putAddress(store, chance, address)
    await run((bench) => [serviceNetworks(bench)], { faults: chance.int(4), others: others(store, chance) })
    checkEnd(store)
    assert.deepEqual(await run((bench) => [serviceNetworks(bench)]), [])
  }))
