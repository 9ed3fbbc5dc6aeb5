import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import type { KubeClient } from '../../../../adapters/kube/types.ts'
import type { KubeObject } from '../../../../lib/kube/object.ts'
import type { Pod } from '../shapes.ts'
import { signRequest } from '../../../../lib/x509/certificate.ts'
import { readSigningRequest } from '../../../../lib/x509/request.ts'
import { writeSigningRequest } from '../../../../lib/x509/write-request.ts'
import { keepCertificates } from './certificates.ts'

const NOW = Date.UTC(2026, 0, 1)
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'a', uid: 'p-uid' },
  spec: { nodeName: 'n', serviceAccountName: 'robot', containers: [] },
} as Pod
const wish = { signerName: 'example.com/s', keyType: 'ECDSAP256', userAnnotations: { a: 'b' } }

/** An API server with a signer that answers as its test says. */
function serverWith(answer: object | ((request: string) => object)): {
  readonly client: KubeClient
  readonly asked: KubeObject[]
} {
  const asked: KubeObject[] = []
  const statusOf = ({ spec }: KubeObject): object =>
    typeof answer === 'function' ? answer((spec as { stubPKCS10Request: string }).stubPKCS10Request) : answer
  const client = {
    create(object: KubeObject) {
      asked.push({ ...object, metadata: { ...object.metadata, name: `req-${asked.length}` } })
      return Promise.resolve(asked.at(-1))
    },
    get({ kind, name }: { kind: string; name: string }) {
      const found = asked.find(({ metadata }) => metadata.name === name)
      if (kind !== 'PodCertificateRequest') return Promise.resolve({ metadata: { name, uid: `${name}-uid` } })
      return Promise.resolve(found && { ...found, status: statusOf(found) })
    },
  }
  return { client: client as unknown as KubeClient, asked }
}

function certificatesOf(client: KubeClient) {
  let nowMs = NOW
  const after = (afterMs: number, task: () => void) => {
    nowMs += afterMs
    setImmediate(task)
    return () => undefined
  }
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, after }
  return { ...keepCertificates(client, clock, () => 0), pass: (ms: number) => (nowMs += ms) }
}

