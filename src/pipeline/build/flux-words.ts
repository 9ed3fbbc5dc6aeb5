/**
 * Says a fault of a build in the words of Flux's own builder, which is built with other versions of the same libraries than kustomize is.
 *
 * @param line where the fault was seen, counted from 1
 * @param text the file it was seen in, when it is known
 */
export function fluxWords(message: string, line: number | undefined, text: string | undefined): string {
  const words = message
    .replace('missing kind in object {{ } {{ } map[] map[]}}', 'missing Resource metadata')
    .replace(
      /remove operation does not apply: doc is missing path: "([^"]*)": (Unable to remove nonexistent key)/,
      "error in remove for path: '$1': $2",
    )
  const decode = /^(failed to decode Kubernetes YAML from \S+: )(?!MalformedYAMLError|missing)(.*)$/s.exec(words)
  if (!decode || line === undefined) return words
  const [, what = '', why = ''] = decode
  return `${what}MalformedYAMLError: yaml: line ${goLine(why, line, text)}: ${why}`
}

/**
 * Go's parser names the line before the collection that is not closed, or the one before the place when that is the first line; its scanner
 * names the place.
 */
function goLine(why: string, line: number, text: string | undefined): number {
  const closer = /^did not find expected ',' or '([\]}])'/.exec(why)?.[1]
  if (closer === undefined || text === undefined) return line
  const opener = unclosedLine(text.split('\n').slice(0, line).join('\n'), closer)
  return opener > 1 ? opener - 1 : Math.max(line - 1, 1)
}

/** The line of the innermost bracket that is not closed at the end of a text. */
function unclosedLine(text: string, closer: string): number {
  const open = closer === ']' ? '[' : '{'
  let depth = 0
  for (let at = text.length - 1; at >= 0; at--) {
    if (text[at] === closer) depth++
    if (text[at] === open && depth-- === 0) return text.slice(0, at).split('\n').length
  }
  return 1
}
