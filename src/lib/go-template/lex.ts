import { SluiceError } from '../error/sluice-error.ts'
import { trimEndOf } from '../value/trim-end.ts'

/** A piece of a template: literal text, or the tokens of one `{{ action }}`. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly line: number; readonly source: string }

/** A token inside an action. */
export type Token = {
  readonly kind: 'name' | 'field' | 'variable' | 'string' | 'number' | 'char' | 'sign' | 'space'
  readonly text: string
  /** Where it begins in the template. */
  readonly at: number
}

/** Where an error is, as Go counts: lines from 1, columns from 0; and the text that is at fault. */
export type Place = { readonly line: number; readonly column: number; readonly text: string }

const TOKEN =
  /(\s+)|("(?:[^"\\\n]|\\.)*"|`[^`]*`)|('(?:[^'\\]|\\.)+')|([+-]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+))|(\$\w*)|(\.[A-Za-z_]\w*)|([A-Za-z_]\w*)|(:=|=|\||\(|\)|,|\.)/y
const KINDS = ['space', 'string', 'char', 'number', 'variable', 'field', 'name', 'sign'] as const
const LARGEST = 256 * 1024

/**
 * Cuts a Go template into text and actions; `{{-` and `-}}` trim the text around.
 *
 * @throws SluiceError TEMPLATE_INVALID with Go's sentence, `where` is `name:line`; also above 256 KiB
 */
export function lexTemplate(name: string, source: string): readonly Piece[] {
  if (source.length > LARGEST) throw templateFault(name, 1, 'the template is above 256 KiB')
  const pieces: Piece[] = []
  let trimNext = false
  for (let at = 0; at < source.length;) {
    const open = source.indexOf('{{', at)
    const isTrimmed = open >= 0 && /^\{\{-\s/.test(source.slice(open, open + 4))
    let text = source.slice(at, open < 0 ? source.length : open)
    if (trimNext) text = text.replace(/^[ \t\r\n]+/, '')
    if (isTrimmed) text = trimEndOf(text, ' \t\r\n')
    if (text !== '') pieces.push({ kind: 'text', text })
    if (open < 0) break
    const line = source.slice(0, open).split('\n').length
    const found = readAction(name, source, open + (isTrimmed ? 3 : 2), line)
    if (found.tokens.length > 0) pieces.push({ kind: 'action', tokens: found.tokens, line, source })
    trimNext = found.trims
    at = found.end
  }
  return pieces
}

function readAction(name: string, source: string, from: number, line: number) {
  const comment = /^\s*\/\*[\s\S]*?\*\/(\s+-)?\s*\}\}/.exec(source.slice(from))
  if (comment) return { tokens: [], end: from + comment[0].length, trims: comment[1] !== undefined }
  const tokens: Token[] = []
  for (let at = from; ;) {
    if (source.startsWith('}}', at)) return { tokens: trimSpace(tokens), end: at + 2, trims: false }
    if (/^\s-\}\}/.test(source.slice(at, at + 4))) return { tokens: trimSpace(tokens), end: at + 4, trims: true }
    TOKEN.lastIndex = at
    const found = TOKEN.exec(source)
    if (!found || at >= source.length) throw templateFault(name, line, faultAt(source, at))
    // A run of blanks gives its last one back: it may belong to ` -}}`.
    const length =
      found[1] === undefined
        ? found[0].length
        : source.startsWith('-}}', at + found[0].length)
          ? found[0].length - 1
          : found[0].length
    if (length > 0)
      tokens.push({
        kind: KINDS[found.findIndex((group, i) => i > 0 && group !== undefined) - 1] ?? 'sign',
        text: found[0].slice(0, length),
        at,
      })
    at += length
  }
}

function trimSpace(tokens: Token[]): Token[] {
  while (tokens.at(-1)?.kind === 'space') tokens.pop()
  while (tokens[0]?.kind === 'space') tokens.shift()
  return tokens
}

function faultAt(source: string, at: number): string {
  if (at >= source.length) return 'unclosed action'
  const char = source[at] ?? ''
  if (char === '"') return 'unterminated quoted string'
  if (char === '`') return 'unterminated raw quoted string'
  return `unexpected ${JSON.stringify(char)} in command`
}

/** The place of a position; `from` and `to` are around the text at fault. */
export function placeAt(source: string, position: number, from: number, to: number): Place {
  const before = source.slice(0, position)
  return {
    line: before.split('\n').length,
    column: position - (before.lastIndexOf('\n') + 1),
    text: source.slice(from, to).trim().replace(/\s+/g, ' '),
  }
}

/** A fault that shows while a template is rendered, worded as Go words it. */
export function executionFault(
  name: string,
  { line, column, text }: Place,
  what: string,
  executing = name,
): SluiceError {
  return templateFault(name, `${line}:${column}`, `executing ${JSON.stringify(executing)} at <${text}>: ${what}`)
}

/** A fault of a template, worded as Go words it. */
export function templateFault(name: string, line: number | string, what: string): SluiceError {
  return new SluiceError('TEMPLATE_INVALID', `template: ${name}:${line}: ${what}`, { where: `${name}:${line}` })
}
