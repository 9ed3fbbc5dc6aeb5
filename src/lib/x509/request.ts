import { createPublicKey, verify } from 'node:crypto'

/** A request for a certificate (PKCS #10): what a signer must know of it. */
export type SigningRequest = {
  /** The subject as it stands there, in DER. */
  readonly subject: Uint8Array
  readonly commonName: string
  readonly organizations: readonly string[]
  /** The public key in DER (SPKI). */
  readonly publicKey: Uint8Array
  /** The alternative names in DER, and of which kinds they are. */
  readonly alternatives: { readonly der: Uint8Array; readonly kinds: readonly AlternativeKind[] } | undefined
  /** True when who asks has the key. */
  readonly isSigned: boolean
}

export type AlternativeKind = 'email' | 'dns' | 'uri' | 'ip' | 'other'

type Element = { readonly tag: number; readonly content: Buffer; readonly whole: Buffer }

const PEM = /-----BEGIN CERTIFICATE REQUEST-----([^-]*)-----END CERTIFICATE REQUEST-----/
const [COMMON_NAME, ORGANIZATION] = ['550403', '55040a']
const [EXTENSIONS, ALTERNATIVES] = ['2a864886f70d01090e', '551d11']
const ATTRIBUTES = 0xa0
const [T61_STRING, UNIVERSAL_STRING, BMP_STRING] = [0x14, 0x1c, 0x1e]
const KINDS: Readonly<Record<number, AlternativeKind>> = { 0x81: 'email', 0x82: 'dns', 0x86: 'uri', 0x87: 'ip' }
/** Digests by the algorithm of the signature; none where the algorithm has its own. */
const DIGESTS: Readonly<Record<string, string | null>> = {
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2b6570': null,
}

/**
 * Reads a request for a certificate.
 *
 * @param pem PEM text; what stands around the request does not count
 * @returns undefined for what is no such request
 * @see https://www.rfc-editor.org/rfc/rfc2986#section-4
 */
export function readSigningRequest(pem: string): SigningRequest | undefined {
  const encoded = PEM.exec(pem)?.[1]
  if (encoded === undefined) return undefined
  const [info, algorithm, signature] = inside(elementsOf(Buffer.from(encoded, 'base64'))[0])
  const [, subject, publicKey, ...others] = inside(info)
  if (info === undefined || subject === undefined || publicKey === undefined) return undefined
  const names = inside(subject).flatMap(inside).map(inside)
  const named = (type: string): string[] => names.filter(([id]) => isId(id, type)).map(([, value]) => textOf(value))
  return {
    subject: subject.whole,
    commonName: named(COMMON_NAME).at(-1) ?? '',
    organizations: named(ORGANIZATION),
    publicKey: publicKey.whole,
    alternatives: alternativesIn(others.find(({ tag }) => tag === ATTRIBUTES)),
    isSigned: isSigned(info, publicKey, inside(algorithm)[0], signature),
  }
}

function alternativesIn(attributes: Element | undefined): SigningRequest['alternatives'] {
  const extensions = inside(attributes)
    .map(inside)
    .find(([id]) => isId(id, EXTENSIONS))?.[1]
  const extension = inside(inside(extensions)[0])
    .map(inside)
    .find(([id]) => isId(id, ALTERNATIVES))
  const der = extension?.at(-1)?.content
  if (der === undefined) return undefined
  return { der, kinds: inside(elementsOf(der)[0]).map(({ tag }) => KINDS[tag] ?? 'other') }
}

function isSigned(info: Element, key: Element, id: Element | undefined, signature: Element | undefined): boolean {
  const digest = DIGESTS[id?.content.toString('hex') ?? '']
  if (digest === undefined || signature === undefined) return false
  try {
    const publicKey = createPublicKey({ key: key.whole, format: 'der', type: 'spki' })
    return verify(digest, info.whole, publicKey, signature.content.subarray(1))
  } catch {
    return false
  }
}

/** Texts may be written in several ways; whoever reads the certificate later knows them all. */
function textOf(element: Element | undefined): string {
  if (element === undefined) return ''
  const { tag, content } = element
  if (tag === BMP_STRING && content.length % 2 === 0) return Buffer.from(content).swap16().toString('utf16le')
  if (tag === UNIVERSAL_STRING && content.length % 4 === 0) {
    const letterAt = (at: number): string => String.fromCodePoint(Math.min(content.readUInt32BE(at * 4), 0x10ffff))
    return Array.from({ length: content.length / 4 }, (_, at) => letterAt(at)).join('')
  }
  return content.toString(tag === T61_STRING ? 'latin1' : 'utf8')
}

const isId = (element: Element | undefined, hex: string): boolean => element?.content.toString('hex') === hex

const inside = (element: Element | undefined): Element[] => (element === undefined ? [] : elementsOf(element.content))

/** The DER elements that stand side by side; what is cut off is none. */
function elementsOf(der: Buffer): Element[] {
  const out: Element[] = []
  for (let at = 0; at + 2 <= der.length;) {
    const first = der[at + 1] ?? 0
    const octets = first < 0x80 ? 0 : first & 0x7f
    if (octets > 4 || at + 2 + octets > der.length) break
    const length = octets === 0 ? first : der.readUIntBE(at + 2, octets)
    const [from, to] = [at + 2 + octets, at + 2 + octets + length]
    if (to > der.length) break
    out.push({ tag: der[at] ?? 0, content: der.subarray(from, to), whole: der.subarray(at, to) })
    at = to
  }
  return out
}
