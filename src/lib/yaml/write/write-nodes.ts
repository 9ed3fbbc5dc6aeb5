import type { ScalarStyle, YamlMap, YamlNode, YamlScalar, YamlSeq } from '../nodes.ts'
import { sortKeys } from './key-order.ts'
import type { NodeComments } from './node-comments.ts'
import { writeFolded } from './refold.ts'
import { tagOf } from '../resolve.ts'
import { styleFor } from './scalar-style.ts'
import { writeDouble, writeLiteral } from './write-scalar.ts'

type Writer = {
  out: string
  isAtLineStart: boolean
  /** The column of comments that were written below something: a blank line parts them from what follows there. */
  footColumn: number
  /** How much deeper than its key a sequence stands. */
  readonly seqIndent: 0 | 2
  readonly comments: NodeComments | undefined
}

/**
 * Writes a tree as kustomize's kyaml prints one: in the style that each node has, two spaces, nothing folded, sequences not indented
 * under their key if not asked for.
 *
 * @see https://github.com/yaml/go-yaml/blob/v3/emitterc.go
 */
export function writeNode(root: YamlNode, comments?: NodeComments, seqIndent: 0 | 2 = 0): string {
  const w: Writer = { out: '', isAtLineStart: false, footColumn: -1, seqIndent, comments }
  for (const line of comments?.header ?? []) put(w, `${line}\n`)
  if (w.isAtLineStart) put(w, '\n')
  writeValue(w, root, -2)
  if (!w.isAtLineStart) put(w, '\n')
  for (const line of comments?.footer.length ? ['', ...comments.footer] : []) put(w, `${line}\n`)
  return w.out
}

/** Remembers how the text ends: to look at the end of a text that grows would copy it each time. */
function put(w: Writer, text: string): void {
  if (text === '') return
  w.out += text
  w.isAtLineStart = text.endsWith('\n')
}

/** Writes a node behind what stands on the line at hand; `indent` is that of the collection that holds it. */
function writeValue(w: Writer, node: YamlNode, indent: number): void {
  if (isBlock(node)) {
    const properties = writeProperties(node).trimEnd()
    if (properties !== '') put(w, `${properties}\n${' '.repeat(indent + 2)}`)
    if (node.kind === 'map') writeMap(w, node, indent + 2)
    else writeSeq(w, node, indent + 2)
  } else if (node.kind === 'scalar') {
    const text = writeScalar(node, Math.max(indent, 0) + 2, false)
    const comment = w.comments?.behind(node)
    put(w, comment ? text.replace(isHeaded(text) ? /(?=\n)/ : /$/, () => ` ${comment}`) : text)
    // the writer of blocks leaves the line end behind them to what follows
    if (/^\|2?\+\n/.test(text)) put(w, '\n')
  } else {
    const comment = w.comments?.behind(node)
    const text = writeFlow(w, node, indent)
    put(w, comment ? `${text} ${comment}` : text)
  }
}

function isBlock(node: YamlNode): node is YamlMap | YamlSeq {
  if (node.kind === 'scalar' || node.isFlow) return false
  return node.kind === 'map' ? node.fields.size > 0 : node.items.length > 0
}

function writeMap(w: Writer, map: YamlMap, indent: number): void {
  let isFirst = true
  for (const [key, value] of printedFields(map)) {
    startLine(w, indent, isFirst, w.comments?.above(value.keyStart, false))
    isFirst = false
    put(w, `${writeKey(map, key, value, false)}:`)
    const comment = w.comments?.behindKey(value)
    const behindKey = comment === undefined ? '' : ` ${comment}`
    if (!isBlock(value)) {
      if (!isNothing(value)) put(w, ' ')
      writeValue(w, value, indent)
      put(w, behindKey)
    } else {
      const properties = writeProperties(value).trimEnd()
      const inner = indent + (value.kind === 'map' ? 2 : w.seqIndent)
      put(w, `${properties === '' ? '' : ` ${properties}`}${behindKey}\n${' '.repeat(inner)}`)
      if (value.kind === 'map') writeMap(w, value, inner)
      else writeSeq(w, value, inner)
    }
    writeBelow(w, indent, w.comments?.below(value.keyStart, false))
  }
}

function printedFields(map: YamlMap): Iterable<readonly [string, YamlNode]> {
  if (map.overwritten) return entriesOf(map)
  if (!map.wasJson) return map.fields
  return sortKeys([...map.fields.keys()]).flatMap((key) => {
    const value = map.fields.get(key)
    return value ? [[key, value] as const] : []
  })
}

/** The fields in the order of the text, with those of keys that it has again further down; the tree keeps the first of them. */
export function* entriesOf(map: YamlMap): Iterable<readonly [string, YamlNode]> {
  const later = map.overwritten ?? []
  let next = 0
  let at = 0
  for (const entry of map.fields) {
    for (let one = later[next]; one !== undefined && one.at <= at; one = later[++next]) yield [one.key, one.value]
    at++
    yield entry
  }
  for (const { key, value } of later.slice(next)) yield [key, value]
}

function writeSeq(w: Writer, seq: YamlSeq, indent: number): void {
  let isFirst = true
  for (const item of seq.items) {
    startLine(w, indent, isFirst, w.comments?.above(item.start, true))
    isFirst = false
    put(w, isNothing(item) ? '-' : '- ')
    writeValue(w, item, indent)
    writeBelow(w, indent, w.comments?.below(item.start, true))
  }
}

