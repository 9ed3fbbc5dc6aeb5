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

/** Where an error would be: at a position of the template, about what stands from one to another, or a text of its own. */
export type Place = {
  readonly source: string
  readonly at: number
  readonly about: { readonly from: number; readonly to: number } | string
}

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
  let line = 1
  for (let at = 0; at < source.length;) {
    const open = source.indexOf('{{', at)
    const isTrimmed = open >= 0 && /^\{\{-\s/.test(source.slice(open, open + 4))
    let text = source.slice(at, open < 0 ? source.length : open)
    if (trimNext) text = text.replace(/^[ \t\r\n]+/, '')
    if (isTrimmed) text = trimEndOf(text, ' \t\r\n')
    if (text !== '') pieces.push({ kind: 'text', text })
    if (open < 0) break
    line += linesIn(source, at, open)
    const found = readAction(name, source, open + (isTrimmed ? 3 : 2), line)
    if (found.tokens.length > 0) pieces.push({ kind: 'action', tokens: found.tokens, line, source })
    trimNext = found.trims
    line += linesIn(source, open, found.end)
    at = found.end
  }
  return pieces
}

function linesIn(source: string, from: number, to: number): number {
  let lines = 0
  for (let at = source.indexOf('\n', from); at >= 0 && at < to; at = source.indexOf('\n', at + 1)) lines++
  return lines
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

/** A fault that shows while a template is rendered, worded as Go words it: lines from 1, columns from 0. */
export function executionFault(
  name: string,
  { source, at, about }: Place,
  what: string,
  executing = name,
): SluiceError {
  const line = 1 + linesIn(source, 0, at)
  const column = at - (source.lastIndexOf('\n', at - 1) + 1)
  const text = typeof about === 'string' ? about : source.slice(about.from, about.to).trim().replace(/\s+/g, ' ')
  return templateFault(name, `${line}:${column}`, `executing ${JSON.stringify(executing)} at <${text}>: ${what}`)
}

/** A fault of a template, worded as Go words it. */
export function templateFault(name: string, line: number | string, what: string): SluiceError {
  return new SluiceError('TEMPLATE_INVALID', `template: ${name}:${line}: ${what}`, { where: `${name}:${line}` })
}
