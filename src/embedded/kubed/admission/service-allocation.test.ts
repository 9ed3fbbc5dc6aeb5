import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kubedOfFile } from '../../../../tests/support/kubed.ts'
import { seededRandom } from '../../../../tests/support/seeded-random.ts'

const SERVICES = '/api/v1/namespaces/default/services'
const { ask } = kubedOfFile()

type Port = { readonly nodePort?: number }
type Service = {
  readonly metadata: { readonly name: string; readonly resourceVersion: string }
  readonly spec: {
    readonly type: string
    readonly clusterIP?: string
    readonly clusterIPs?: readonly string[]
    readonly ports?: readonly Port[]
    readonly allocateLoadBalancerNodePorts?: boolean
    readonly healthCheckNodePort?: number
  }
}

const listed = async (path: string): Promise<any[]> => (await ask('GET', path)).body.items

/** What a Service asks for: few addresses and ports, so that many ask for the same ones. */
function specOf(random: () => number): object {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  const type = pick(['ClusterIP', 'ClusterIP', 'NodePort', 'NodePort', 'LoadBalancer', 'ExternalName'])
  const node = (): object => (random() < 0.4 && type !== 'ClusterIP' ? { nodePort: pick([30001, 30002, 30003]) } : {})
  const ports = [
    { name: 'a', port: 53, protocol: 'TCP', ...node() },
    { name: 'b', port: pick([53, 54]), protocol: 'UDP', ...node() },
  ]
  if (type === 'ExternalName') return { type, externalName: 'example.com' }
  return {
    type,
    ports: pick([ports, ports.slice(1)]),
    ...(random() < 0.4 && { clusterIP: pick(['10.96.1.1', '10.96.1.2', ...(type === 'ClusterIP' ? ['None'] : [])]) }),
    ...(type === 'LoadBalancer' && { externalTrafficPolicy: pick(['Local', 'Cluster']) }),
    ...(type === 'LoadBalancer' && random() < 0.3 && { allocateLoadBalancerNodePorts: false }),
  }
}

/** Nobody has what another has, and what is kept of addresses is what Services have. */
async function check(): Promise<void> {
  const [services, addresses] = await Promise.all([
    listed('/api/v1/services') as Promise<Service[]>,
    listed('/apis/networking.k8s.io/v1/ipaddresses'),
  ])
  const given = services.flatMap(({ spec }) => (spec.clusterIPs ?? []).filter((address) => address !== 'None'))
  assert.equal(new Set(given).size, given.length, `an address was given twice: ${given}`)
  assert.deepEqual(addresses.map(({ metadata }) => metadata.name).sort(), given.sort())
  const ports = services.flatMap(({ spec }) => [
    ...new Set(
      [...(spec.ports ?? []).flatMap(({ nodePort }) => nodePort ?? []), spec.healthCheckNodePort ?? []].flat(),
    ),
  ])
  assert.equal(new Set(ports).size, ports.length, `a node port was given twice: ${ports}`)
  for (const { metadata, spec } of services) {
    if (spec.type !== 'ExternalName') assert.ok(spec.clusterIP, `${metadata.name} has no address`)
    const isOpen = spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts)
    for (const { nodePort } of spec.ports ?? []) assert.ok(!isOpen || nodePort, `${metadata.name} has no node port`)
  }
}

test('no address and no node port is given twice, whatever is asked for at once, and what is given stays', async () => {
  const random = seededRandom(Number(process.env['SLUICE_SEED'] ?? 1))
  const deed = async (): Promise<unknown> => {
    const path = `${SERVICES}/s${Math.floor(random() * 6)}`
    const roll = random()
    if (roll < 0.2) return await ask('DELETE', path)
    const spec = specOf(random)
    if (roll < 0.4) return await ask('PATCH', path, { spec })
    const metadata = { name: path.slice(SERVICES.length + 1) }
    const service = { apiVersion: 'v1', kind: 'Service', metadata, spec }
    return await ask(roll < 0.7 ? 'POST' : 'PUT', roll < 0.7 ? SERVICES : path, service)
  }
  for (let round = 0; round < Number(process.env['SLUICE_SEQUENCES'] ?? 8); round++) {
    await Promise.all([deed(), deed(), deed(), deed()])
    await check()
  }
  for (const service of (await listed(SERVICES)) as Service[]) {
    const { body } = await ask('PUT', `${SERVICES}/${service.metadata.name}`, {
      ...{ apiVersion: 'v1', kind: 'Service' },
      ...service,
    })
    assert.equal(body.metadata?.resourceVersion, service.metadata.resourceVersion, service.metadata.name)
  }
})

test('an address that a Service has cannot be had by another, though somebody deletes its IPAddress', async () => {
  const service = (name: string): object => ({
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name } },
    spec: { clusterIP: '10.96.1.9', ports: [{ port: 80 }] },
  })
  assert.equal((await ask('POST', SERVICES, service('first'))).code, 201)
  assert.equal((await ask('DELETE', '/apis/networking.k8s.io/v1/ipaddresses/10.96.1.9')).code, 200)
  assert.equal((await ask('POST', SERVICES, service('second'))).code, 422)
  assert.equal((await ask('DELETE', `${SERVICES}/first`)).code, 200)
  assert.equal((await ask('POST', SERVICES, service('second'))).code, 201)
})
