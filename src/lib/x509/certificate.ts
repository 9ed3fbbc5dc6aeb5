import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { isIPv4 } from './ip.ts'
import type { SigningRequest } from './request.ts'
import { bits, element, integer, octets, oid, sequence, set, tagged, text, time, yes } from './der.ts'

/** A name in a certificate. */
export type Subject = { readonly commonName: string; readonly organizations?: readonly string[] }

/** Who signs certificates. */
export type Issuer = { readonly subject: Subject; readonly key: KeyObject }

/** What goes into a certificate; keys, serial and times come in as values. */
export type CertificateRequest = {
  readonly subject: Subject
  /** P-256 key whose certificate this is (private or public). */
  readonly key: KeyObject
  readonly issuer: Issuer
  /** Up to 20 random bytes. */
  readonly serial: Uint8Array
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly use: 'authority' | 'server' | 'client'
  /** DNS names and IPv4 addresses of a server. */
  readonly names?: readonly string[]
}

const ECDSA_SHA256 = '1.2.840.10045.4.3.2'
const USES = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' }

/**
 * Writes and signs an X.509 v3 certificate (ECDSA P-256 with SHA-256), as PEM.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1
 */
export function writeCertificate(request: CertificateRequest): string {
  return signed(request, nameOf(request.subject), publicKeyOf(request.key), extensions(request))
}

/** What goes into a certificate that was asked for. */
export type RequestedCertificate = {
  readonly request: SigningRequest
  readonly issuer: Issuer
  /** Up to 20 random bytes. */
  readonly serial: Uint8Array
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** Numbers of the bits of the key's usage, and what the certificate is for, as object identifiers. */
  readonly keyUsages: readonly number[]
  readonly purposes: readonly string[]
}

/** Writes and signs the certificate that was asked for, as PEM: subject, key and alternative names are those of the request. */
export function signRequest(wanted: RequestedCertificate): string {
  const { subject, publicKey, alternatives } = wanted.request
  const usage = wanted.keyUsages.reduce((all, bit) => all | (1 << (15 - bit)), 0)
  return signed(wanted, subject, publicKey, [
    ...(usage === 0 ? [] : [extension('2.5.29.15', true, usageBits(usage))]),
    ...(wanted.purposes.length === 0 ? [] : [extension('2.5.29.37', false, sequence(...wanted.purposes.map(oid)))]),
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.35', false, sequence(element(0x80, keyId(wanted.issuer.key)))),
    ...(alternatives === undefined ? [] : [extension('2.5.29.17', false, alternatives.der)]),
  ])
}

/** Sixteen bits without the zeros at the end, as DER wants them. */
function usageBits(usage: number): Buffer {
  const bytes = (usage & 0xff) === 0 ? [usage >> 8] : [usage >> 8, usage & 0xff]
  const last = bytes.at(-1) ?? 0
  return bits(Buffer.from(bytes), 31 - Math.clz32(last & -last))
}

type Signed = Pick<CertificateRequest, 'issuer' | 'serial' | 'notBeforeMs' | 'notAfterMs'>

function signed(of: Signed, subject: Uint8Array, publicKey: Uint8Array, extensions: readonly Buffer[]): string {
  const body = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(positive(of.serial)),
    algorithm(),
    nameOf(of.issuer.subject),
    sequence(time(of.notBeforeMs), time(of.notAfterMs)),
    subject,
    publicKey,
    tagged(3, sequence(...extensions)),
  )
  const signature = sign('sha256', body, of.issuer.key)
  return pem('CERTIFICATE', sequence(body, algorithm(), bits(signature)))
}

/** DER as PEM. */
function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

const algorithm = (): Buffer => sequence(oid(ECDSA_SHA256))

function positive(serial: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(serial)
  copy[0] = ((copy[0] ?? 0) & 0x7f) | 0x01
  return copy
}

function nameOf(subject: Subject): Buffer {
  const part = (type: string, value: string): Buffer => set(sequence(oid(type), text(value)))
  const organizations = (subject.organizations ?? []).map((organization) => part('2.5.4.10', organization))
  return sequence(...organizations, part('2.5.4.3', subject.commonName))
}

function publicKeyOf(key: KeyObject): Buffer {
  const open = key.type === 'private' ? createPublicKey(key) : key
  return open.export({ type: 'spki', format: 'der' })
}

const keyId = (of: KeyObject): Buffer => createHash('sha1').update(publicKeyOf(of)).digest()

const extension = (id: string, critical: boolean, value: Buffer | Uint8Array): Buffer =>
  critical ? sequence(oid(id), yes(), octets(value)) : sequence(oid(id), octets(value))

function extensions({ use, key, issuer, names = [] }: CertificateRequest): Buffer[] {
  const common = [
    extension('2.5.29.14', false, octets(keyId(key))),
    extension('2.5.29.35', false, sequence(element(0x80, keyId(issuer.key)))),
  ]
  if (use === 'authority')
    return [
      extension('2.5.29.19', true, sequence(yes())),
      extension('2.5.29.15', true, bits(Buffer.from([0x06]), 1)),
      ...common,
    ]
  const alternatives = names.map((name) =>
    isIPv4(name) ? element(0x87, Buffer.from(name.split('.').map(Number))) : element(0x82, Buffer.from(name)),
  )
  return [
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.15', true, bits(Buffer.from([0x80]), 7)),
    extension('2.5.29.37', false, sequence(oid(USES[use]))),
    ...common,
    ...(alternatives.length > 0 ? [extension('2.5.29.17', false, sequence(...alternatives))] : []),
  ]
}
