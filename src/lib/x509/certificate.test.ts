import assert from 'node:assert/strict'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { writeCertificate } from './certificate.ts'

const keys = (): ReturnType<typeof generateKeyPairSync> => generateKeyPairSync('ec', { namedCurve: 'P-256' }) as never
const validity = { notBeforeMs: Date.UTC(2026, 0, 1), notAfterMs: Date.UTC(2056, 0, 1) }

test('a server certificate is verified by its authority and names its hosts', () => {
  const authority = keys()
  const server = keys()
  const issuer = { subject: { commonName: 'kubed' }, key: authority.privateKey as never }
  const root = new X509Certificate(
    writeCertificate({
      ...validity,
      subject: issuer.subject,
      key: issuer.key,
      issuer,
      serial: Buffer.from([0, 1]),
      use: 'authority',
    }),
  )
  const leaf = new X509Certificate(
    writeCertificate({
      ...validity,
      subject: { commonName: 'server', organizations: ['system:masters'] },
      key: server.publicKey as never,
      issuer,
      serial: Buffer.alloc(20, 0xff),
      use: 'server',
      names: ['localhost', '127.0.0.1'],
    }),
  )
  assert.equal(root.ca, true)
  assert.equal(leaf.ca, false)
  assert.ok(root.verify(root.publicKey))
  assert.ok(leaf.checkIssued(root))
  assert.ok(leaf.verify(root.publicKey))
  assert.equal(leaf.checkHost('localhost'), 'localhost')
  assert.equal(leaf.checkIP('127.0.0.1'), '127.0.0.1')
  assert.match(leaf.subject, /O=system:masters/)
  assert.equal(new Date(leaf.validTo).getTime(), validity.notAfterMs)
})
