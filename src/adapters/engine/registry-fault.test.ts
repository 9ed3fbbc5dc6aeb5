import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { registryFault, schemeFor, TAG_LIST } from './registry-fault.ts'

const tagsOf = (host: string) => ({ host, repository: 'app', path: TAG_LIST })
const refused = new SluiceError('REGISTRY_UNREACHABLE', 'registry x: connect ECONNREFUSED')
const cases: readonly [it: string, host: string, isInsecure: boolean, want: string][] = [
  ['is asked securely', 'reg.io', false, 'Get "https://reg.io/v2/": dial tcp reg.io: connect: connection refused'],
  [
    'may be asked in the open',
    '10.0.0.1:1',
    true,
    'Get "https://10.0.0.1:1/v2/": dial tcp 10.0.0.1:1: connect: connection refused; Get "http://10.0.0.1:1/v2/": dial tcp 10.0.0.1:1: connect: connection refused',
  ],
]
for (const [it, host, isInsecure, want] of cases)
  test(`a registry where nobody listens, which ${it}`, () =>
    assert.equal(registryFault(refused, tagsOf(host), { isInsecure }), want))

test('a registry behind a proxy where nobody listens', () => {
  const error = new SluiceError('REGISTRY_UNREACHABLE', 'registry x: connect ECONNREFUSED 10.0.0.9:8080')
  const said = registryFault(error, tagsOf('reg.io'), { isInsecure: false, proxySecretName: 'proxy' })
  assert.equal(said, 'Get "https://reg.io/v2/": proxyconnect tcp: dial tcp 10.0.0.9:8080: connect: connection refused')
})

test('a login that is wanted is told as Flux tells it, with what was asked', () =>
  assert.equal(
    registryFault(new SluiceError('REGISTRY_DENIED', 'no'), tagsOf('reg.io'), { isInsecure: false }),
    'GET https://reg.io/v2/app/tags/list?n=1000: UNAUTHORIZED: authentication required; [map[Action:pull Class: Name:app Type:repository]]',
  ))

test('another fault keeps its words', () =>
  assert.equal(registryFault(new SluiceError('REGISTRY_REFUSED', 'no'), tagsOf('reg.io'), { isInsecure: false }), 'no'))

for (const [host, want] of [
  ['localhost:5000', 'http'],
  ['127.0.0.1', 'http'],
  ['reg.local', 'http'],
  ['localhost.io', 'https'],
  ['127.io', 'https'],
] as const)
  test(`${host} is asked over ${want}`, () => assert.equal(schemeFor(host, false), want))
