/** Character ranges as flat pairs of code points: `[48, 57]` is 0 to 9. */
export type Ranges = readonly number[]

const DIGIT: Ranges = [48, 57]
const SPACE: Ranges = [9, 10, 12, 13, 32, 32]
const WORD: Ranges = [48, 57, 65, 90, 95, 95, 97, 122]

/** What `\d`, `\s` and `\w` stand for in Go: ASCII only. */
export const PERL: Readonly<Record<string, Ranges>> = { d: DIGIT, s: SPACE, w: WORD }

/** `[[:name:]]` classes. */
export const POSIX: Readonly<Record<string, Ranges>> = {
  alnum: [48, 57, 65, 90, 97, 122],
  alpha: [65, 90, 97, 122],
  ascii: [0, 127],
  blank: [9, 9, 32, 32],
  cntrl: [0, 31, 127, 127],
  digit: DIGIT,
  graph: [33, 126],
  lower: [97, 122],
  print: [32, 126],
  punct: [33, 47, 58, 64, 91, 96, 123, 126],
  space: [9, 13, 32, 32],
  upper: [65, 90],
  word: WORD,
  xdigit: [48, 57, 65, 70, 97, 102],
}

/** Every code point outside the ranges. */
export function invert(ranges: Ranges): Ranges {
  const pairs: [number, number][] = []
  for (let i = 0; i < ranges.length; i += 2) pairs.push([ranges[i] ?? 0, ranges[i + 1] ?? 0])
  pairs.sort((a, b) => a[0] - b[0])
  const inverted: number[] = []
  let from = 0
  for (const [low, high] of pairs) {
    if (low > from) inverted.push(from, low - 1)
    from = Math.max(from, high + 1)
  }
  if (from <= 0x10ffff) inverted.push(from, 0x10ffff)
  return inverted
}

/** Whether a code point is in the ranges; with case folding, its other case counts too. */
export function contains(ranges: Ranges, code: number, foldsCase: boolean): boolean {
  if (isIn(ranges, code)) return true
  if (!foldsCase) return false
  const text = String.fromCodePoint(code)
  return [text.toLowerCase(), text.toUpperCase()].some((other) => {
    const folded = other.codePointAt(0) ?? code
    return folded !== code && isIn(ranges, folded)
  })
}

function isIn(ranges: Ranges, code: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) if (code >= (ranges[i] ?? 0) && code <= (ranges[i + 1] ?? 0)) return true
  return false
}
