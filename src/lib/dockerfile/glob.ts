/** A pattern that was read. Matching takes time in proportion to pattern times text, whatever they are. */
export type Glob = {
  readonly test: (text: string) => boolean
  /** The ends of matches that start at a position, shortest first. */
  readonly endsFrom: (text: string, from: number) => number[]
}

type Token =
  | { readonly is: 'char'; readonly accepts: (char: string) => boolean }
  | { readonly is: 'star'; readonly crosses: boolean }
  /** `**` with its slash: nothing, or anything up to a slash. */
  | { readonly is: 'folders' }

/**
 * Reads a pattern of Go's `filepath.Match` (`*`, `?`, `[a-z]`, `\x`) with `**` for any number of folders.
 *
 * @param o.slashIsPlain `*` and `?` match a slash too, as in shell variables
 */
export function parseGlob(pattern: string, o: { readonly slashIsPlain?: boolean } = {}): Glob {
  const tokens = tokenize(pattern, o.slashIsPlain ?? false)
  const endsFrom = (text: string, from: number): number[] => {
    let reached: number[] = [from]
    for (const token of tokens) {
      reached = step(token, text, reached)
      if (reached.length === 0) return []
    }
    return reached
  }
  return { endsFrom, test: (text) => endsFrom(text, 0).at(-1) === text.length }
}

function tokenize(pattern: string, slashIsPlain: boolean): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern.charAt(at)
    if (char === '*' && pattern.charAt(at + 1) === '*' && !slashIsPlain) {
      const slash = pattern.charAt(at + 2) === '/'
      tokens.push(slash ? { is: 'folders' } : { is: 'star', crosses: true })
      at += slash ? 2 : 1
    } else if (char === '*') tokens.push({ is: 'star', crosses: slashIsPlain })
    else if (char === '?') tokens.push({ is: 'char', accepts: (each) => slashIsPlain || each !== '/' })
    else if (char === '[' && pattern.indexOf(']', at + 2) > 0) {
      const end = pattern.indexOf(']', at + 2)
      tokens.push({ is: 'char', accepts: classOf(pattern.slice(at + 1, end)) })
      at = end
    } else {
      const literal = char === '\\' && at + 1 < pattern.length ? pattern.charAt(++at) : char
      tokens.push({ is: 'char', accepts: (each) => each === literal })
    }
  }
  return tokens
}

/** The positions, ascending, that a token leads to from those reached before. */
function step(token: Token, text: string, reached: readonly number[]): number[] {
  if (token.is === 'char')
    return reached.flatMap((at) => (at < text.length && token.accepts(text.charAt(at)) ? [at + 1] : []))
  const found: number[] = []
  let open = false
  let next = 0
  for (let at = reached[0] ?? 0; at <= text.length; at++) {
    const isStart = reached[next] === at
    if (isStart) next++
    open ||= isStart
    if (isStart || (open && (token.is === 'star' || text.charAt(at - 1) === '/'))) found.push(at)
    if (token.is === 'star' && !token.crosses && text.charAt(at) === '/') open = false
    if (!open && next >= reached.length) break
  }
  return found
}

function classOf(text: string): (char: string) => boolean {
  const isNegated = /^[!^]/.test(text)
  const body = isNegated ? text.slice(1) : text
  const ranges: [string, string][] = []
  for (let at = 0; at < body.length; at++) {
    const low = body.charAt(at)
    const isRange = body.charAt(at + 1) === '-' && at + 2 < body.length
    ranges.push([low, isRange ? body.charAt(at + 2) : low])
    if (isRange) at += 2
  }
  return (char) => char !== '/' && ranges.some(([low, high]) => char >= low && char <= high) !== isNegated
}
