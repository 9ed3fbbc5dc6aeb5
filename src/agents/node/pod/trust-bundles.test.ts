import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { trustAnchors, type TrustBundleWish } from './trust-bundles.ts'

const pem = (body: string): string => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`

function bundle(name: string, signerName: string, labels: Record<string, string>, ...bodies: string[]): KubeObject {
  const trustBundle = `of ${name}\n${bodies.map(pem).join('and\n')}`
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'ClusterTrustBundle',
    metadata: { name, labels },
    spec: { signerName, trustBundle },
  }
}

const SIGNER = 'example.com/a'
const long = 'A'.repeat(64)
const bundles = [
  bundle('ex:a:live', SIGNER, { alive: 'yes' }, 'YmJi', 'YWFh'),
  bundle('ex:a:old', SIGNER, { alive: 'no' }, 'YWFh', `${long}\nQUFB`),
  bundle('free', '', {}, 'Y2Nj'),
]
const ZERO = { missing: 'combination of signerName and labelSelector matched zero ClusterTrustBundles' }
const cases: [it: string, wish: Omit<TrustBundleWish, 'path'>, want: string[] | { readonly missing: string }][] = [
  ['by name, in order', { name: 'ex:a:live' }, ['YWFh', 'YmJi']],
  [
    'a name that is not there',
    { name: 'x' },
    { missing: 'while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "x" not found' },
  ],
  ['a name that need not be there', { name: 'x', optional: true }, []],
  [
    'an empty selector takes all of the signer, each anchor once',
    { signerName: SIGNER, labelSelector: {} },
    [`${long}\nQUFB`, 'YWFh', 'YmJi'],
  ],
  ['a selector', { signerName: SIGNER, labelSelector: { matchLabels: { alive: 'yes' } } }, ['YWFh', 'YmJi']],
  ['no selector takes none', { signerName: SIGNER }, ZERO],
  ['another signer', { signerName: 'example.com/b', labelSelector: {} }, ZERO],
  ['another signer that need not be there', { signerName: 'example.com/b', labelSelector: {}, optional: true }, []],
]
for (const [it, wish, want] of cases)
  test(`trust anchors: ${it}`, () => {
    const expected = Array.isArray(want) ? want.map(pem).join('') : want
    assert.deepEqual(trustAnchors({ path: 'ca.pem', ...wish }, bundles), expected)
    assert.deepEqual(trustAnchors({ path: 'ca.pem', ...wish }, bundles.toReversed()), expected)
  })
