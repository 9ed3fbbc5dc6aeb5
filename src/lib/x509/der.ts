/** One DER element: tag, length, content. */
export function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body])
}

function lengthOf(length: number): Buffer {
  if (length < 128) return Buffer.from([length])
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return Buffer.from([0x80 | bytes.length, ...bytes])
}

/** SEQUENCE. */
export const sequence = (...content: readonly Uint8Array[]): Buffer => element(0x30, ...content)

/** SET. */
export const set = (...content: readonly Uint8Array[]): Buffer => element(0x31, ...content)

/** A context-specific, constructed tag. */
export const tagged = (tag: number, ...content: readonly Uint8Array[]): Buffer => element(0xa0 | tag, ...content)

/** BOOLEAN TRUE. */
export const yes = (): Buffer => element(0x01, Buffer.from([0xff]))

/** OCTET STRING. */
export const octets = (content: Uint8Array): Buffer => element(0x04, content)

/** BIT STRING; `unused` counts the bits at the end that do not count. */
export const bits = (content: Uint8Array, unused = 0): Buffer => element(0x03, Buffer.from([unused]), content)

/** UTF8String. */
export const text = (value: string): Buffer => element(0x0c, Buffer.from(value, 'utf8'))

/** INTEGER from unsigned big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const trimmed = bytes.subarray(start)
  return element(0x02, (trimmed[0] ?? 0) >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0), trimmed)
}

/** OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const septets = [arc % 128]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) septets.unshift(0x80 | (left % 128))
    bytes.push(...septets)
  }
  return element(0x06, Buffer.from(bytes))
}

/** UTCTime before 2050, GeneralizedTime from then on (RFC 5280 4.1.2.5). */
export function time(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replace(/[-:T]|\.\d+/g, '')
  return digits < '2050' ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits))
}
