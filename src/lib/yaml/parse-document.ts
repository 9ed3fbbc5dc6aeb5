import { DASH, at, atDocumentMarker, isBlankOrEnd, skipBlank, syntaxError, type Cursor } from './cursor.ts'
import type { YamlDocument } from './nodes.ts'
import { parseBlockNode } from './parse-block.ts'

/** Moves to the content of the next document; false at the end of the text. */
export function startDocument(c: Cursor): boolean {
  c.anchors = new Map()
  c.comments = []
  c.duplicates = []
  let isExplicit = false
  for (;;) {
    skipBlank(c)
    if (c.pos >= c.text.length) return isExplicit
    if (at(c) === 37 && c.pos === c.lineStart) skipLine(c)
    else if (!atDocumentMarker(c)) return true
    else if (at(c) === DASH) {
      if (isExplicit) return true
      isExplicit = true
      c.pos += 3
    } else if (isExplicit) return true
    else c.pos += 3
  }
}

/** Reads the document that {@link startDocument} found. */
export function parseDocumentBody(c: Cursor): YamlDocument {
  const isEmpty = c.pos >= c.text.length || atDocumentMarker(c)
  const root = isEmpty ? undefined : parseBlockNode(c, 0, 0, true)
  skipBlank(c)
  if (c.pos < c.text.length && !atDocumentMarker(c)) throw unexpected(c)
  return { source: c.source, root, comments: c.comments, duplicates: c.duplicates }
}

function skipLine(c: Cursor): void {
  const end = c.text.indexOf('\n', c.pos)
  c.pos = end < 0 ? c.text.length : end
}

function unexpected(c: Cursor): Error {
  const isValue = at(c) === 58 && isBlankOrEnd(at(c, 1))
  return syntaxError(
    c,
    isValue ? 'mapping values are not allowed in this context' : 'did not find expected <document start>',
  )
}
