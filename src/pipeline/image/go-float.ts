const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/
const HEX = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/
const INFINITE = /^([+-]?)inf(?:inity)?$/i

/** Reads a number as Go's `strconv.ParseFloat(s, 64)` does; undefined when it is none, or not a finite one that was not written as infinity. */
export function parseGoFloat(written: string): number | undefined {
  if (written.length > 256) return undefined
  const text = joinDigits(written)
  if (DECIMAL.test(text)) return finite(Number(text))
  const infinite = INFINITE.exec(text)
  if (infinite) return infinite[1] === '-' ? -Infinity : Infinity
  const hex = HEX.exec(text)
  if (!hex || `${hex[2]}${hex[3]}` === '') return undefined
  const digits = parseInt(`${hex[2]}${hex[3]}`, 16)
  const value = digits * 2 ** (Number(hex[4]) - 4 * (hex[3] ?? '').length)
  return finite(hex[1] === '-' ? -value : value)
}

/** An underscore between two digits, or behind `0x`, parts them for the eye only. */
function joinDigits(text: string): string {
  return /^[+-]?0x/i.test(text)
    ? text.replace(/(?<=^[+-]?0x|[0-9a-f])_(?=[0-9a-f])/gi, '')
    : text.replace(/(?<=[0-9])_(?=[0-9])/g, '')
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined
}
