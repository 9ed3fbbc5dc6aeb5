/**
 * The first value of a text that is JSON, whatever stands behind it: a sender's body is read like a stream by Go.
 *
 * @returns undefined when the text does not begin with a value
 */
export function firstJson(text: string): { readonly value: unknown } | undefined {
  const start = /^[ \t\r\n]*/.exec(text)?.[0].length ?? 0
  try {
    return { value: JSON.parse(text.slice(start, endOf(text, start))) }
  } catch {
    return undefined
  }
}

function endOf(text: string, start: number): number {
  if (!/["[{]/.test(text[start] ?? '')) return start + (/^[^ \t\r\n,:\]}"[{]*/.exec(text.slice(start))?.[0].length ?? 0)
  const token = /"(?:[^"\\]|\\.)*"|[[\]{}]/gs
  token.lastIndex = start
  let depth = 0
  for (let found = token.exec(text); found; found = token.exec(text)) {
    if (found[0] === '[' || found[0] === '{') depth++
    else if (found[0] === ']' || found[0] === '}') depth--
    if (depth <= 0) return token.lastIndex
  }
  return text.length
}
