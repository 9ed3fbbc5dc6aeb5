const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/
const HEX = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/
const INFINITE = /^([+-]?)inf(?:inity)?$/i

/** Reads a number as Go's `strconv.ParseFloat(s, 64)` does; undefined when it is none, or not a finite one that was not written as infinity. */
export function parseGoFloat(text: string): number | undefined {
  if (text.length > 256) return undefined
  if (DECIMAL.test(text)) return finite(Number(text))
  const infinite = INFINITE.exec(text)
  if (infinite) return infinite[1] === '-' ? -Infinity : Infinity
  const hex = HEX.exec(text)
  if (!hex || `${hex[2]}${hex[3]}` === '') return undefined
  const digits = parseInt(`${hex[2]}${hex[3]}`, 16)
  const value = digits * 2 ** (Number(hex[4]) - 4 * (hex[3] ?? '').length)
  return finite(hex[1] === '-' ? -value : value)
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined
}
