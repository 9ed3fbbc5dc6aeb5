import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { planNetwork, portKey } from './services.ts'

const service = (spec: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop' },
  spec,
})
const slice = (endpoints: object[]): KubeObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  addressType: 'IPv4',
  metadata: { name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
  endpoints,
  ports: [{ name: 'http', port: 8080 }],
})
const ports = [{ name: 'http', port: 80 }]

test('only ready pods get traffic; those that leave but serve are the reserve', () => {
  const endpoints = [
    { addresses: ['10.42.0.2'], conditions: { ready: true } },
    { addresses: ['10.42.0.3'], conditions: { ready: false, serving: true, terminating: true } },
    { addresses: ['10.42.0.4'], conditions: { ready: false, serving: false, terminating: false } },
  ]
  assert.deepEqual(planNetwork([service({ clusterIP: '10.96.0.9', ports })], [slice(endpoints)], true), {
    ports: [
      {
        key: 'shop/web:80',
        listen: { host: '10.96.0.9', port: 80 },
        ready: [{ host: '10.42.0.2', port: 8080 }],
        serving: [{ host: '10.42.0.3', port: 8080 }],
      },
    ],
    names: { 'web.shop.svc.cluster.local': ['10.96.0.9'] },
    records: {
      '9.0.96.10.in-addr.arpa': [{ type: 'PTR', target: 'web.shop.svc.cluster.local' }],
      '_http._tcp.web.shop.svc.cluster.local': [{ type: 'SRV', port: 80, target: 'web.shop.svc.cluster.local' }],
    },
  })
})

test('a headless Service is a name for its ready pods', () => {
  const table = planNetwork([service({ clusterIP: 'None', ports })], [slice([{ addresses: ['10.42.0.2'] }])], true)
  assert.equal(table.ports[0]?.listen, undefined)
  assert.deepEqual(table.names, {
    'web.shop.svc.cluster.local': ['10.42.0.2'],
    '10-42-0-2.web.shop.svc.cluster.local': ['10.42.0.2'],
  })
})

test('a port is found by number, the first one without', () => {
  const both = service({ ports: [...ports, { name: 'admin', port: 81 }] })
  assert.deepEqual([portKey(both), portKey(both, 81), portKey(both, 82)], ['shop/web:80', 'shop/web:81', undefined])
})

test('a UDP port is listened on, and a Service with affinity says for how long', () => {
  const spec = {
    clusterIP: '10.96.0.9',
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 20 } },
    ports: [
      { name: 'http', port: 80 },
      { name: 'talk', port: 80, protocol: 'UDP' },
    ],
  }
  const object = {
    ...slice([{ addresses: ['10.42.0.2'] }]),
    ports: [
      { name: 'http', port: 8080 },
      { name: 'talk', port: 9000, protocol: 'UDP' },
    ],
  }
  const { ports: planned } = planNetwork([service(spec)], [object], true)
  const listen = { host: '10.96.0.9', port: 80 }
  assert.deepEqual(planned, [
    { key: 'shop/web:80', listen, affinityMs: 20_000, ready: [{ host: '10.42.0.2', port: 8080 }], serving: [] },
    { key: 'shop/web:80/udp', listen, protocol: 'UDP', ready: [{ host: '10.42.0.2', port: 9000 }], serving: [] },
  ])
})

test('pods of a headless Service are found by their host names', () => {
  const endpoints = [
    { addresses: ['10.42.0.2'], hostname: 'db-0' },
    { addresses: ['10.42.0.3'], hostname: 'db-1', conditions: { ready: false } },
  ]
  const { names, records } = planNetwork([service({ clusterIP: 'None', ports })], [slice(endpoints)], true)
  const target = 'db-0.web.shop.svc.cluster.local'
  assert.deepEqual(names, { 'web.shop.svc.cluster.local': ['10.42.0.2'], [target]: ['10.42.0.2'] })
  assert.deepEqual(records, {
    '2.0.42.10.in-addr.arpa': [{ type: 'PTR', target }],
    '_http._tcp.web.shop.svc.cluster.local': [{ type: 'SRV', port: 8080, target }],
  })
})

test('an ExternalName is another name', () => {
  const {
    names,
    records,
    ports: none,
  } = planNetwork([service({ type: 'ExternalName', externalName: 'Foo.example.com' })], [], true)
  assert.deepEqual([names, none], [{}, []])
  assert.deepEqual(records, { 'web.shop.svc.cluster.local': [{ type: 'CNAME', target: 'foo.example.com' }] })
})
