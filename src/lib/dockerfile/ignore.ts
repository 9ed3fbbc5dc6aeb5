/** Says whether a path of the context (relative, `/` between) is left out by a `.dockerignore`. */
export type Ignore = {
  readonly isIgnored: (path: string) => boolean
  /** True when nothing below a left-out folder can come back by a `!` line: then it need not be read. */
  readonly isPruned: (folder: string) => boolean
}

/**
 * Reads a `.dockerignore`: `#` comments, `*`, `?`, `[a-z]`, `**`, and `!` for exceptions; the last line that matches a path or
 * a folder above it decides.
 *
 * @see https://docs.docker.com/build/concepts/context/#dockerignore-files
 */
export function parseDockerignore(text: string): Ignore {
  const rules = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => {
      const isException = line.startsWith('!')
      const pattern = clean(isException ? line.slice(1).trim() : line)
      return pattern === '' ? [] : [{ isException, matches: patternOf(pattern) }]
    })
  const hasExceptions = rules.some(({ isException }) => isException)
  const isIgnored = (path: string): boolean => {
    const steps = stepsOf(path)
    let ignored = false
    for (const { isException, matches } of rules)
      if (isException === ignored && steps.some((step) => matches.test(step))) ignored = !isException
    return ignored
  }
  return { isIgnored, isPruned: (folder) => !hasExceptions && isIgnored(folder) }
}

/** A Go `filepath.Match` pattern with `**`, anchored at both ends. */
export function patternOf(pattern: string): RegExp {
  let source = ''
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern.charAt(at)
    if (char === '*' && pattern.charAt(at + 1) === '*') {
      const slash = pattern.charAt(at + 2) === '/'
      source += slash ? '(?:.*/)?' : '.*'
      at += slash ? 2 : 1
    } else if (char === '*') source += '[^/]*'
    else if (char === '?') source += '[^/]'
    else if (char === '[') {
      const end = pattern.indexOf(']', at + 2)
      if (end < 0) {
        source += '\\['
        continue
      }
      source += `[${pattern.slice(at + 1, end).replace(/[\\[\]]/g, '\\$&')}]`
      at = end
    } else if (char === '\\' && at + 1 < pattern.length) source += escapeChar(pattern.charAt(++at))
    else source += escapeChar(char)
  }
  return new RegExp(`^${source}$`, 's')
}

function clean(pattern: string): string {
  const parts = pattern.split('/').filter((part) => part !== '' && part !== '.')
  const kept: string[] = []
  for (const part of parts) {
    if (part === '..') kept.pop()
    else kept.push(part)
  }
  return kept.join('/')
}

function stepsOf(path: string): string[] {
  const parts = path.split('/')
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}

function escapeChar(char: string): string {
  return char.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}
