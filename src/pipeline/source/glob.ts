/**
 * Go's `path.Match` for one path element: `*`, `?`, `[a-z]`, `[^a]`, backslash escapes. A pattern that Go calls malformed matches nothing.
 *
 * Linear in the length of the name times the pattern; never backtracks exponentially.
 */
export function matchElement(pattern: string, name: string): boolean {
  let p = 0
  let n = 0
  let starAt = -1
  let starName = 0
  while (n < name.length) {
    const step = p < pattern.length ? matchOne(pattern, p, name[n] ?? '') : undefined
    if (step === 'malformed') return false
    if (pattern[p] === '*') {
      starAt = p++
      starName = n
    } else if (step !== undefined && step.matched) {
      p = step.next
      n++
    } else if (starAt >= 0) {
      p = starAt + 1
      n = ++starName
    } else return false
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}

type Step = { readonly matched: boolean; readonly next: number }

function matchOne(pattern: string, at: number, char: string): Step | 'malformed' {
  const head = pattern[at]
  if (head === '?') return { matched: true, next: at + 1 }
  if (head === '[') return matchClass(pattern, at + 1, char)
  if (head !== '\\') return { matched: head === char, next: at + 1 }
  const escaped = pattern[at + 1]
  return escaped === undefined ? 'malformed' : { matched: escaped === char, next: at + 2 }
}

function matchClass(pattern: string, from: number, char: string): Step | 'malformed' {
  let at = from
  const isNegated = pattern[at] === '^'
  if (isNegated) at++
  let isInside = false
  for (let count = 0; ; count++) {
    if (pattern[at] === ']' && count > 0) return { matched: isInside !== isNegated, next: at + 1 }
    const low = classChar(pattern, at)
    if (low === undefined) return 'malformed'
    at = low.next
    let high = low
    if (pattern[at] === '-') {
      const end = classChar(pattern, at + 1)
      if (end === undefined) return 'malformed'
      high = end
      at = end.next
    }
    if (low.char <= char && char <= high.char) isInside = true
  }
}

function classChar(pattern: string, at: number): { readonly char: string; readonly next: number } | undefined {
  const char = pattern[at]
  if (char === undefined || char === '-' || char === ']') return undefined
  if (char !== '\\') return { char, next: at + 1 }
  const escaped = pattern[at + 1]
  return escaped === undefined ? undefined : { char: escaped, next: at + 2 }
}
