import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { type NodePort, planNodePorts, planPodPorts, planServicePorts, hasPortConflict } from './node-ports.ts'
import type { ContainerPort } from '../../../lib/kube/container.ts'
import type { Pod } from '../pod/shapes.ts'

const NODE = '10.42.0.1'

const pod = (name: string, port: Omit<ContainerPort, 'containerPort'>, phase = 'Running'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', uid: name },
  spec: { containers: [{ name: 'main', image: 'x', ports: [{ containerPort: 8080, ...port }] }] },
  status: { phase, podIP: '10.42.0.7' },
})

const told = ({ host, port, protocol, why }: NodePort): string =>
  [`${host}:${port}`, ...[protocol ?? [], why ?? []].flat()].join(' ')

const planned: { it: string; port: Omit<ContainerPort, 'containerPort'>; inside: string[]; outside: string[] }[] = [
  { it: 'no port of the node', port: {}, inside: [], outside: [] },
  {
    it: 'any address: the node and loopback',
    port: { hostPort: 80 },
    inside: [`${NODE}:80`],
    outside: ['127.0.0.1:80'],
  },
  {
    it: 'every address of the machine, by name',
    port: { hostPort: 80, hostIP: '0.0.0.0' },
    inside: [`${NODE}:80`],
    outside: ['0.0.0.0:80'],
  },
  { it: 'loopback', port: { hostPort: 80, hostIP: '127.0.0.1' }, inside: ['-'], outside: ['127.0.0.1:80'] },
  { it: 'the node', port: { hostPort: 80, hostIP: NODE }, inside: [`${NODE}:80`], outside: [] },
  { it: 'another address', port: { hostPort: 80, hostIP: '192.0.2.1' }, inside: ['-'], outside: ['192.0.2.1:80'] },
  {
    it: 'UDP: the node and loopback',
    port: { hostPort: 53, protocol: 'UDP' },
    inside: [`${NODE}:53`],
    outside: ['127.0.0.1:53 UDP'],
  },
  {
    it: 'UDP on another address',
    port: { hostPort: 53, protocol: 'UDP', hostIP: '192.0.2.1' },
    inside: ['-'],
    outside: ['192.0.2.1:53 UDP'],
  },
  {
    it: 'SCTP: nothing, and is told',
    port: { hostPort: 53, protocol: 'SCTP' },
    inside: [],
    outside: ['127.0.0.1:53 SCTP is not led into the network of the pods'],
  },
]
for (const { it, port, inside, outside } of planned)
  test(`a pod asks for ${it}`, () => {
    const { tables, opened } = planPodPorts([pod('a', port)], NODE)
    assert.deepEqual(
      tables.map(({ listen }) => (listen ? `${listen.host}:${listen.port}` : '-')),
      inside,
    )
    for (const { ready } of tables) assert.deepEqual(ready, [{ host: '10.42.0.7', port: 8080 }])
    assert.deepEqual(opened.map(told), outside)
  })

test('ports of pods that are over are closed', () => {
  assert.deepEqual(planPodPorts([pod('a', { hostPort: 80 }, 'Failed')], NODE), { tables: [], opened: [] })
})

test('where pods have no network of their own, datagrams are not led to them', () => {
  const { tables, opened } = planPodPorts([pod('a', { hostPort: 53, protocol: 'UDP' })], undefined)
  assert.deepEqual([tables, opened.map(told)], [[], ['127.0.0.1:53 UDP is not led into the network of the pods']])
})

test('where pods have no network of their own, a port of the node is one of this machine', () => {
  const { tables, opened } = planPodPorts([pod('a', { hostPort: 80 })], undefined)
  assert.deepEqual([tables[0]?.listen, opened.length], [undefined, 1])
})

test('a Service with a port of the node is reached by it inside and outside', () => {
  const table = { key: 'shop/web:80', listen: { host: '10.96.0.9', port: 80 }, ready: [], serving: [] }
  const tables = [{ ...table, nodePort: 30_080 }, table]
  assert.deepEqual(planNodePorts(tables, NODE), [
    { ...table, key: 'shop/web:80/node', listen: { host: NODE, port: 30_080 } },
  ])
  assert.deepEqual(planNodePorts(tables, undefined), [])
})

const served: { it: string; port: object; hasOwnNetwork?: boolean; want: string[] }[] = [
  { it: 'its own port', port: {}, want: [] },
  { it: 'a port of the node', port: { nodePort: 30_080 }, want: ['127.0.0.1:30080'] },
  { it: 'UDP', port: { protocol: 'UDP' }, want: [] },
  {
    it: 'UDP where pods have no network',
    port: { protocol: 'UDP' },
    hasOwnNetwork: false,
    want: ['10.96.0.9:80 UDP is not led into the network of the pods'],
  },
  {
    it: 'a port of the node for UDP',
    port: { protocol: 'UDP', nodePort: 30_080 },
    want: ['127.0.0.1:30080 UDP'],
  },
  {
    it: 'SCTP',
    port: { protocol: 'SCTP' },
    want: ['10.96.0.9:80 SCTP is not led into the network of the pods'],
  },
]
for (const { it, port, hasOwnNetwork = true, want } of served)
  test(`a Service with ${it}: ${want.join() || 'nothing'} of this machine`, () => {
    const spec = { clusterIP: '10.96.0.9', ports: [{ port: 80, ...port }] }
    const service: KubeObject = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'shop' },
      spec,
    }
    assert.deepEqual(planServicePorts([service], hasOwnNetwork).map(told), want)
  })

const conflicts: { it: string; other: Parameters<typeof pod>; isTaken: boolean }[] = [
  { it: 'the same port', other: ['b', { hostPort: 80 }], isTaken: true },
  { it: 'the same port of one address', other: ['b', { hostPort: 80, hostIP: '127.0.0.1' }], isTaken: true },
  { it: 'another protocol', other: ['b', { hostPort: 80, protocol: 'UDP' }], isTaken: false },
  { it: 'another port', other: ['b', { hostPort: 81 }], isTaken: false },
  { it: 'a pod that is over', other: ['b', { hostPort: 80 }, 'Succeeded'], isTaken: false },
]
for (const { it, other, isTaken } of conflicts)
  test(`a port of the node beside ${it} is ${isTaken ? 'taken' : 'free'}`, () => {
    assert.equal(hasPortConflict(pod('a', { hostPort: 80 }), [pod(...other)]), isTaken)
  })

test('two pods may have a port on two addresses', () => {
  const [a, b] = ['127.0.0.1', NODE].map((hostIP, index) => pod(`${index}`, { hostPort: 80, hostIP }))
  assert.ok(a && b)
  assert.equal(hasPortConflict(a, [b]), false)
})

test('init containers have no ports of the node, sidecars have', () => {
  const init = (restartPolicy?: string) => ({
    ...pod('a', { hostPort: 80 }),
    spec: {
      containers: [{ name: 'c', image: 'i' }],
      initContainers: [
        { name: 'i', image: 'i', ports: [{ containerPort: 1, hostPort: 80 }], ...(restartPolicy && { restartPolicy }) },
      ],
    },
  })
  assert.equal(hasPortConflict(init(), [pod('b', { hostPort: 80 })]), false)
  assert.equal(hasPortConflict(init('Always'), [pod('b', { hostPort: 80 })]), true)
})
