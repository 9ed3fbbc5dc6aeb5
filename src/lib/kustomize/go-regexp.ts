import { buildError } from './failure.ts'

/** Compiles a Go regular expression; leading flags such as `(?i)` become the engine's. */
export function goRegExp(pattern: string): RegExp {
  const flags = /^\(\?([ims]+)\)/.exec(pattern)
  const body = (flags ? pattern.slice(flags[0].length) : pattern)
    .replaceAll('\\z', '$')
    .replaceAll('\\A', '^')
    .replaceAll('(?P<', '(?<')
    .replaceAll('[[:alnum:]]', '[0-9A-Za-z]')
    .replaceAll('[[:alpha:]]', '[A-Za-z]')
    .replaceAll('[[:digit:]]', '[0-9]')
  try {
    return new RegExp(body, flags?.[1] ?? '')
  } catch {
    throw buildError(`error parsing regexp: \`${pattern}\``)
  }
}

/** A test for a whole text; an empty pattern takes everything. */
export function anchored(pattern: string | undefined): (text: string) => boolean {
  if (!pattern) return () => true
  if (/^[A-Za-z0-9/_-]+$/.test(pattern)) return (text) => text === pattern
  const flags = /^\(\?[ims]+\)/.exec(pattern)?.[0] ?? ''
  const expression = goRegExp(`${flags}^(?:${pattern.slice(flags.length)})$`)
  return (text) => expression.test(text)
}
