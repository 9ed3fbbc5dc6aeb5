/**
 * Orders mapping keys as Go's yaml.v2 prints them: letters after everything else, digit runs by their number.
 *
 * @see https://github.com/go-yaml/yaml/blob/v2/sorter.go
 */
function compareKeys(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return x > 127 || y > 127 ? compareRunes(a, b) : compareAt(a, b, i, x, y)
  }
  return a.length - b.length
}

/** Sorts keys in place and returns them; most mappings are small and nearly sorted. */
export function sortKeys(keys: string[]): string[] {
  if (keys.length > 24) return keys.sort(compareKeys)
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i] ?? ''
    let j = i - 1
    while (j >= 0 && compareKeys(keys[j] ?? '', key) > 0) {
      keys[j + 1] = keys[j] ?? ''
      j--
    }
    keys[j + 1] = key
  }
  return keys
}

function isAsciiLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90)
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

function compareAt(a: string, b: string, i: number, x: number, y: number): number {
  const xLetter = isAsciiLetter(x)
  const yLetter = isAsciiLetter(y)
  if (xLetter && yLetter) return x - y
  if (xLetter || yLetter) return yLetter ? -1 : 1
  return compareNumbers(a, b, i) || x - y
}

/** Compares the digit runs that start at `i`; digits before it count when one of the runs begins with a zero. */
function compareNumbers(a: string, b: string, i: number): number {
  let before = ''
  if (a.charCodeAt(i) === 48 || b.charCodeAt(i) === 48) {
    for (let j = i - 1; j >= 0 && isDigit(a.charCodeAt(j)); j--) {
      if (a.charCodeAt(j) === 48) continue
      before = '1'
      break
    }
  }
  const [aEnd, bEnd] = [endOfDigits(a, i), endOfDigits(b, i)]
  const [x, y] = [before + a.slice(i, aEnd), before + b.slice(i, bEnd)]
  const byNumber = Math.max(x.length, y.length) < 16 ? Number(x) - Number(y) : compareWrapped(x, y)
  return byNumber || aEnd - bEnd
}

function endOfDigits(text: string, from: number): number {
  let end = from
  while (isDigit(text.charCodeAt(end))) end++
  return end
}

/** Numbers as Go has them in 64 bits, where large ones wrap around. */
function compareWrapped(a: string, b: string): number {
  const [x, y] = [BigInt.asIntN(64, BigInt(a || 0)), BigInt.asIntN(64, BigInt(b || 0))]
  return x < y ? -1 : x > y ? 1 : 0
}

/** The slow way, for keys that are not ASCII: by code points and Unicode letters. */
function compareRunes(a: string, b: string): number {
  const x = Array.from(a)
  const y = Array.from(b)
  for (let i = 0; i < x.length && i < y.length; i++) {
    const p = x[i] ?? ''
    const q = y[i] ?? ''
    if (p === q) continue
    const pLetter = /\p{L}/u.test(p)
    const qLetter = /\p{L}/u.test(q)
    const byCode = (p.codePointAt(0) ?? 0) - (q.codePointAt(0) ?? 0)
    if (pLetter && qLetter) return byCode
    if (pLetter || qLetter) return qLetter ? -1 : 1
    return compareNumbers(x.slice(i).join(''), y.slice(i).join(''), 0) || byCode
  }
  return x.length - y.length
}
