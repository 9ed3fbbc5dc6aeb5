import { parseGlob } from './glob.ts'

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
      return pattern === '' ? [] : [{ isException, matches: parseGlob(pattern) }]
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
