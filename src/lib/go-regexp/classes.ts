/** Character ranges as flat pairs of code points: `[48, 57]` is 0 to 9. */
export type Ranges = readonly number[]

const DIGIT: Ranges = [48, 57]
const SPACE: Ranges = [9, 10, 12, 13, 32, 32]
const WORD: Ranges = [48, 57, 65, 90, 95, 95, 97, 122]

/** The last code point. */
export const LAST = 0x10ffff

/** What `\d`, `\s` and `\w` stand for in Go: ASCII only. */
export const PERL: ReadonlyMap<string, Ranges> = new Map([
  ['d', DIGIT],
  ['s', SPACE],
  ['w', WORD],
])

/** `[[:name:]]` classes. */
export const POSIX: ReadonlyMap<string, Ranges> = new Map([
  ['alnum', [48, 57, 65, 90, 97, 122]],
  ['alpha', [65, 90, 97, 122]],
  ['ascii', [0, 127]],
  ['blank', [9, 9, 32, 32]],
  ['cntrl', [0, 31, 127, 127]],
  ['digit', DIGIT],
  ['graph', [33, 126]],
  ['lower', [97, 122]],
  ['print', [32, 126]],
  ['punct', [33, 47, 58, 64, 91, 96, 123, 126]],
  ['space', [9, 13, 32, 32]],
  ['upper', [65, 90]],
  ['word', WORD],
  ['xdigit', [48, 57, 65, 70, 97, 102]],
])

/** The same code points in sorted ranges that neither touch nor overlap, as {@link contains} wants them. */
export function tidy(ranges: Ranges): Ranges {
  const pairs: [number, number][] = []
  for (let i = 0; i < ranges.length; i += 2) pairs.push([ranges[i] ?? 0, ranges[i + 1] ?? 0])
  pairs.sort((a, b) => a[0] - b[0])
  const tidied: number[] = []
  for (const [low, high] of pairs) {
    const end = tidied.at(-1)
    if (end === undefined || low > end + 1) tidied.push(low, high)
    else tidied[tidied.length - 1] = Math.max(end, high)
  }
  return tidied
}

/** Every code point outside the ranges. */
export function invert(ranges: Ranges): Ranges {
  const inverted: number[] = []
  let from = 0
  const tidied = tidy(ranges)
  for (let i = 0; i < tidied.length; i += 2) {
    const low = tidied[i] ?? 0
    if (low > from) inverted.push(from, low - 1)
    from = (tidied[i + 1] ?? 0) + 1
  }
  if (from <= LAST) inverted.push(from, LAST)
  return inverted
}

/** Whether a code point is in tidy ranges. */
export function contains(ranges: Ranges, code: number): boolean {
  if (ranges.length === 2) return code >= (ranges[0] ?? 0) && code <= (ranges[1] ?? 0)
  let [low, high] = [0, ranges.length / 2]
  while (low < high) {
    const middle = (low + high) >> 1
    if (code < (ranges[middle * 2] ?? 0)) high = middle
    else if (code > (ranges[middle * 2 + 1] ?? 0)) low = middle + 1
    else return true
  }
  return false
}
