/** A duration read, in nanoseconds; or what Go says of a text that is none. */
export type GoDuration = { readonly ns: bigint } | { readonly fault: string }

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1000n],
  ['µs', 1000n],
  ['μs', 1000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
])
/** As much as 64 bits hold below zero; above it is one less. */
const MOST = 2n ** 63n
const MOST_DIGITS = String(MOST).length

/** Reads a duration as Go's `time.ParseDuration` does: `1h30m`, `-1.5s`, `.5ms`, `0`. */
export function parseGoDuration(text: string): GoDuration {
  const invalid = { fault: `invalid duration ${quote(text)}` }
  const isNegative = text.startsWith('-')
  let rest = text.replace(/^[-+]/, '')
  if (rest === '0') return { ns: 0n }
  if (rest === '') return invalid
  let ns = 0n
  while (rest !== '') {
    const [all = '', whole = '', fraction, unit = ''] = /^(\d*)(?:\.(\d*))?([^\d.]*)/.exec(rest) ?? []
    const digits = whole.replace(/^0+/, '')
    if (whole + (fraction ?? '') === '' || digits.length > MOST_DIGITS || BigInt(digits) > MOST) return invalid
    if (unit === '') return { fault: `missing unit in duration ${quote(text)}` }
    const size = UNITS.get(unit)
    if (size === undefined) return { fault: `unknown unit ${quote(unit)} in duration ${quote(text)}` }
    ns += BigInt(digits) * size + part(fraction ?? '', size)
    if (ns > MOST) return invalid
    rest = rest.slice(all.length)
  }
  if (isNegative) return { ns: -ns }
  return ns === MOST ? invalid : { ns }
}

/** A fraction of a unit, as exact as a float of 64 bits; digits that 63 bits do not hold are left out. */
function part(fraction: string, unit: bigint): bigint {
  let digits = 0n
  let scale = 1
  for (const digit of fraction) {
    const next = digits * 10n + BigInt(digit)
    if (digits > (MOST - 1n) / 10n || next > MOST) break
    digits = next
    scale *= 10
  }
  return BigInt(Math.trunc(Number(digits) * (Number(unit) / scale)))
}

/** Writes a duration as Go does: `10m0s`, `1h0m0s`, `5.03s`, `12.5ms`, `3µs`, `0s`. */
export function renderGoDuration(ns: bigint): string {
  if (ns < 0n) return `-${renderGoDuration(-ns)}`
  if (ns === 0n) return '0s'
  if (ns < 1000n) return `${ns}ns`
  if (ns < 1_000_000n) return `${decimal(ns, 3)}µs`
  if (ns < 1_000_000_000n) return `${decimal(ns, 6)}ms`
  const seconds = ns / 1_000_000_000n
  const [hours, minutes] = [seconds / 3600n, (seconds / 60n) % 60n]
  const last = `${decimal(ns % 60_000_000_000n, 9)}s`
  if (hours > 0n) return `${hours}h${minutes}m${last}`
  return minutes > 0n ? `${minutes}m${last}` : last
}

function decimal(value: bigint, places: number): string {
  const digits = String(value).padStart(places + 1, '0')
  const fraction = digits.slice(-places).replace(/0+$/, '')
  return `${digits.slice(0, -places)}${fraction === '' ? '' : `.${fraction}`}`
}

/** The quotes of Go's package `time`, which writes every byte outside ASCII as `\x…`. */
function quote(text: string): string {
  const bytes = Buffer.from(text, 'utf8').toString('latin1')
  const escaped = bytes.replace(/["\\]|[^ -~\x7f]/g, (char) =>
    char === '"' || char === '\\' ? `\\${char}` : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
  return `"${escaped}"`
}
