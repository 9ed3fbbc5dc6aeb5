type Atom =
  { readonly fits: (char: string) => boolean; readonly times: 'one' | 'optional' | 'plus' | 'star' } | 'folders'

const ANY = (): boolean => true
const NOT_SLASH = (char: string): boolean => char !== '/'

/**
 * Tells whether a name or path fits one of GitHub's filter patterns (without a leading `!`).
 *
 * `*` stops at `/`, `**` does not, `?` and `+` repeat what stands before them, `[a-z]` is a set, `\` takes the next character as it is.
 * Time grows with pattern times text, whatever the pattern.
 * @see https://docs.github.com/actions/reference/workflow-syntax-for-github-actions#filter-pattern-cheat-sheet
 */
export function fitsPattern(pattern: string, text: string): boolean {
  let reached = new Uint8Array(text.length + 1)
  reached[0] = 1
  for (const atom of compile(pattern)) reached = advance(reached, atom, text)
  return reached[text.length] === 1
}

/** Walks a list of patterns in order; `!` takes back what an earlier one allowed. */
export function fitsPatterns(patterns: readonly string[], text: string): boolean {
  let fits = false
  for (const pattern of patterns) {
    const isNegated = pattern.startsWith('!')
    if (fitsPattern(isNegated ? pattern.slice(1) : pattern, text)) fits = !isNegated
  }
  return fits
}

function compile(pattern: string): readonly Atom[] {
  const atoms: Atom[] = []
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] ?? ''
    const last = atoms.at(-1)
    if (pattern.startsWith('**/', at) && (at === 0 || pattern[at - 1] === '/')) {
      atoms.push('folders')
      at += 2
    } else if (pattern.startsWith('**', at)) {
      atoms.push({ fits: ANY, times: 'star' })
      at += 1
    } else if (char === '*') atoms.push({ fits: NOT_SLASH, times: 'star' })
    else if (char === '?' && last !== undefined && last !== 'folders' && last.times === 'one')
      atoms[atoms.length - 1] = { ...last, times: 'optional' }
    else if (char === '+' && last !== undefined && last !== 'folders' && last.times === 'one')
      atoms[atoms.length - 1] = { ...last, times: 'plus' }
    else if (char === '[' && pattern.indexOf(']', at + 1) > 0) {
      const end = pattern.indexOf(']', at + 1)
      atoms.push({ fits: charSet(pattern.slice(at + 1, end)), times: 'one' })
      at = end
    } else {
      const wanted = char === '\\' && at + 1 < pattern.length ? (pattern[++at] ?? '') : char
      atoms.push({ fits: (one) => one === wanted, times: 'one' })
    }
  }
  return atoms
}

function charSet(text: string): (char: string) => boolean {
  const ranges: [string, string][] = []
  for (let at = 0; at < text.length; at++) {
    const from = text[at] ?? ''
    const to = text[at + 1] === '-' ? text[at + 2] : undefined
    ranges.push([from, to ?? from])
    if (to !== undefined) at += 2
  }
  return (char) => ranges.some(([from, to]) => char >= from && char <= to)
}

/** Where the text may be after one more atom, from where it may be now. */
function advance(from: Uint8Array, atom: Atom, text: string): Uint8Array<ArrayBuffer> {
  const to = new Uint8Array(from.length)
  if (atom === 'folders') {
    let isInside = false
    for (let at = 0; at < from.length; at++) {
      if (from[at] === 1 || (isInside && text[at - 1] === '/')) to[at] = 1
      isInside ||= from[at] === 1
    }
    return to
  }
  const mayStay = atom.times === 'optional' || atom.times === 'star'
  const mayRepeat = atom.times === 'plus' || atom.times === 'star'
  for (let at = 0; at < from.length; at++) {
    if (mayStay && from[at] === 1) to[at] = 1
    if (at === 0 || !atom.fits(text[at - 1] ?? '')) continue
    if (from[at - 1] === 1 || (mayRepeat && to[at - 1] === 1)) to[at] = 1
  }
  return to
}
