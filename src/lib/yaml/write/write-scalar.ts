import { isBase60, parseTimestamp, resolvePlain } from '../resolve.ts'

/** Column after which Go's emitter breaks a scalar at a space. */
const BEST_WIDTH = 80

/** How a string may be written. @see https://github.com/go-yaml/yaml/blob/v2/emitterc.go (analyze_scalar) */
type Allowed = { readonly plain: boolean; readonly single: boolean; readonly block: boolean }

const SIMPLE_WORD = /^(?!\.\.\.)[A-Za-z_/.][A-Za-z0-9_./-]*$/
const UNPRINTABLE = /[\0-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]/
const AS_BLOCK = /^[-?:](?:[ \t]|$)|^[#,[\]{}&*!|>'"%@`]|:(?:[ \t]|$)|[ \t\n]#|^---|^\.\.\./

/**
 * Writes a string as the value that starts at `column`.
 *
 * @param indent spaces before the lines that continue it
 * @param isKey whether it must stay on its line
 */
export function writeString(text: string, column: number, indent: number, isKey: boolean): string {
  if (column + text.length <= BEST_WIDTH && SIMPLE_WORD.test(text)) return isWord(text) ? text : `"${text}"`
  if (ODD_BREAK.test(text)) return writeBroken(text, column, indent, isKey)
  const hasBreak = text.includes('\n')
  const allowed = analyze(text)
  if (hasBreak && !isKey && allowed.block) return writeLiteral(text, indent)
  if (hasBreak) return writeDouble(text, column, indent, isKey)
  if (!staysString(text)) return writeDouble(text, column, indent, isKey)
  if (allowed.plain && !(isKey && text === '')) return fold(text, column, indent, isKey)
  if (allowed.single) return `'${fold(text.replaceAll("'", "''"), column + 1, indent, isKey, true)}'`
  return writeDouble(text, column, indent, isKey)
}

/** Line ends to Go's emitter besides the line feed; they are written as they are, and a line begins behind them. */
const ODD_BREAK = /[\u2028\u2029]/

/** Writes a text with such line ends: as a block where it has line feeds, too, in single quotes where it may. */
function writeBroken(text: string, column: number, indent: number, isKey: boolean): string {
  const hasSpecial = UNPRINTABLE.test(text) && hasUnprintable(text)
  const isTight = !/ [\n\u2028\u2029]/.test(text) && !hasSpecial
  const pad = ' '.repeat(indent)
  if (text.includes('\n') && !isKey && isTight && !text.endsWith(' ')) {
    const body = text.replace(/([\n\u2028\u2029])(?=[^\n\u2028\u2029])/g, `$1${pad}`)
    const isOpen = !/[\n\u2028\u2029]$/.test(text)
    const keep = /^[\n\u2028\u2029]$|[\n\u2028\u2029]{2}$/.test(text)
    const hint = /^[ \n\u2028\u2029]/.test(text) ? '2' : ''
    const first = /^[\n\u2028\u2029]/.test(text) ? '' : pad
    return `|${hint}${isOpen ? '-' : keep ? '+' : ''}\n${first}${body.endsWith('\n') ? body.slice(0, -1) : body}`
  }
  if (text.includes('\n') || !isTight || /[\n\u2028\u2029] /.test(text)) return writeDouble(text, column, indent, isKey)
  const lines = text.replaceAll("'", "''").split(/(?<=[\u2028\u2029])(?![\u2028\u2029])/)
  return `'${lines.map((line, index) => fold(line, index === 0 ? column + 1 : indent, indent, isKey, true)).join(pad)}'`
}

/** Whether a text of letters is read back as a string by Go's yaml.v2. */
function isWord(text: string): boolean {
  return (text.length > 5 && text.charCodeAt(0) !== 46) || staysString(text)
}

function staysString(text: string): boolean {
  const code = text.charCodeAt(0)
  if (!(code >= 43 && code <= 57)) return typeof resolvePlain(text, 'v2') === 'string'
  if (parseTimestamp(text) !== undefined) return false
  return resolvePlain(text, 'v2') === text && !isBase60(text)
}

function analyze(text: string): Allowed {
  if (text === '') return { plain: true, single: true, block: false }
  const hasBreak = text.includes('\n')
  const spaceBreak = hasBreak && text.includes(' \n')
  const special = UNPRINTABLE.test(text) && hasUnprintable(text)
  const first = text.charCodeAt(0)
  const last = text.charCodeAt(text.length - 1)
  const edges = first === 32 || first === 10 || last === 32 || last === 10
  const broken = spaceBreak || special
  return {
    plain: !(edges || hasBreak || broken || AS_BLOCK.test(text)),
    single: !(broken || (hasBreak && text.includes('\n '))),
    block: !(broken || last === 32),
  }
}

/** Go's emitter prints the basic plane only; characters beyond it are escaped, as are controls. */
function hasUnprintable(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!isPrintable(text.charCodeAt(i))) return true
  return false
}

