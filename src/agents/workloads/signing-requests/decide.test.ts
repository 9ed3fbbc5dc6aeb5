import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BACKOFF } from '../../../engine/controller.ts'
import { approvalsOf, decideSigningRequest, type SigningRequestObject } from './decide.ts'

// PKCS #10 of O=system:nodes, CN=system:node:n1; the same with a DNS name; the same of another organization.
const NODE =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIcU1JR1NBZ0VBTURBeEZUQVRCZ05WQkFvTURITjVjM1JsYlRwdWIyUmxjekVYTUJVR0ExVUVBd3dPYzNsegpkR1Z0T201dlpHVTZiakV3V1RBVEJnY3Foa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVN1M01rcWtla3Jna2J4CmJWUmE3dG9TMVZkOE9XV3o1dHJjQ1N4eTUzYTBmaytHOVgzVHlEQk42L1NId2R6bmw3WjNrbnVaUWIrS1FJc1AKZzhBc2tDeDBvQUF3Q2dZSUtvWkl6ajBFQXdJRFJ3QXdSQUlnUFJxZHE1MytEN0haeDRkMkNhcDEvdHZCMGxpcgp3QWhaM3BXTGJGb3ovb2tDSUVXZzZKaHZRMW0zeEJzWG5VQ1hKOXVPcENEdHh1bHZEZXBvaHh3V292bFEKLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg=='
const NAMED =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQkNqQ0JzZ0lCQURBd01SVXdFd1lEVlFRS0RBeHplWE4wWlcwNmJtOWtaWE14RnpBVkJnTlZCQU1NRG5ONQpjM1JsYlRwdWIyUmxPbTR4TUZrd0V3WUhLb1pJemowQ0FRWUlLb1pJemowREFRY0RRZ0FFZ2lLSHRxakh5eC8xClhHczk4VkNUaGlLZjhCUnRFTDVhK3JHMjVTL0FpVHAyYi9iVXdqQVVPcW4zdEtuRVNrampvQy9MUlNUU2tEa3IKWUNXN2IvUUhTNkFnTUI0R0NTcUdTSWIzRFFFSkRqRVJNQTh3RFFZRFZSMFJCQVl3QklJQ2JqRXdDZ1lJS29aSQp6ajBFQXdJRFJ3QXdSQUlnV0c2QVB1LzE3Qk55N0RnSFpITmxSMVFnd1VSQ3dOd0VMNEhWNlplY2Mvd0NJRGN6ClZpeEh5a0JZaE8wemNramg3Wll0cVJTWE5GL0Q0UnRCWlJrckNxMGYKLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg=='
const STRANGER =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIa01JR0xBZ0VBTUNreERqQU1CZ05WQkFvTUJXOTBhR1Z5TVJjd0ZRWURWUVFEREE1emVYTjBaVzA2Ym05awpaVHB1TVRCWk1CTUdCeXFHU000OUFnRUdDQ3FHU000OUF3RUhBMElBQkhDVlRuemVMeUdGOVhWS3hxWmpwcUs5ClJlNy8zN0NmZUVGVFg4UEt1WWlyTEJYMnk0TU9TWUZDNy9yTDArdHduNkhNVzVkMzZKOVIrOXRBYis3enZlK2cKQURBS0JnZ3Foa2pPUFFRREFnTklBREJGQWlCUlE1SzBLamJwQk9aOGI2bFppZHRqOGw4Y1RscndDbzhWcVBYOQpEa0pHNFFJaEFPTmwyRWxYQ1lpSkkyeXY4bHdiNjVVYUk1clpOV3VrMEpyOThzd1FtZ09rCi0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo='

const NOW = Date.UTC(2026, 0, 2)
const USAGES = ['key encipherment', 'digital signature', 'client auth']
const SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet'

function request(
  spec: Partial<SigningRequestObject['spec']> = {},
  status?: SigningRequestObject['status'],
  creationTimestamp = '2026-01-01T23:59:00Z',
): SigningRequestObject {
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'r', creationTimestamp },
    spec: { request: NODE, signerName: SIGNER, usages: USAGES, username: 'admin', ...spec },
    ...(status && { status }),
  }
}

