import type { YamlRules } from '../resolve.ts'
import { SyntaxFault, type Mark } from './reading.ts'
import { createScanner, peekToken, takeToken, type Scanner, type Token } from './scan-tokens.ts'

/** Deeper than that the words of Go's library are not looked for. */
const MAX_DEPTH = 1000

type Parser = {
  readonly scanner: Scanner
  /** The handles that tags may have, and the names that aliases may have. */
  readonly handles: Set<string>
  readonly anchors: Set<string>
  depth: number
}

/**
 * The first fault that Go's YAML library finds in the first document of a text: of its scanner, of its parser, or an alias that
 * nothing is marked with.
 *
 * It keeps no values. The reader of values is quicker and takes the same texts; what it refuses is read once more for the words, which
 * depend on how far Go's scanner is ahead of its parser.
 * @returns undefined for YAML, and for what is nested too deep
 */
export function findSyntaxFault(text: string, rules: YamlRules): SyntaxFault | undefined {
  const p: Parser = { scanner: createScanner(text, rules), handles: new Set(), anchors: new Set(), depth: 0 }
  try {
    takeToken(p.scanner)
    const start = startDocument(p)
    if (start !== 'none') parseDocument(p, start === 'explicit')
    return undefined
  } catch (error) {
    if (error instanceof SyntaxFault) return error
    if (error instanceof TooDeep) return undefined
    throw error
  }
}

class TooDeep extends Error {}

const peek = ({ scanner }: Parser): Token['kind'] => peekToken(scanner).kind

/** Takes the token at hand when it is of the kind. */
function takeIf({ scanner }: Parser, kind: Token['kind']): boolean {
  if (peekToken(scanner).kind !== kind) return false
  takeToken(scanner)
  return true
}

function fault({ scanner }: Parser, message: string, context?: Mark): SyntaxFault {
  return new SyntaxFault('parser', message, peekToken(scanner).start, context)
}

/** Moves to the content of the document. */
function startDocument(p: Parser): 'none' | 'implicit' | 'explicit' {
  if (peek(p) === 'stream-end') return 'none'
  const isImplicit = !isAnyOf(p, 'version', 'tag-directive', 'document-start')
  readDirectives(p)
  if (isImplicit) return 'implicit'
  if (!takeIf(p, 'document-start')) throw fault(p, 'did not find expected <document start>')
  return 'explicit'
}

function readDirectives(p: Parser): void {
  let hasVersion = false
  for (; isAnyOf(p, 'version', 'tag-directive'); takeToken(p.scanner)) {
    const { kind, value = '' } = peekToken(p.scanner)
    if (kind === 'version') {
      if (hasVersion) throw fault(p, 'found duplicate %YAML directive')
      if (value !== '1.1') throw fault(p, 'found incompatible YAML document')
      hasVersion = true
    } else {
      if (p.handles.has(value)) throw fault(p, 'found duplicate %TAG directive')
      p.handles.add(value)
    }
  }
  p.handles.add('!').add('!!')
}

function isAnyOf(p: Parser, ...kinds: readonly Token['kind'][]): boolean {
  return kinds.includes(peek(p))
}

/** Reads the node of a document, which may be missing behind `---`, and the end of it. */
function parseDocument(p: Parser, isExplicit: boolean): void {
  const isEmpty = isExplicit && isAnyOf(p, 'version', 'tag-directive', 'document-start', 'document-end', 'stream-end')
  if (!isEmpty) parseNode(p, 'block')
  takeIf(p, 'document-end')
}

/** Where a node stands: between brackets, in a block, or behind a key, where a list needs no indentation. */
type Place = 'flow' | 'block' | 'value'

function parseNode(p: Parser, place: Place): void {
  const { kind, start, value = '' } = peekToken(p.scanner)
  if (kind === 'alias') {
    if (!p.anchors.has(value)) throw new SyntaxFault('composer', `unknown anchor '${value}' referenced`, start)
    takeToken(p.scanner)
    return
  }
  const hasProperties = parseProperties(p, start)
  if (++p.depth > MAX_DEPTH) throw new TooDeep()
  if (place === 'value' && peek(p) === 'block-entry') parseIndentless(p)
  else if (!parseContent(p, place) && !hasProperties) throw fault(p, 'did not find expected node content', start)
  p.depth--
}