function writeBelow(w: Writer, indent: number, lines: readonly string[] = []): void {
  if (lines.length === 0) return
  startLine(w, indent, false)
  put(w, lines.join(`\n${' '.repeat(indent)}`))
  w.footColumn = indent
}

/** Ends the line before, and writes the comments that stand above what begins here. */
function startLine(w: Writer, indent: number, isFirst: boolean, comments: readonly string[] = []): void {
  const pad = ' '.repeat(indent)
  if (!isFirst) {
    if (!w.isAtLineStart) put(w, '\n')
    put(w, w.footColumn === indent ? `\n${pad}` : pad)
    w.footColumn = -1
  }
  for (const [index, line] of comments.entries()) put(w, `${line}\n${comments[index + 1] === '' ? '' : pad}`)
}

function isNothing(node: YamlNode): boolean {
  return (
    node.kind === 'scalar' &&
    node.value === '' &&
    node.style === 'plain' &&
    node.tag !== '!!str' &&
    writeProperties(node) === ''
  )
}

/** Whether the text is a block whose first line says how to read it; a comment stands there. */
function isHeaded(text: string): boolean {
  return /^[|>][-+0-9]*\n/.test(text)
}

/**
 * Writes a collection in brackets on one line, which a comment behind a value ends; `indent` is that of what holds it. A bracket that
 * closes a mapping then stands at the line's start, that of a list is indented.
 */
function writeFlow(w: Writer, node: YamlMap | YamlSeq, indent: number): string {
  const [open, close] = node.kind === 'seq' ? '[]' : '{}'
  const pad = ' '.repeat(indent + 2)
  let out = `${writeProperties(node)}${open}`
  const entries = node.kind === 'seq' ? node.items.map((item) => ['', item] as const) : printedFields(node)
  let isFirst = true
  for (const [key, value] of entries) {
    if (out.endsWith('\n')) out += pad
    else if (!isFirst) out += ', '
    isFirst = false
    if (node.kind === 'map') out += `${writeKey(node, key, value, true)}: `
    out += value.kind === 'scalar' ? writeScalar(value, indent + 2, true) : writeFlow(w, value, indent + 2)
    const comment = value.kind === 'scalar' ? w.comments?.behind(value) : undefined
    if (comment !== undefined) out += `, ${comment}\n`
  }
  return `${out}${node.kind === 'seq' && out.endsWith('\n') ? pad.slice(2) : ''}${close}`
}

/** A key keeps the quotes that it has in the text. */
function writeKey({ wasJson }: YamlMap, key: string, value: YamlNode, isInFlow: boolean): string {
  const first = wasJson || value.keyStart < 0 ? '' : value.source?.text[value.keyStart]
  if (key === '<<' && (first === '<' || first === '!')) return '!!merge <<'
  const wanted: ScalarStyle = first === '"' ? 'double' : first === "'" ? 'single' : 'plain'
  return inQuotes(key, styleFor(key, wanted, { isInFlow, isKey: true }), 0)
}

function writeScalar(node: YamlScalar, indent: number, isInFlow: boolean): string {
  if (node.isAlias) return node.value
  const style = styleFor(node.value, wantedStyle(node), { isInFlow, isKey: false })
  const text =
    style === 'literal'
      ? writeLiteral(node.value, indent)
      : style === 'folded'
        ? writeFolded(node.value, ' '.repeat(indent))
        : inQuotes(node.value, style, indent)
  if (text === '') return writeProperties(node).trimEnd()
  // Go's library reads a tag into a value of `<<`, and then has to say it.
  return (text === '<<' && node.end > 0 && node.tag === '' ? '!!merge ' : writeProperties(node)) + text
}

/** The style that a scalar has in a print, where it may; a text that would be read as something else is put in quotes. */
export function wantedStyle(node: YamlScalar): ScalarStyle {
  if (node.style !== 'plain') return node.style
  if (node.value.includes('\n')) return 'literal'
  if (node.isTagged) return 'plain'
  return node.tag === '!!str' && tagOf({ ...node, tag: '' }) !== '!!str' ? 'double' : 'plain'
}

function inQuotes(text: string, style: ScalarStyle, indent: number): string {
  if (style === 'plain') return text
  if (style === 'double') return writeDouble(text, 0, 0, true)
  const pad = ' '.repeat(indent)
  return `'${text.replaceAll("'", "''").replace(/[\n\u2028\u2029]+/g, (breaks, at: number) => `${breaks.startsWith('\n') ? '\n' : ''}${breaks}${at + breaks.length < text.length ? pad : ''}`)}'`
}

/** What stands before a node: its name, where aliases are kept, and its tag. */
function writeProperties(node: YamlNode): string {
  return node.anchor === undefined ? writeTag(node) : `&${node.anchor} ${writeTag(node)}`
}

/** A tag is written where the text says it, or would mean something else without it. */
function writeTag(node: YamlNode): string {
  if (node.isTagged && node.tag !== '') return `${node.tag} `
  if (node.tag === '' || node.tag === '!!str') return ''
  if (node.kind !== 'scalar') return node.tag === '!!map' || node.tag === '!!seq' ? '' : `${node.tag} `
  return tagOf({ ...node, tag: '', style: 'plain' }) === node.tag ? '' : `${node.tag} `
}
