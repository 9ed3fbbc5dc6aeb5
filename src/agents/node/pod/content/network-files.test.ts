import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostnameOf, kernelNameOf, renderHosts, renderResolver } from './network-files.ts'
import type { PodSpec } from '../shapes.ts'

const facts = (spec: Partial<PodSpec>) => ({
  pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [], ...spec } },
  dns: '10.96.0.10',
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
    [{ dnsPolicy: 'Default', dnsConfig: { searches: ['x.y'] } }, 'search x.y\nnameserver 10.96.0.10\n'],
    [
      { dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.1', '1.1.1.3', '1.1.1.4'] } },
      'nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\n',
    ],
    [
      { dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1'], options: [{ name: 'edns0', value: '' }] } },
      'nameserver 1.1.1.1\noptions edns0\n',
    ],
    [
      { dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1'], searches: ['x'.repeat(254), 'x.y'] } },
      'search x.y\nnameserver 1.1.1.1\n',
    ],
  ]
  for (const [spec, want] of cases) assert.equal(renderResolver(facts(spec)), want)
})

test('a pod knows itself by its name, its domain and its aliases', () => {
  assert.equal(
    renderHosts(facts({ hostname: 'web', subdomain: 'sub', hostAliases: [{ ip: '10.0.0.1', hostnames: ['a', 'b'] }] })),
    [
      '# Kubernetes-managed hosts file.',
      '127.0.0.1\tlocalhost',
      '::1\tlocalhost ip6-localhost ip6-loopback',
      'fe00::0\tip6-localnet',
      'fe00::0\tip6-mcastprefix',
      'fe00::1\tip6-allnodes',
      'fe00::2\tip6-allrouters',
      '10.42.0.7\tweb.sub.default.svc.cluster.local\tweb',
      '',
      '# Entries added by HostAliases.',
      '10.0.0.1\ta\tb',
      '',
    ].join('\n'),
  )
})

const names: { it: string; spec: Partial<PodSpec>; name: string; kernel: string | RegExp }[] = [
  { it: 'its own name', spec: {}, name: 'p', kernel: 'p' },
  { it: 'a name that it is given', spec: { hostname: 'web', subdomain: 'sub' }, name: 'web', kernel: 'web' },
  {
    it: 'the name with its domain, when it wants that',
    spec: { subdomain: 'sub', setHostnameAsFQDN: true },
    name: 'p',
    kernel: 'p.sub.default.svc.cluster.local',
  },
  { it: 'no domain without a subdomain', spec: { setHostnameAsFQDN: true }, name: 'p', kernel: 'p' },
  {
    it: 'a name in place of all others',
    spec: { hostnameOverride: 'a.b', hostname: 'web', subdomain: 'sub' },
    name: 'a.b',
    kernel: 'a.b',
  },
  {
    it: 'no more than 63 letters',
    spec: { hostname: `${'x'.repeat(62)}-yz` },
    name: 'x'.repeat(62),
    kernel: 'x'.repeat(62),
  },
  {
    it: 'no full name that is too long',
    spec: { hostname: 'x'.repeat(60), subdomain: 'sub', setHostnameAsFQDN: true },
    name: 'x'.repeat(60),
    kernel:
      /FQDN x+\.sub\.default\.svc\.cluster\.local is too long \(64 characters is the max, 90 characters requested\)/,
  },
]
for (const { it, spec, name, kernel } of names)
  test(`the host of a pod has ${it}`, () => {
    const { pod } = facts(spec)
    assert.equal(hostnameOf(pod).name, name)
    if (typeof kernel === 'string') assert.equal(kernelNameOf(pod), kernel)
    else assert.throws(() => kernelNameOf(pod), kernel)
  })

test('a pod looks in no more domains than programs take', () => {
  const searched = (searches: readonly string[]): string[] =>
    renderResolver(facts({ dnsPolicy: 'None', dnsConfig: { searches } }))
      .split('\n')[0]
      ?.split(' ')
      .slice(1) ?? []
  assert.equal(searched(Array.from({ length: 40 }, (_, at) => `d${at}`)).length, 32)
  assert.equal(searched(Array.from({ length: 20 }, (_, at) => `${'x'.repeat(200)}${at}`)).length, 10)
})