/** Reads an anchor and a tag, in any order; false when there is neither. */
function parseProperties(p: Parser, start: Mark): boolean {
  const first = parseProperty(p, 'anchor', start) ? 'anchor' : parseProperty(p, 'tag', start) ? 'tag' : undefined
  if (first === undefined) return false
  parseProperty(p, first === 'anchor' ? 'tag' : 'anchor', start)
  return true
}

function parseProperty(p: Parser, kind: 'anchor' | 'tag', start: Mark): boolean {
  const { kind: found, start: problem, value = '' } = peekToken(p.scanner)
  if (found !== kind) return false
  takeToken(p.scanner)
  if (kind === 'anchor') p.anchors.add(value)
  else if (value !== '' && !p.handles.has(value)) {
    peekToken(p.scanner)
    throw new SyntaxFault('parser', 'found undefined tag handle', problem, start)
  }
  return true
}

/** Reads a scalar or a collection; false when none is at hand. */
function parseContent(p: Parser, place: Place): boolean {
  if (takeIf(p, 'scalar')) return true
  const kind = peek(p)
  if (kind === 'flow-sequence') parseFlowSequence(p)
  else if (kind === 'flow-mapping') parseFlowMapping(p)
  else if (kind === 'block-sequence' && place !== 'flow') parseBlockSequence(p)
  else if (kind === 'block-mapping' && place !== 'flow') parseBlockMapping(p)
  else return false
  return true
}

function parseBlockSequence(p: Parser): void {
  const { start } = takeToken(p.scanner)
  while (takeIf(p, 'block-entry')) if (!isAnyOf(p, 'block-entry', 'block-end')) parseNode(p, 'block')
  if (!takeIf(p, 'block-end')) throw fault(p, "did not find expected '-' indicator", start)
}

/** Kinds of tokens before which a key, a value or an item is empty. */
const BEHIND_EMPTY = ['key', 'value', 'block-end'] as const

function parseIndentless(p: Parser): void {
  while (takeIf(p, 'block-entry')) if (!isAnyOf(p, 'block-entry', ...BEHIND_EMPTY)) parseNode(p, 'block')
}

function parseBlockMapping(p: Parser): void {
  const { start } = takeToken(p.scanner)
  while (takeIf(p, 'key')) {
    if (!isAnyOf(p, ...BEHIND_EMPTY)) parseNode(p, 'value')
    if (takeIf(p, 'value') && !isAnyOf(p, ...BEHIND_EMPTY)) parseNode(p, 'value')
  }
  if (!takeIf(p, 'block-end')) throw fault(p, 'did not find expected key', start)
}

function parseFlowSequence(p: Parser): void {
  const { start } = takeToken(p.scanner)
  for (let isFirst = true; peek(p) !== 'flow-sequence-end'; isFirst = false) {
    if (!isFirst && !takeIf(p, 'flow-entry')) throw fault(p, "did not find expected ',' or ']'", start)
    if (takeIf(p, 'key')) parsePair(p)
    else if (peek(p) === 'flow-sequence-end') break
    else parseNode(p, 'flow')
  }
  takeToken(p.scanner)
}

/** Reads a mapping of one field in a list; Go's library loses the token behind a key that is empty. */
function parsePair(p: Parser): void {
  if (isAnyOf(p, 'value', 'flow-entry', 'flow-sequence-end')) takeToken(p.scanner)
  else parseNode(p, 'flow')
  if (takeIf(p, 'value') && !isAnyOf(p, 'flow-entry', 'flow-sequence-end')) parseNode(p, 'flow')
}

function parseFlowMapping(p: Parser): void {
  const { start } = takeToken(p.scanner)
  for (let isFirst = true; peek(p) !== 'flow-mapping-end'; isFirst = false) {
    if (!isFirst && !takeIf(p, 'flow-entry')) throw fault(p, "did not find expected ',' or '}'", start)
    if (takeIf(p, 'key')) parseField(p)
    else if (peek(p) === 'flow-mapping-end') break
    else parseNode(p, 'flow')
  }
  takeToken(p.scanner)
}

function parseField(p: Parser): void {
  if (!isAnyOf(p, 'value', 'flow-entry', 'flow-mapping-end')) parseNode(p, 'flow')
  if (takeIf(p, 'value') && !isAnyOf(p, 'flow-entry', 'flow-mapping-end')) parseNode(p, 'flow')
}
