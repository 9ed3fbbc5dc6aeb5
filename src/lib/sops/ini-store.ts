import { SluiceError } from '../error/sluice-error.ts'
import { leaf, type SopsEntry, type SopsLeaf, type SopsMap } from './tree.ts'

type Lines = { readonly lines: readonly string[]; at: number }
/** A section; a key with its comment counts once, where it stands first and as it is said last. */
type Section = {
  readonly name: string
  readonly head: readonly SopsEntry[]
  readonly keys: Map<string, readonly SopsEntry[]>
}
type Value = { readonly text: string; readonly comment: string }

const DEFAULT_SECTION = 'DEFAULT'
const DELIMITERS = /[=:]/

/**
 * Reads an INI file: a mapping of sections, each a mapping of texts. Comments stay with the section or key they stand above; a section
 * that is opened again is another one, and so is `[DEFAULT]` besides what stands above all sections.
 *
 * What SOPS' own reader knows besides (continued lines, keys that count up) is refused.
 * @throws SluiceError SOPS_DECRYPT with the line
 */
export function loadIni(text: string): SopsMap {
  const input: Lines = { lines: text.replace(/^\ufeff/, '').split(/\r?\n/), at: 0 }
  let section = openSection(DEFAULT_SECTION, [])
  const sections = [section]
  let comments: string[] = []
  for (; input.at < input.lines.length; input.at++) {
    const line = (input.lines[input.at] ?? '').trimStart()
    if (line === '') continue
    if (/^[#;]/.test(line)) {
      comments.push(line)
      continue
    }
    const name = readSection(line, input)
    if (name !== undefined) {
      section = openSection(name, comments)
      sections.push(section)
    } else {
      const { key, value } = readKey(line, input)
      const comment = [...comments, ...(value.comment === '' ? [] : [value.comment])]
      section.keys.set(key, [{ key, value: leaf('str', value.text) }, ...commentEntries(comment)])
    }
    comments = []
  }
  return {
    kind: 'map',
    entries: sections.map(({ name, head, keys }) => ({
      key: name,
      value: { kind: 'map', entries: [...head, ...[...keys.values()].flat()] },
    })),
  }
}

function openSection(name: string, comments: readonly string[]): Section {
  return { name, head: commentEntries(comments), keys: new Map() }
}

/** Writes sections as SOPS does: `=` aligned within a section, an empty line between sections. */
export function emitIni(document: SopsMap): string {
  const sections = document.entries.flatMap((entry) => ('key' in entry ? [entry] : []))
  return sections
    .map(({ key, value }, index) => {
      if (value.kind !== 'map') throw new SluiceError('SOPS_DECRYPT', `section ${key} of an INI file must be a mapping`)
      return emitSection(key, value, index === 0)
    })
    .filter((text) => text !== '')
    .join('\n')
}

function readSection(line: string, input: Lines): string | undefined {
  if (!line.startsWith('[')) return undefined
  const close = line.lastIndexOf(']')
  if (close < 0) throw fault(input, 'unclosed section')
  return line.slice(1, close)
}

function commentEntries(comments: readonly string[]): readonly SopsEntry[] {
  if (comments.length === 0) return []
  const [first = ''] = comments
  const mark = first.startsWith(';') ? /^[; ]+/ : /^[# ]+/
  return [{ kind: 'comment', text: comments.join('\n').trim().replace(mark, '') }]
}

function readKey(line: string, input: Lines): { readonly key: string; readonly value: Value } {
  const quote = ['"""', '"', '`'].find((mark) => line.startsWith(mark)) ?? ''
  const end = quote === '' ? -1 : line.indexOf(quote, quote.length)
  if (quote !== '' && end < 0) throw fault(input, 'missing closing key quote')
  const from = quote === '' ? 0 : end + quote.length
  const at = line.slice(from).search(DELIMITERS)
  if (at < 0) throw fault(input, 'key-value delimiter not found')
  const key = quote === '' ? line.slice(0, at) : line.slice(quote.length, end)
  if (key.trim() === '' || key.trim() === '-') throw fault(input, 'the key has no name')
  return { key: key.trim(), value: readValue(line.slice(from + at + 1), input) }
}

function readValue(rest: string, input: Lines): Value {
  const text = rest.trimStart()
  const quote = text.length > 3 && text.startsWith('"""') ? '"""' : text.startsWith('`') ? '`' : ''
  if (quote !== '') return { text: readQuoted(text.slice(quote.length), quote, input), comment: '' }
  const line = text.trim()
  if (line.endsWith('\\')) throw fault(input, 'lines that continue with a backslash are not supported')
  const comment = line.search(/[#;]/)
  const bare = comment < 0 ? line : line.slice(0, comment).trim()
  const isQuoted = /^"[^"]*"$/.test(bare) || /^'[^']*'$/.test(bare)
  return { text: isQuoted ? bare.slice(1, -1) : bare, comment: comment < 0 ? '' : line.slice(comment) }
}

function readQuoted(first: string, quote: string, input: Lines): string {
  const close = first.lastIndexOf(quote)
  if (close >= 0) return first.slice(0, close)
  let text = first
  while (++input.at < input.lines.length) {
    const line = input.lines[input.at] ?? ''
    const end = line.lastIndexOf(quote)
    if (end >= 0) return `${text}\n${line.slice(0, end)}`
    text += `\n${line}`
  }
  throw fault(input, 'missing closing quote of a value')
}

function emitSection(name: string, section: SopsMap, isFirst: boolean): string {
  const fields = section.entries.flatMap((entry) => ('key' in entry ? [entry] : []))
  const hasHeader = !isFirst || name.toUpperCase() !== DEFAULT_SECTION
  if (!hasHeader && fields.length === 0) return ''
  const width = Math.max(0, ...fields.map(({ key }) => keyLength(key)))
  const [first] = section.entries
  let out = first && !('key' in first) ? emitComment(first.text) : ''
  if (hasHeader) out += `[${name}]\n`
  section.entries.forEach((entry, index) => {
    if (!('key' in entry)) return
    const next = section.entries[index + 1]
    if (next && !('key' in next)) out += emitComment(next.text)
    const key = quoteKey(entry.key)
    const value = entry.value.kind === 'leaf' ? quoteValue(entry.value) : ''
    out += `${key}${' '.repeat(Math.max(0, width - key.length))} = ${value}\n`
  })
  return out
}

function emitComment(text: string): string {
  return text
    .split('\n')
    .map((line) => (/^[#;]/.test(line) ? `${line.slice(0, 1)} ${line.slice(1).trim()}\n` : `; ${line}\n`))
    .join('')
}

function keyLength(key: string): number {
  return quoteKey(key).length
}

function quoteKey(key: string): string {
  if (/["=:]/.test(key)) return `\`${key}\``
  return key.includes('`') ? `"""${key}"""` : key
}

function quoteValue({ type, bytes }: SopsLeaf): string {
  const text = type === 'bool' ? bytes.toString('utf8').toLowerCase() : bytes.toString('utf8')
  if (/[\n`]/.test(text)) return `"""${text}"""`
  if (/[#;]/.test(text)) return `\`${text}\``
  return text.trim() === text ? text : `"${text}"`
}

function fault({ at }: Lines, why: string): SluiceError {
  return new SluiceError('SOPS_DECRYPT', `Could not unmarshal input data: ${why}`, { where: `line ${at + 1}` })
}
