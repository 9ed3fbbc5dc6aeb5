import { MARKER_KEY } from './marker.ts'

/** A comment with a marker, and the scalar before it on the same line, if there is one; offsets into the text. */
export type Site = {
  /** From 1. */
  readonly line: number
  readonly comment: string
  /** The document of the file it stands in, from 0. */
  readonly document: number
  readonly scalar:
    | {
        readonly start: number
        readonly end: number
        readonly value: string
        readonly style: 'plain' | 'single' | 'double'
      }
    | undefined
}

/** Where a line stands: inside a block text, or a quote that an earlier line opened. */
type State = { blockAbove: number; quote: '"' | "'" | '' }

/**
 * Finds the markers of a YAML text, line by line, so that an edit can touch nothing but the scalar.
 *
 * Text inside block scalars and quotes is no comment. One pass, no backtracking.
 */
export function findSites(text: string): readonly Site[] {
  const sites: Site[] = []
  const state: State = { blockAbove: -1, quote: '' }
  let document = 0
  let isOpen = false
  let start = 0
  for (let line = 1; start <= text.length; line++) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    const content = text.slice(start, end).replace(/\r$/, '')
    const isText = isBlockText(content, state)
    if (!isText && state.quote === '') {
      const isMark = /^---(?:\s|$)/.test(content)
      if (isMark && isOpen) document++
      isOpen ||= isMark || !/^\s*(?:#|$)/.test(content)
    }
    if (!isText) {
      const site = readLine(content, state)
      if (site) sites.push({ ...site, scalar: site.scalar && shift(site.scalar, start), line, document })
    }
    start = end + 1
  }
  return sites
}

type Scalar = NonNullable<Site['scalar']>

function shift(scalar: Scalar, by: number): Scalar {
  return { ...scalar, start: scalar.start + by, end: scalar.end + by }
}

function isBlockText(content: string, state: State): boolean {
  if (state.blockAbove < 0) return false
  if (content.trim() === '') return true
  if (content.length - content.trimStart().length > state.blockAbove) return true
  state.blockAbove = -1
  return false
}

function readLine(content: string, state: State): { comment: string; scalar: Scalar | undefined } | undefined {
  const head = state.quote === '' ? skipHead(content) : 0
  const body = scanBody(content, head, state)
  if (state.quote === '' && /^[|>][-+\d]{0,2}$/.test(content.slice(body.valueStart, body.valueEnd).trim()))
    state.blockAbove = blockIndent(content)
  if (body.comment === undefined || !body.comment.includes(MARKER_KEY)) return undefined
  return {
    comment: body.comment,
    scalar: body.isContinued ? undefined : readScalar(content, body.valueStart, body.valueEnd),
  }
}

/** Steps over indentation, dashes, a key and its colon, tags and anchors; answers where the value begins. */
function skipHead(content: string): number {
  let at = /^\s*(?:(?:-|\?)\s+)*/.exec(content)?.[0].length ?? 0
  const quoted = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*:(?=\s|$)\s*/.exec(content.slice(at))
  if (quoted) at += quoted[0].length
  else if (!/^["'[{#|>]/.test(content.slice(at))) at += plainKeyLength(content.slice(at))
  for (
    let found = /^[&!][^\s,[\]{}]*\s+/.exec(content.slice(at));
    found;
    found = /^[&!][^\s,[\]{}]*\s+/.exec(content.slice(at))
  )
    at += found[0].length
  return at
}

function plainKeyLength(rest: string): number {
  const comment = rest.search(/\s#/)
  const colon = rest.search(/:(?:\s|$)/)
  if (colon < 0 || (comment >= 0 && comment < colon)) return 0
  return colon + 1 + (/^\s*/.exec(rest.slice(colon + 1))?.[0].length ?? 0)
}

/** Walks the value to its comment, minding quotes. */
function scanBody(content: string, from: number, state: State) {
  const isContinued = state.quote !== ''
  let at = from
  for (; at < content.length; at++) {
    const char = content[at]
    if (state.quote === '"' && char === '\\') at++
    else if (state.quote !== '') {
      if (char === state.quote) state.quote = ''
    } else if ((char === '"' || char === "'") && (at === from || /[\s,[{:]/.test(content[at - 1] ?? '')))
      state.quote = char
    else if (char === '#' && (at === 0 || /\s/.test(content[at - 1] ?? ''))) break
  }
  const comment = at < content.length ? content.slice(at + 1) : undefined
  return { valueStart: from, valueEnd: Math.min(at, content.length), comment, isContinued }
}

/** Text of a block must be deeper than the node that holds it: the key's column, or the dash's where there is no key. */
function blockIndent(content: string): number {
  const [dashes = ''] = /^\s*(?:(?:-|\?)\s+)*/.exec(content) ?? []
  const hasKey = /^[^|>]/.test(content.slice(dashes.length))
  return hasKey ? dashes.length : dashes.trimEnd().length - 1
}

function readScalar(content: string, from: number, to: number): Scalar | undefined {
  const text = content.slice(from, to).trimEnd()
  const end = from + text.length
  if (/^"(?:[^"\\]|\\.)*"$/.test(text)) {
    const value = text.slice(1, -1).replace(/\\(["\\/])/g, '$1')
    return { start: from, end, value, style: 'double' }
  }
  if (/^'(?:[^']|'')*'$/.test(text))
    return { start: from, end, value: text.slice(1, -1).replaceAll("''", "'"), style: 'single' }
  if (text === '' || /^["'[{|>*&!%@`#]/.test(text) || /:(?:\s|$)/.test(text)) return undefined
  return { start: from, end, value: text, style: 'plain' }
}
