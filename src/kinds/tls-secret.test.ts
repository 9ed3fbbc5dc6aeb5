import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { writeCertificate } from '../lib/x509/certificate.ts'
import { proxyFault } from './proxy-secret.ts'
import { readTlsSecret, tlsFilesOf } from './tls-secret.ts'

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const subject = { commonName: 'ca' }
const CA = writeCertificate({
  subject,
  key: privateKey,
  issuer: { subject, key: privateKey },
  serial: new Uint8Array([1]),
  notBeforeMs: 0,
  notAfterMs: 4e12,
  use: 'authority',
})
const OTHER_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()
const KEY = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const dataOf = (values: Readonly<Record<string, string>>): Record<string, Buffer> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)]))

/** Flux's words, recorded from its controllers 2.9; '' where the Secret is taken. */
const cases: readonly (readonly [it: string, keys: Readonly<Record<string, string>>, want: string])[] = [
  [
    'nothing of certificates',
    { a: 'b' },
    "secret 'ns/tls' must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'",
  ],
  [
    'an empty authority',
    { 'ca.crt': '' },
    "secret 'ns/tls' must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'",
  ],
  ['a certificate without its key', { 'tls.crt': CA }, "secret 'ns/tls' contains 'tls.crt' but missing 'tls.key'"],
  [
    'a certificate with an empty key',
    { 'tls.crt': CA, 'tls.key': '' },
    "secret 'ns/tls' contains 'tls.crt' but missing 'tls.key'",
  ],
  ['a key without its certificate', { 'tls.key': KEY }, "secret 'ns/tls' contains 'tls.key' but missing 'tls.crt'"],
  ['an authority that is none', { 'ca.crt': 'x' }, 'failed to parse CA certificate'],
  [
    'an authority of nonsense',
    { 'ca.crt': '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n' },
    'failed to parse CA certificate',
  ],
  [
    'a certificate that is none',
    { 'tls.crt': 'x', 'tls.key': KEY },
    'failed to parse TLS certificate and key: tls: failed to find any PEM data in certificate input',
  ],
  [
    'a key that is none',
    { 'tls.crt': CA, 'tls.key': 'x' },
    'failed to parse TLS certificate and key: tls: failed to find any PEM data in key input',
  ],
  [
    'a certificate with the key of another',
    { 'tls.crt': CA, 'tls.key': OTHER_KEY },
    'failed to parse TLS certificate and key: tls: private key does not match public key',
  ],
  ['an authority', { 'ca.crt': CA }, ''],
  ['a certificate with its key', { 'tls.crt': CA, 'tls.key': KEY }, ''],
  ['them by their old names', { caFile: CA, certFile: CA, keyFile: KEY }, ''],
]
for (const [it, keys, want] of cases)
  test(`a Secret of certificates that holds ${it} is ${want === '' ? 'taken' : 'refused'}`, () => {
    const data = dataOf(keys)
    if (want === '') assert.deepEqual(readTlsSecret('ns/tls', data), tlsFilesOf(data))
    else assert.throws(() => readTlsSecret('ns/tls', data), { message: want, where: 'spec.certSecretRef' })
  })

/** Flux's words, of the same code, but for the login, which is not told; undefined where the address is taken. */
const addresses: readonly (readonly [address: string | undefined, want: string | undefined])[] = [
  [undefined, "secret 'ns/p': key 'address' not found"],
  ['', "secret 'ns/p': proxy address is empty"],
  ['foo', "secret 'ns/p': proxy URL must use one of the supported schemes (http, https, socks5), got ''"],
  ['ftp://x', "secret 'ns/p': proxy URL must use one of the supported schemes (http, https, socks5), got 'ftp'"],
  [
    '127.0.0.1:80',
    "secret 'ns/p': failed to parse proxy address '127.0.0.1:80': parse \"127.0.0.1:80\": first path segment in URL cannot contain colon",
  ],
  [
    'svc_ci:pa55@word@proxy:3128',
    "secret 'ns/p': failed to parse proxy address '…@proxy:3128': parse \"…@proxy:3128\": first path segment in URL cannot contain colon",
  ],
  [`http://${'x'.repeat(2048)}`, "secret 'ns/p': proxy URL exceeds maximum length of 2048 characters"],
  ['http://proxy:8080', undefined],
  ['socks5://proxy', undefined],
]
for (const [address, want] of addresses)
  test(`the address ${address?.slice(0, 20) ?? 'that is not there'} of a proxy is ${want === undefined ? 'taken' : 'refused'}`, () =>
    assert.equal(proxyFault('ns/p', address === undefined ? {} : dataOf({ address })), want))
