/**
 * Reads what a step wrote into GITHUB_ENV, GITHUB_OUTPUT or GITHUB_STATE: `name=value`, or `name<<MARK`, lines, `MARK`.
 *
 * @returns the pairs in order, or the fault in words
 * @see https://docs.github.com/actions/reference/workflow-commands-for-github-actions#multiline-strings
 */
export function parseCommandFile(text: string): readonly (readonly [string, string])[] | string {
  const pairs: (readonly [string, string])[] = []
  const lines = text.split(/\r?\n/)
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (line === '') continue
    const equals = line.indexOf('=')
    const mark = line.indexOf('<<')
    if (mark >= 0 && mark + 2 < line.length && (equals < 0 || mark < equals)) {
      const [name, wanted] = [line.slice(0, mark), line.slice(mark + 2)]
      const end = lines.indexOf(wanted, at + 1)
      if (end < 0) return `the value of "${name.slice(0, 80)}" has no end: no line "${wanted.slice(0, 80)}" follows`
      pairs.push([name, lines.slice(at + 1, end).join('\n')])
      at = end
      continue
    }
    if (equals < 1) return `"${line.slice(0, 80)}" is not name=value`
    pairs.push([line.slice(0, equals), line.slice(equals + 1)])
  }
  return pairs
}

/** A `::name key=value::text` line of a step's output. */
export type LogCommand = {
  readonly name: string
  readonly properties: Readonly<Record<string, string>>
  readonly text: string
}

/** Reads a line of output as a command; undefined when it is none. */
export function parseLogCommand(line: string): LogCommand | undefined {
  const match = /^\s*::([a-zA-Z-]+)(.*)$/.exec(line.slice(0, 65_536))
  const rest = match?.[2] ?? ''
  const end = rest.indexOf('::')
  if (!match || end < 0 || (end > 0 && !rest.startsWith(' '))) return undefined
  const properties = rest
    .slice(0, end)
    .split(',')
    .flatMap((part) => {
      const equals = part.indexOf('=')
      return equals > 0 ? [[part.slice(0, equals).trim(), unescape(part.slice(equals + 1))] as const] : []
    })
  const name = (match[1] ?? '').toLowerCase()
  return { name, properties: Object.fromEntries(properties), text: unescape(rest.slice(end + 2)) }
}

function unescape(text: string): string {
  return text
    .replace(/%0D/gi, '\r')
    .replace(/%0A/gi, '\n')
    .replace(/%3A/gi, ':')
    .replace(/%2C/gi, ',')
    .replace(/%25/g, '%')
}
