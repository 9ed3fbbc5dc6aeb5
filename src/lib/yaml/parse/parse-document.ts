import { DASH, startOf } from '../characters.ts'
import { at, atDocumentMarker, isBlankOrEnd, skipBlank, syntaxError, type Cursor } from './cursor.ts'
import type { Rest, YamlDocument, YamlNode } from '../nodes.ts'
import { parseBlockNode } from './parse-block.ts'
import { findSyntaxFault } from '../syntax/find-syntax-fault.ts'

/** Moves to the content of the next document; false at the end of the text. */
export function startDocument(c: Cursor): boolean {
  c.anchors = new Map()
  c.comments = []
  c.duplicates = []
  c.documentStart = c.pos
  let isExplicit = false
  let hasDirective = false
  for (;;) {
    skipBlank(c)
    if (c.pos >= c.text.length) {
      if (hasDirective && !isExplicit) throw syntaxError(c, 'did not find expected <document start>')
      return isExplicit
    }
    if (at(c) === 37 && c.pos === c.lineStart) {
      readDirective(c)
      hasDirective = true
    } else if (!atDocumentMarker(c)) {
      if (hasDirective && !isExplicit) throw syntaxError(c, 'did not find expected <document start>')
      return true
    } else if (at(c) === DASH) {
      if (isExplicit) return true
      isExplicit = true
      c.pos += 3
    } else if (isExplicit) return true
    else if (c.documentStart === startOf(c.text)) throw syntaxError(c, 'did not find expected node content')
    else c.pos += 3
  }
}

/** Reads the document that {@link startDocument} found. */
export function parseDocumentBody(c: Cursor, rest: Rest): YamlDocument {
  const isEmpty = c.pos >= c.text.length || atDocumentMarker(c)
  const root = isEmpty ? undefined : parseBlockNode(c, 0, 0, true)
  skipBlank(c)
  let unread: number | undefined
  if (c.pos < c.text.length && !atDocumentMarker(c)) {
    refuseRest(c, root, rest)
    unread = c.pos
    const next = c.text.indexOf('\n---', c.pos)
    c.pos = next < 0 ? c.text.length : next + 1
    c.lineStart = c.pos
  }
  const { source, comments, duplicates, anchors } = c
  return { source, root, comments, duplicates, hasAnchors: anchors.size > 0, unread }
}

/** Reads `%YAML 1.1` or `%TAG …`; there are no others. */
function readDirective(c: Cursor): void {
  const lineEnd = c.text.indexOf('\n', c.pos)
  const end = lineEnd < 0 ? c.text.length : lineEnd
  const [name, version = ''] = c.text
    .slice(c.pos, end)
    .trim()
    .split(/[ \t]+/)
  if (name === '%YAML' && version !== '1.1') throw syntaxError(c, 'found incompatible YAML document')
  if (name !== '%YAML' && name !== '%TAG') throw syntaxError(c, 'found unknown directive name')
  c.pos = end
}

/** Refuses lines behind the end of a document; where they are skipped, those alone that Go cannot read ahead. */
function refuseRest(c: Cursor, root: YamlNode | undefined, rest: Rest): void {
  if (rest === 'skipped') {
    const fault = findSyntaxFault(c.text.slice(c.documentStart), c.rules)
    if (fault) throw syntaxError(c, fault.message, c.documentStart + fault.problem.index)
    return
  }
  if (root?.kind === 'seq' && !root.isFlow && columnOf(c, root.start) === columnOf(c, c.pos))
    throw syntaxError(c, "did not find expected '-' indicator")
  const isValue = at(c) === 58 && isBlankOrEnd(at(c, 1))
  if (isValue) throw syntaxError(c, 'mapping values are not allowed in this context')
  throw syntaxError(c, 'did not find expected <document start>')
}

function columnOf({ text }: Cursor, offset: number): number {
  return offset - text.lastIndexOf('\n', offset - 1) - 1
}
