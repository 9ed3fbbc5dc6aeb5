import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { NeitherScheme } from '../registry/choose-scheme.ts'
import { registryFault, schemeFor, TAG_LIST } from './registry-fault.ts'

const tagsOf = (host: string) => ({ host, repository: 'app', path: TAG_LIST })
const unreachable = (host: string, fault: Record<string, unknown>): SluiceError => {
  const cause = Object.assign(new Error(String(fault['message'] ?? '')), fault)
  return new SluiceError('REGISTRY_UNREACHABLE', `registry ${host}: ${cause.message}`, { cause })
}
const both = (...errors: readonly SluiceError[]): SluiceError =>
  new SluiceError('REGISTRY_UNREACHABLE', 'both', { cause: new NeitherScheme(errors) })
const refused = { code: 'ECONNREFUSED' }
const hungUp = { code: 'ECONNRESET', message: 'socket hang up' }

// The texts are those of image-reflector-controller 1.2 for the same registries.
const cases: readonly [it: string, host: string, faults: readonly Record<string, unknown>[], want: string][] = [
  [
    'does not listen',
    'reg.io',
    [refused],
    'Get "https://reg.io/v2/": dial tcp reg.io:443: connect: connection refused',
  ],
  [
    'does not listen and may be asked in the open',
    '10.0.0.1:1',
    [refused, refused],
    'Get "https://10.0.0.1:1/v2/": dial tcp 10.0.0.1:1: connect: connection refused; Get "http://10.0.0.1:1/v2/": dial tcp 10.0.0.1:1: connect: connection refused',
  ],
  [
    'shows a certificate of nobody we know',
    '127.0.0.1:5',
    [{ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }, hungUp],
    'Get "https://127.0.0.1:5/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority; Get "http://127.0.0.1:5/v2/": EOF',
  ],
  [
    'is Docker’s',
    'docker.io',
    [refused, refused],
    'Get "https://index.docker.io/v2/": dial tcp index.docker.io:443: connect: connection refused; Get "http://index.docker.io/v2/": dial tcp index.docker.io:80: connect: connection refused',
  ],
  [
    'wants to see a certificate',
    '127.0.0.1:5',
    [
      { code: 'ERR_SSL_X', message: 'error:0A:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:..' },
      hungUp,
    ],
    'Get "https://127.0.0.1:5/v2/": remote error: tls: certificate required; Get "http://127.0.0.1:5/v2/": EOF',
  ],
]
for (const [it, host, faults, want] of cases)
  test(`a registry that ${it}`, () => {
    const [first, second] = faults.map((fault) => unreachable(host, fault))
    const error = second && first ? both(first, second) : (first ?? both())
    assert.equal(registryFault(error, tagsOf(host), { isInsecure: false }), want)
  })

test('a registry that stands for another host is told as it was reached', () => {
  const error = unreachable('127.0.0.1:5', { ...refused, message: 'connect ECONNREFUSED 127.0.0.1:5' })
  const said = registryFault(error, tagsOf('registry.sluice.local'), { isInsecure: false })
  assert.equal(said, 'registry 127.0.0.1:5: connect ECONNREFUSED 127.0.0.1:5')
})

test('a registry behind a proxy where nobody listens', () => {
  const error = unreachable('reg.io', { ...refused, address: '10.0.0.9', port: 8080 })
  const said = registryFault(error, tagsOf('reg.io'), { isInsecure: false, proxySecretName: 'proxy' })
  assert.equal(said, 'Get "https://reg.io/v2/": proxyconnect tcp: dial tcp 10.0.0.9:8080: connect: connection refused')
})

test('a proxy of which only an IPv6 address is known', () => {
  const error = unreachable('reg.io', { ...refused, address: '::1', port: 8080 })
  const said = registryFault(error, tagsOf('reg.io'), { isInsecure: false, proxySecretName: 'proxy' })
  assert.equal(said, 'Get "https://reg.io/v2/": proxyconnect tcp: dial tcp [::1]:8080: connect: connection refused')
})

test('a registry with two addresses, none of which listens, was asked by one scheme', () => {
  const cause = Object.assign(new AggregateError([new Error('::1'), new Error('127.0.0.1')], ''), refused)
  const error = new SluiceError('REGISTRY_UNREACHABLE', 'registry reg.io: ', { cause })
  assert.equal(
    registryFault(error, tagsOf('reg.io'), { isInsecure: false }),
    'Get "https://reg.io/v2/": dial tcp reg.io:443: connect: connection refused',
  )
})

test('a login that is wanted is told as Flux tells it, with what was asked', () =>
  assert.equal(
    registryFault(new SluiceError('REGISTRY_DENIED', 'no'), tagsOf('reg.io'), { isInsecure: false }),
    'GET https://reg.io/v2/app/tags/list?n=1000: UNAUTHORIZED: authentication required; [map[Action:pull Class: Name:app Type:repository]]',
  ))

test('a registry of a private network that spoke HTTPS is said to have been asked so', () =>
  assert.equal(
    registryFault(new SluiceError('REGISTRY_DENIED', 'no'), tagsOf('10.0.0.1'), { isInsecure: false, scheme: 'https' }),
    'GET https://10.0.0.1/v2/app/tags/list?n=1000: UNAUTHORIZED: authentication required; [map[Action:pull Class: Name:app Type:repository]]',
  ))

test('another fault keeps its words', () =>
  assert.equal(registryFault(new SluiceError('REGISTRY_REFUSED', 'no'), tagsOf('reg.io'), { isInsecure: false }), 'no'))

for (const [host, want] of [
  ['localhost:5000', 'http'],
  ['127.0.0.1', 'http'],
  ['10.1.2.3:5000', 'http'],
  ['172.16.0.1', 'http'],
  ['192.168.0.1:80', 'http'],
  ['reg.localhost:5000', 'http'],
  ['172.32.0.1', 'https'],
  ['reg.local', 'https'],
  ['localhost.io', 'https'],
  ['127.io', 'https'],
  ['[::1]:5000', 'http'],
  ['[2001:db8::1]:5000', 'https'],
] as const)
  test(`${host} is asked over ${want}`, () => assert.equal(schemeFor(host, false), want))
