import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeClient } from '../kube/types.ts'
import { readTrust } from './secrets.ts'

const CA = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n'

/** Flux's words, recorded from source-controller 1.9.4; '' where the Secret is taken. */
const cases: readonly (readonly [it: string, keys: Readonly<Record<string, string>>, want: string])[] = [
  ['nothing of certificates', { a: 'b' }, "must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'"],
  ['a certificate without its key', { 'tls.crt': 'x' }, "contains 'tls.crt' but missing 'tls.key'"],
  ['a key without its certificate', { 'tls.key': 'x' }, "contains 'tls.key' but missing 'tls.crt'"],
  ['an authority', { 'ca.crt': CA }, ''],
  ['a certificate with its key', { 'tls.crt': 'x', 'tls.key': 'y' }, ''],
  ['them by their old names', { caFile: CA, certFile: 'x', keyFile: 'y' }, ''],
]
for (const [it, keys, want] of cases)
  test(`a Secret of certificates that holds ${it} is ${want === '' ? 'taken' : 'refused'}`, async () => {
    const data = Object.fromEntries(
      Object.entries(keys).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    )
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tls' }, data }
    const client = { get: async () => secret } as unknown as KubeClient
    const reading = readTrust(client, 'ns', 'tls')
    if (want === '') await reading
    else await assert.rejects(reading, { message: `secret 'ns/tls' ${want}`, where: 'spec.certSecretRef' })
  })
