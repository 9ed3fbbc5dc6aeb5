/** What a file of variables says of one of them; `missing` when it does not name it, or with nothing. */
export type FileVariable = { readonly value: string } | { readonly missing: true } | { readonly fault: string }

/**
 * The value of a variable in a file of lines `NAME='value'`. Only single quotes enclose a value; what is in them is taken as it is, over several lines,
 * too. Lines that are empty or begin with `#` are nothing; a `#` after a value is a remark.
 *
 * Only what stands before the variable is read, as in the original.
 * @see https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-via-file/
 */
export function readVariable(text: string, name: string): FileVariable {
  const lines = linesOf(text)
  for (let at = 0; at < lines.length; at++) {
    const line = trimStart(lines[at] ?? '')
    if (line === '' || line.startsWith('#')) continue
    const head = headOf(line)
    if ('fault' in head) return { fault: `invalid environment variable format at line ${at + 1}: ${head.fault}` }
    const { isEmpty } = head
    // as in a shell: after a blank the value is nothing
    if (isEmpty && head.name === name) return { missing: true }
    if (isEmpty) continue
    const quoted = quotedAt(lines, at, head.rest)
    if ('fault' in quoted) return quoted
    if (head.name === name) return quoted.value === '' ? { missing: true } : { value: quoted.value }
    at = quoted.endsAt
  }
  return { missing: true }
}

type Head = { readonly name: string; readonly rest: string; readonly isEmpty: boolean }

function headOf(line: string): Head | { readonly fault: string } {
  const at = line.indexOf('=')
  if (at === -1) return { fault: "missing '='" }
  const before = line.slice(0, at)
  const name = before.replace(/[ \t]+$/, '')
  if (name === '') return { fault: 'empty variable name' }
  if (name !== before) return { fault: "whitespace before '=' is not allowed" }
  const rest = line.slice(at + 1)
  if (/^[ \t]/.test(rest)) return { name, rest: '', isEmpty: true }
  return rest.startsWith("'")
    ? { name, rest: rest.slice(1), isEmpty: false }
    : { fault: 'value must be enclosed in single quotes' }
}

/** What is up to the next quote, in this line or a later one. */
function quotedAt(
  lines: readonly string[],
  from: number,
  first: string,
): { readonly value: string; readonly endsAt: number } | { readonly fault: string } {
  const parts: string[] = []
  for (let at = from; at < lines.length; at++) {
    const rest = at === from ? first : (lines[at] ?? '')
    const end = rest.indexOf("'")
    if (end === -1) {
      parts.push(rest)
      continue
    }
    const after = trimStart(rest.slice(end + 1))
    if (after !== '' && !after.startsWith('#'))
      return { fault: `invalid environment variable format at line ${at + 1}: unexpected content after closing quote` }
    return { value: [...parts, rest.slice(0, end)].join('\n'), endsAt: at }
  }
  return { fault: `invalid environment variable format starting at line ${from + 1}: unclosed single quote` }
}

function trimStart(text: string): string {
  return text.replace(/^[ \t]+/, '')
}

/** Lines as Go's scanner sees them: a carriage return at the end of one belongs to the end. */
function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
}
