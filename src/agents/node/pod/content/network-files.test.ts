import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderResolver } from './network-files.ts'
import type { PodSpec } from '../shapes.ts'

const facts = (spec: Partial<PodSpec>) => ({
  pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [], ...spec } },
  dns: '10.96.0.10',
  name: 'p',
  namespace: 'shop',
  ip: '10.42.0.7',
})

test('a pod asks the DNS server of the cluster, and what its dnsConfig says', () => {
  const cases: [spec: Partial<PodSpec>, want: string][] = [
    [{}, 'search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n'],
    [
      { dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1'], searches: ['x.y'] } },
      'search x.y\nnameserver 1.1.1.1\n',
    ],
    [
      { dnsConfig: { searches: ['x.y'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] } },
      'search shop.svc.cluster.local svc.cluster.local cluster.local x.y\nnameserver 10.96.0.10\noptions ndots:2 edns0\n',
    ],
  ]
  for (const [spec, want] of cases) assert.equal(renderResolver(facts(spec)), want)
})
