const CHARACTERS = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
const CHECKSUM_LENGTH = 6

/**
 * What is wrong with a Bech32 text, in the words of age's own reader; undefined when nothing is.
 *
 * @see https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki
 */
export function bech32Fault(text: string): string | undefined {
  if (text !== text.toLowerCase() && text !== text.toUpperCase()) return 'mixed case'
  const at = text.lastIndexOf('1')
  if (at < 1 || at + 1 + CHECKSUM_LENGTH > text.length)
    return `separator '1' at invalid position: pos=${at}, len=${text.length}`
  const plain = text.toLowerCase()
  const data = [...plain.slice(at + 1)].map((one) => CHARACTERS.indexOf(one))
  const strange = data.indexOf(-1)
  if (strange >= 0) return `invalid character data part: s[${strange}]=${plain.codePointAt(at + 1 + strange)}`
  const prefix = [...plain.slice(0, at)].map((one) => one.codePointAt(0) ?? 0)
  const whole = [...prefix.map((code) => code >> 5), 0, ...prefix.map((code) => code & 31), ...data]
  return polymod(whole) === 1 ? undefined : 'invalid checksum'
}

function polymod(values: readonly number[]): number {
  let sum = 1
  for (const value of values) {
    const top = sum >>> 25
    sum = ((sum & 0x1ffffff) << 5) ^ value
    for (const [bit, factor] of GENERATOR.entries()) if ((top >> bit) & 1) sum ^= factor
  }
  return sum
}