const asked: { it: string; spec: Partial<SigningRequestObject['spec']>; want: string[] }[] = [
  { it: 'of somebody for a node', spec: {}, want: ['nodeclient'] },
  { it: 'of a node for itself', spec: { username: 'system:node:n1' }, want: ['selfnodeclient', 'nodeclient'] },
  {
    it: 'without the usage that only RSA needs',
    spec: { usages: ['client auth', 'digital signature'] },
    want: ['nodeclient'],
  },
  { it: 'with more usages', spec: { usages: [...USAGES, 'server auth'] }, want: [] },
  { it: 'with other names', spec: { request: NAMED }, want: [] },
  { it: 'of another organization', spec: { request: STRANGER }, want: [] },
  { it: 'to another signer', spec: { signerName: 'kubernetes.io/kubelet-serving' }, want: [] },
  { it: 'that cannot be read', spec: { request: 'AAAA' }, want: [] },
]
for (const { it, spec, want } of asked)
  test(`a request ${it} may be approved by ${want.join(' or ') || 'nobody'}`, () =>
    assert.deepEqual(
      approvalsOf(request(spec)).map(({ subresource }) => subresource),
      want,
    ))

test('a request is approved once, in the words of the original', () => {
  const [approval] = approvalsOf(request())
  const decision = decideSigningRequest({ request: request(), approval, nowMs: NOW })
  assert.ok(decision.kind === 'act' && decision.changes[0]?.do === 'replace')
  assert.equal(decision.changes[0].subresource, 'approval')
  const message = 'Auto approving kubelet client certificate after SubjectAccessReview.'
  const conditions = [{ type: 'Approved', status: 'True', reason: 'AutoApproved', message }]
  assert.deepEqual(decision.changes[0].object['status'], { conditions })
  const approved = request({}, { conditions })
  assert.equal(decideSigningRequest({ request: approved, approval, nowMs: NOW }).kind, 'done')
})

const told = (type: string, lastUpdateTime: string) => ({ conditions: [{ type, status: 'True', lastUpdateTime }] })
const ends: { it: string; of: SigningRequestObject; want: number | undefined | 'dropped' }[] = [
  { it: 'nobody has looked at', of: request({ signerName: 'a.b/c' }), want: 24 * 3_600_000 - 60_000 },
  { it: 'nobody looked at for a day', of: request({}, undefined, '2026-01-01T00:00:00Z'), want: 'dropped' },
  { it: 'was denied an hour ago', of: request({}, told('Denied', '2026-01-01T23:00:00Z')), want: 'dropped' },
  { it: 'was denied a moment ago', of: request({}, told('Denied', '2026-01-01T23:59:00Z')), want: 3_540_000 },
  {
    it: 'has a condition of another type',
    of: request({ signerName: 'a.b/c' }, told('Seen', '2026-01-01T23:59:00Z')),
    want: undefined,
  },
  {
    it: 'was approved, but not signed',
    of: request({}, told('Approved', '2026-01-01T23:00:00Z')),
    want: 23 * 3_600_000,
  },
  {
    it: 'was signed an hour ago',
    of: request({}, { ...told('Approved', '2026-01-01T23:00:00Z'), certificate: 'AAAA' }),
    want: 'dropped',
  },
]
for (const { it, of, want } of ends)
  test(`a request that ${it} is ${want === 'dropped' ? 'dropped' : 'kept for a while'}`, () => {
    const decision = decideSigningRequest({ request: of, approval: undefined, nowMs: NOW })
    if (want === 'dropped') assert.equal(decision.kind, 'act')
    else assert.deepEqual(decision, { kind: 'done', status: [], ...(want !== undefined && { againAfterMs: want }) })
  })

test('a request that who asks has no right to is looked at again: the right may come later', () => {
  const decision = decideSigningRequest({ request: request(), approval: undefined, nowMs: NOW })
  assert.deepEqual(decision, { kind: 'wait', afterMs: BACKOFF, status: [] })
})