function isPrintable(code: number): boolean {
  if (code < 0x7f) return code >= 0x20 || code === 10
  if (code < 0xa0) return false
  return code < 0xd800 || (code > 0xdfff && code < 0xfffe && code !== 0xfeff)
}

/** Breaks a plain or single-quoted text at single spaces behind the best width. */
function fold(text: string, column: number, indent: number, isKey: boolean, isQuoted = false): string {
  if (isKey || column + text.length <= BEST_WIDTH) return text
  let out = ''
  let from = 0
  let col = column
  let wasSpace = false
  for (let i = 0; i < text.length; i++) {
    const isSpace = text.charCodeAt(i) === 32
    const inside = !isQuoted || (i > 0 && i < text.length - 1)
    if (isSpace && !wasSpace && col > BEST_WIDTH && inside && text.charCodeAt(i + 1) !== 32) {
      out += `${text.slice(from, i)}\n${' '.repeat(indent)}`
      from = i + 1
      col = indent
    } else col++
    wasSpace = isSpace
  }
  return out + text.slice(from)
}

const ESCAPES = new Map<number, string>([
  [0, '\\0'],
  [7, '\\a'],
  [8, '\\b'],
  [9, '\\t'],
  [10, '\\n'],
  [11, '\\v'],
  [12, '\\f'],
  [13, '\\r'],
  [27, '\\e'],
  [34, '\\"'],
  [92, '\\\\'],
  [0x85, '\\N'],
  [0xa0, '\\_'],
  [0x2028, '\\L'],
  [0x2029, '\\P'],
])

/** Writes a string in double quotes; a key is not folded. */
export function writeDouble(text: string, column: number, indent: number, isKey: boolean): string {
  const runes = Array.from(text)
  // Go's emitter looks for a byte order mark at the start only, and takes every letter behind it for one.
  if (text.startsWith('\ufeff')) return `"${runes.map(escapeAny).join('')}"`
  let out = '"'
  let col = column + 1
  let wasSpace = false
  for (let i = 0; i < runes.length; i++) {
    const rune = runes[i] ?? ''
    if (rune === ' ') {
      if (!isKey && !wasSpace && col > BEST_WIDTH && i > 0 && i < runes.length - 1) {
        out += `\n${' '.repeat(indent)}`
        col = indent
        if (runes[i + 1] === ' ') {
          out += '\\'
          col++
        }
      } else {
        out += ' '
        col++
      }
      wasSpace = true
      continue
    }
    const written = escape(rune)
    out += written
    col += written.length === rune.length ? 1 : written.length
    wasSpace = false
  }
  return `${out}"`
}

function escape(rune: string): string {
  const code = rune.codePointAt(0) ?? 0
  const mustEscape = !isPrintable(code) || code > 0xffff || code === 34 || code === 92 || code === 10
  return mustEscape || code === 0x2028 || code === 0x2029 ? escapeAny(rune) : rune
}

function escapeAny(rune: string): string {
  const code = rune.codePointAt(0) ?? 0
  const known = ESCAPES.get(code)
  if (known !== undefined) return known
  const hex = code.toString(16).toUpperCase()
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

/** Writes a string as a block, as {@link writeString} does; `|` with its hints; the last line has no line feed when the text has none, the caller adds it. */
export function writeLiteral(text: string, indent: number): string {
  const first = text.charCodeAt(0)
  const hint = first === 32 || first === 10 ? '2' : ''
  const isOpen = !text.endsWith('\n')
  const keep = text === '\n' || text.endsWith('\n\n')
  const pad = ' '.repeat(indent)
  const lines = (isOpen ? text : text.slice(0, -1)).split('\n')
  const body = lines.map((line) => (line === '' ? '' : pad + line)).join('\n')
  return `|${hint}${isOpen ? '-' : keep ? '+' : ''}\n${body}`
}
