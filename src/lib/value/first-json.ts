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
  const mark = /["[\]{}]/g
  mark.lastIndex = start
  let depth = 0
  for (let found = mark.exec(text); found; found = mark.exec(text)) {
    if (found[0] === '"') mark.lastIndex = endOfString(text, found.index)
    else if (found[0] === '[' || found[0] === '{') depth++
    else depth--
    if (depth <= 0) return mark.lastIndex
  }
  return text.length
}

/** Behind the quote that closes a string, or the end of the text: each character is looked at once, so that a hostile body costs no more than its length. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '"') return at + 1
    if (text[at] === '\\') at++
  }
  return text.length
}
