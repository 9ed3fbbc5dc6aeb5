import { at, isBlankOrEnd, syntaxError, type Cursor } from './cursor.ts'
import { copyBounded } from './merge-keys.ts'
import type { YamlNode, YamlScalar } from '../nodes.ts'

/** What may stand before a node: `&anchor` and `!tag`. */
export type Properties = { readonly anchor: string | undefined; readonly tag: string }

/** Reads `&anchor` and `!tag`, in any order. */
export function parseProperties(c: Cursor): Properties {
  let anchor: string | undefined
  let tag = ''
  for (;;) {
    const code = at(c)
    if (code === 38 && anchor === undefined) anchor = parseName(c)
    else if (code === 33 && tag === '') tag = parseTag(c)
    else return { anchor, tag }
    if (!isBlankOrEnd(at(c)) && !isFlowEnd(at(c)))
      throw syntaxError(c, 'did not find expected whitespace or line break')
    while (at(c) === 32 || at(c) === 9) c.pos++
  }
}

function parseName(c: Cursor): string {
  const start = ++c.pos
  while (isNameCharacter(at(c))) c.pos++
  const isEnded = isBlankOrEnd(at(c)) || BEHIND_NAME.includes(c.text[c.pos] ?? '')
  if (c.pos === start || !isEnded) throw syntaxError(c, 'did not find expected alphabetic or numeric character')
  return c.text.slice(start, c.pos)
}

/** Whether the name of an anchor may hold it. */
export function isNameCharacter(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 95 ||
    code === 45
  )
}

/** What may follow the name of an anchor without a blank. */
const BEHIND_NAME = '?:,]}%@`'

function isFlowEnd(code: number): boolean {
  return code === 44 || code === 91 || code === 93 || code === 123 || code === 125
}

function parseTag(c: Cursor): string {
  const start = c.pos
  const isVerbatim = at(c, 1) === 60
  while (!isBlankOrEnd(at(c)) && (isVerbatim || !isFlowEnd(at(c)))) c.pos++
  const text = c.text.slice(start, c.pos)
  if (/^![A-Za-z0-9_-]+!/.test(text)) throw syntaxError(c, 'found undefined tag handle', start)
  if (isVerbatim && !text.endsWith('>')) throw syntaxError(c, "did not find the expected '>'", start)
  const verbatim = isVerbatim ? text.slice(2, -1) : text
  if (verbatim === '!') return ''
  return verbatim.replace(/^tag:yaml\.org,2002:/, '!!')
}

/** Gives a node its tag, and remembers it under its anchor. */
export function register(c: Cursor, properties: Properties | undefined, node: YamlNode): YamlNode {
  if (properties === undefined) return node
  if (properties.tag !== '') {
    node.tag = properties.tag
    node.isTagged = true
  }
  if (properties.anchor === undefined) return node
  c.anchors.set(properties.anchor, node)
  if (c.aliases === 'kept') node.anchor = properties.anchor
  return node
}

function aliasOf({ source, pos: end }: Cursor, name: string, start: number): YamlScalar {
  const value = `*${name}`
  return { kind: 'scalar', value, tag: '', style: 'plain', isAlias: true, source, start, end, keyStart: -1 }
}

/** Reads `*name` as a copy of what `&name` marked, or as the alias that it is. */
export function parseAlias(c: Cursor): YamlNode {
  const start = c.pos
  const name = parseName(c)
  const node = c.anchors.get(name)
  if (!node) throw syntaxError(c, `unknown anchor '${name}' referenced`, start)
  if (c.aliases === 'kept') return aliasOf(c, name, start)
  const copy = copyBounded(c, node, start)
  copy.start = start
  copy.end = c.pos
  return copy
}
