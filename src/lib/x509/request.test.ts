import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSigningRequest } from './request.ts'

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag, 0x84, 0, 0, content.length >> 8, content.length & 255]), content])
}
const ORGANIZATION = Buffer.from('55040a', 'hex')

function requestOf(tag: number, text: Uint8Array): string {
  const name = der(0x30, der(0x31, der(0x30, der(0x06, ORGANIZATION), der(tag, text))))
  const whole = der(0x30, der(0x30, der(0x02, Buffer.from([0])), name, der(0x30)), der(0x30), der(0x03))
  return `-----BEGIN CERTIFICATE REQUEST-----\n${whole.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
}

const MASTERS = 'system:masters'
const wide = Buffer.concat([...MASTERS].map((letter) => Buffer.from([0, 0, 0, letter.charCodeAt(0)])))
const forms: [it: string, tag: number, text: Buffer][] = [
  ['UTF8String', 0x0c, Buffer.from(MASTERS)],
  ['PrintableString', 0x13, Buffer.from(MASTERS)],
  ['T61String', 0x14, Buffer.from(MASTERS)],
  ['UniversalString', 0x1c, wide],
  ['BMPString', 0x1e, Buffer.from(MASTERS, 'utf16le').swap16()],
]
for (const [it, tag, text] of forms)
  test(`an organization is read from a ${it}, as whoever reads the certificate does`, () =>
    assert.deepEqual(readSigningRequest(requestOf(tag, text))?.organizations, [MASTERS]))