/** The certificate of a request, as PEM. */
function sign(base64: string): string {
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${base64}\n-----END CERTIFICATE REQUEST-----\n`
  const request = readSigningRequest(pem)
  assert.ok(request)
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const validity = { notBeforeMs: NOW, notAfterMs: NOW + 7_200_000 }
  const issuer = { subject: { commonName: 's' }, key }
  return signRequest({ request, issuer, serial: Buffer.from([1]), keyUsages: [], purposes: [], ...validity })
}

const issued = (request: string) => ({
  conditions: [{ type: 'Issued', status: 'True' }],
  certificateChain: `signed for p\n${sign(request)}`,
  beginRefreshAt: new Date(NOW + 3_600_000).toISOString(),
})

test('a pod gets the certificate that a signer gives, once until its time comes', async () => {
  const { client, asked } = serverWith(issued)
  const certificates = certificatesOf(client)
  const first = await certificates.credentialFor(pod, 'tls/0', wish)
  assert.ok('key' in first)
  assert.equal(createPrivateKey(first.key).asymmetricKeyDetails?.namedCurve, 'prime256v1')
  assert.match(first.chain, /^-----BEGIN CERTIFICATE-----\n[^]*-----END CERTIFICATE-----\n$/)
  assert.deepEqual(await certificates.credentialFor(pod, 'tls/0', wish), first)
  assert.equal(asked.length, 1)
  certificates.pass(3_600_000)
  assert.notDeepEqual(await certificates.credentialFor(pod, 'tls/0', wish), first)
  assert.equal(asked.length, 2)
  const { stubPKCS10Request: _stub, ...spec } = asked[0]?.['spec'] as Record<string, unknown>
  assert.deepEqual(spec, {
    signerName: 'example.com/s',
    ...{ podName: 'p', podUID: 'p-uid', nodeName: 'n', nodeUID: 'n-uid' },
    ...{ serviceAccountName: 'robot', serviceAccountUID: 'robot-uid' },
    unverifiedUserAnnotations: { a: 'b' },
  })
})

test('a pod waits for a signer that is silent, with one request', async () => {
  const { client, asked } = serverWith({})
  const certificates = certificatesOf(client)
  for (const _turn of [1, 2])
    assert.deepEqual(await certificates.credentialFor(pod, 'tls/0', wish), {
      missing: 'credential bundle is not issued yet',
    })
  assert.equal(asked.length, 1)
})

test('a look for an answer that fails is made again, without another request', async () => {
  const { client, asked } = serverWith(issued)
  const looked: string[] = []
  const unsteady = {
    ...client,
    get(ref: { kind: string; name: string }) {
      if (ref.kind === 'PodCertificateRequest' && looked.push(ref.name) === 1) return Promise.reject(new Error('reset'))
      return client.get(ref as never)
    },
  } as KubeClient
  const certificates = certificatesOf(unsteady)
  await assert.rejects(certificates.credentialFor(pod, 'tls/0', wish), /reset/)
  assert.ok('key' in (await certificates.credentialFor(pod, 'tls/0', wish)))
  assert.deepEqual([asked.length, looked], [1, ['req-0', 'req-0']])
})

test('two who ask at once share one request', async () => {
  const { client, asked } = serverWith(issued)
  const certificates = certificatesOf(client)
  const [one, other] = await Promise.all([1, 2].map(() => certificates.credentialFor(pod, 'tls/0', wish)))
  assert.deepEqual(one, other)
  assert.equal(asked.length, 1)
})

test('the keys of a pod are kept until it is gone, however many pods there are', async () => {
  const { client, asked } = serverWith({ conditions: [{ type: 'Denied', status: 'True' }] })
  const certificates = certificatesOf(client)
  const podOf = (uid: string): Pod => ({ ...pod, metadata: { ...pod.metadata, uid } })
  const fast = { ...wish, keyType: 'ED25519' }
  for (let at = 0; at <= 1_000; at++) await certificates.credentialFor(podOf(`uid-${at}`), 'tls/0', fast)
  const count = asked.length
  await certificates.credentialFor(podOf('uid-0'), 'tls/0', fast)
  assert.equal(asked.length, count)
  certificates.forget('uid-0')
  await certificates.credentialFor(podOf('uid-0'), 'tls/0', fast)
  assert.equal(asked.length, count + 1)
})

test('a refusal of a signer is final', async () => {
  const { client, asked } = serverWith({
    conditions: [{ type: 'Denied', status: 'True', reason: 'No', message: 'never' }],
  })
  const certificates = certificatesOf(client)
  for (const _turn of [1, 2])
    assert.deepEqual(await certificates.credentialFor(pod, 'tls/0', wish), {
      missing: 'PodCertificateRequest was permanently denied: reason="No" message="never"',
    })
  assert.equal(asked.length, 1)
})

const another = writeSigningRequest(generateKeyPairSync('ed25519').privateKey).toString('base64')
const useless: { it: string; answer: (request: string) => object; want: string }[] = [
  {
    it: 'of another key',
    answer: () => issued(another),
    want: 'with a certificate that is not of the requested key',
  },
  {
    it: 'that cannot be read',
    answer: (request) => ({ ...issued(request), certificateChain: 'words' }),
    want: 'with a certificate that is not of the requested key',
  },
  {
    it: 'without a date',
    answer: (request) => ({ ...issued(request), beginRefreshAt: 'soon' }),
    want: 'without a time at which to renew the certificate',
  },
]
for (const { it, answer, want } of useless)
  test(`a certificate ${it} is of no use, and no other is asked for`, async () => {
    const { client, asked } = serverWith(answer)
    const certificates = certificatesOf(client)
    for (const _turn of [1, 2])
      assert.deepEqual(await certificates.credentialFor(pod, 'tls/0', wish), {
        missing: `PodCertificateRequest "req-0" was issued ${want}`,
      })
    assert.equal(asked.length, 1)
  })
