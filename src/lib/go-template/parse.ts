import { lexTemplate, type Piece, type Place, templateFault, type Token } from './lex.ts'

/** What an expression is made of. */
export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | undefined }
  | { readonly kind: 'dot' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'fields'; readonly of: Expression; readonly names: readonly string[]; readonly place: Place }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Expression[]; readonly place: Place }
  | { readonly kind: 'pipe'; readonly first: Expression; readonly rest: readonly (Expression & { kind: 'call' })[] }

/** `$a, $b := expression`; `isNew` is `:=`, otherwise `=`. */
export type Pipeline = {
  readonly variables: readonly string[]
  readonly isNew: boolean
  readonly value: Expression
  readonly line: number
}

/** What a template is made of. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with' | 'range'
      readonly pipeline: Pipeline
      readonly body: readonly Node[]
      readonly otherwise: readonly Node[]
    }
  | { readonly kind: 'break' | 'continue' }
  | { readonly kind: 'template'; readonly name: string; readonly pipeline: Pipeline | undefined; readonly place: Place }

/** A template, and those that it defines. */
export type Template = { readonly nodes: readonly Node[]; readonly defined: ReadonlyMap<string, readonly Node[]> }

type Reader = {
  readonly name: string
  readonly pieces: readonly Piece[]
  readonly defined: Map<string, readonly Node[]>
  at: number
  depth: number
}
type Tokens = {
  readonly name: string
  readonly line: number
  readonly tokens: readonly Token[]
  readonly source: string
  at: number
  depth: number
}

const DEEPEST = 100

/**
 * Reads a Go template: text, `if else with range break continue define template block`, variables, pipelines.
 *
 * @throws SluiceError TEMPLATE_INVALID
 */
export function parseTemplate(name: string, source: string): Template {
  const reader: Reader = { name, pieces: lexTemplate(name, source), defined: new Map(), at: 0, depth: 0 }
  const { nodes, end } = parseBody(reader)
  if (end) throw templateFault(name, end.line, `unexpected {{${end.word}}}`)
  return { nodes, defined: reader.defined }
}

type End = { readonly word: 'end' | 'else'; readonly line: number; readonly rest: Tokens }

function parseBody(reader: Reader): { nodes: Node[]; end: End | undefined } {
  if (++reader.depth > DEEPEST) throw templateFault(reader.name, 1, 'blocks nest too deeply')
  const nodes: Node[] = []
  for (let piece = reader.pieces[reader.at++]; piece; piece = reader.pieces[reader.at++]) {
    if (piece.kind === 'text') {
      nodes.push(piece)
      continue
    }
    const tokens: Tokens = {
      name: reader.name,
      line: piece.line,
      tokens: piece.tokens,
      source: piece.source,
      at: 0,
      depth: 0,
    }
    const word = piece.tokens[0]?.kind === 'name' ? piece.tokens[0].text : ''
    if (word === 'end' || word === 'else') {
      tokens.at = 1
      reader.depth--
      return { nodes, end: { word, line: piece.line, rest: tokens } }
    }
    nodes.push(...parseAction(reader, tokens, word))
  }
  reader.depth--
  return { nodes, end: undefined }
}

function parseAction(reader: Reader, tokens: Tokens, word: string): readonly Node[] {
  if (word === 'break' || word === 'continue') return [{ kind: word }]
  if (word === 'define' || word === 'template' || word === 'block') return parseNamed(reader, tokens, word)
  if (word !== 'if' && word !== 'with' && word !== 'range') return [{ kind: 'output', pipeline: parsePipeline(tokens) }]
  tokens.at = 1
  return [parseBlock(reader, tokens, word)]
}

/** What has a name: `define` says what it is, `template` puts it here, `block` does both. */
function parseNamed(reader: Reader, tokens: Tokens, word: 'define' | 'template' | 'block'): readonly Node[] {
  if (word === 'define' && reader.depth > 1) throw templateFault(tokens.name, tokens.line, 'unexpected {{define}}')
  tokens.at = 1
  skipSpace(tokens)
  const token = tokens.tokens[tokens.at++]
  if (token?.kind !== 'string') {
    const found = token === undefined ? 'end of action' : JSON.stringify(token.text)
    throw templateFault(tokens.name, tokens.line, `unexpected ${found} in ${word} clause`)
  }
  const name = unquote(tokens, token.text)
  skipSpace(tokens)
  const isAlone = tokens.at >= tokens.tokens.length
  if (word === 'block' && isAlone) throw templateFault(tokens.name, tokens.line, 'missing value for block clause')
  const pipeline = isAlone || word === 'define' ? undefined : parsePipeline(tokens)
  if (word !== 'template') {
    const { nodes, end } = parseBody(reader)
    if (end?.word !== 'end')
      throw templateFault(tokens.name, tokens.line, end ? 'unexpected {{else}}' : 'unexpected EOF')
    reader.defined.set(name, nodes)
  }
  if (word === 'define') return []
  const given = tokens.tokens.slice(2).map(({ text }) => text)
  const place = { source: tokens.source, at: token.at, about: `{{template ${given.join('')}}}` }
  return [{ kind: 'template', name, pipeline, place }]
}

function parseBlock(reader: Reader, tokens: Tokens, kind: 'if' | 'with' | 'range'): Node {
  skipSpace(tokens)
  if (tokens.at >= tokens.tokens.length) throw templateFault(tokens.name, tokens.line, `missing value for ${kind}`)
  const pipeline = parsePipeline(tokens)
  const { nodes: body, end } = parseBody(reader)
  if (!end) throw templateFault(tokens.name, tokens.line, 'unexpected EOF')
  if (end.word === 'end') return { kind, pipeline, body, otherwise: [] }
  skipSpace(end.rest)
  const next = end.rest.tokens[end.rest.at]
  if (next?.kind === 'name' && (next.text === 'if' || next.text === 'with')) {
    end.rest.at++
    if (++reader.depth > DEEPEST) throw templateFault(reader.name, end.line, 'blocks nest too deeply')
    const otherwise = [parseBlock(reader, end.rest, next.text)]
    reader.depth--
    return { kind, pipeline, body, otherwise }
  }
  const { nodes: otherwise, end: last } = parseBody(reader)
  if (last?.word !== 'end') throw templateFault(tokens.name, tokens.line, 'expected end after {{else}}')
  return { kind, pipeline, body, otherwise }
}

function parsePipeline(tokens: Tokens): Pipeline {
  const text = tokens.tokens
    .slice(tokens.at)
    .map((token) => token.text)
    .join('')
  const declared = /^\s*(\$\w*)(?:\s*,\s*(\$\w*))?\s*(:?=)/.exec(text)
  const variables = declared ? [declared[1], declared[2]].filter((name) => name !== undefined) : []
  if (declared) while (![':=', '='].includes(tokens.tokens[tokens.at++]?.text ?? ':='));
  const value = parsePipe(tokens)
  skipSpace(tokens)
  const left = tokens.tokens[tokens.at]
  if (left) throw templateFault(tokens.name, tokens.line, `unexpected ${JSON.stringify(left.text)} in operand`)
  return { variables, isNew: declared?.[3] === ':=', value, line: tokens.line }
}

function parsePipe(tokens: Tokens): Expression {
  if (++tokens.depth > DEEPEST) throw templateFault(tokens.name, tokens.line, 'parentheses nest too deeply')
  const first = parseCommand(tokens)
  const rest: (Expression & { kind: 'call' })[] = []
  for (skipSpace(tokens); tokens.tokens[tokens.at]?.text === '|'; skipSpace(tokens)) {
    tokens.at++
    const command = parseCommand(tokens)
    if (command.kind !== 'call')
      throw templateFault(tokens.name, tokens.line, 'non executable command in pipeline stage 2')
    rest.push(command)
  }
  tokens.depth--
  return rest.length === 0 ? first : { kind: 'pipe', first, rest }
}

function parseCommand(tokens: Tokens): Expression {
  skipSpace(tokens)
  const head = tokens.tokens[tokens.at]
  if (!head) throw templateFault(tokens.name, tokens.line, 'missing value for command')
  const isCall = head.kind === 'name' && !['true', 'false', 'nil'].includes(head.text)
  if (!isCall) return parseOperand(tokens)
  tokens.at++
  const given: Expression[] = []
  for (skipSpace(tokens); isOperand(tokens.tokens[tokens.at]); skipSpace(tokens)) given.push(parseOperand(tokens))
  const place = placeOf(tokens, head, endBefore(tokens))
  return { kind: 'call', name: head.text, arguments: given, place }
}

/** Where the token before the next one ends. */
function endBefore({ tokens, at }: Tokens): number {
  const last = tokens[at - 1]
  return last === undefined ? 0 : last.at + last.text.length
}

function isOperand(token: Token | undefined): boolean {
  return token !== undefined && !(token.kind === 'sign' && token.text !== '(' && token.text !== '.')
}

/** A term and the fields behind it. Go says of a chain of fields that it is at its second one. */
function parseOperand(tokens: Tokens): Expression {
  const first = tokens.tokens[tokens.at]
  const term = parseTerm(tokens)
  const fields: Token[] = []
  for (let next = tokens.tokens[tokens.at]; next?.kind === 'field'; next = tokens.tokens[++tokens.at]) fields.push(next)
  const [second] = fields
  if (first === undefined || second === undefined) return term
  const place = { source: tokens.source, at: second.at, about: { from: first.at, to: endBefore(tokens) } }
  const names = fields.map(({ text }) => text.slice(1))
  if (term.kind === 'fields') return { ...term, names: [...term.names, ...names], place }
  return { kind: 'fields', of: term, names, place }
}

function parseTerm(tokens: Tokens): Expression {
  const token = tokens.tokens[tokens.at++]
  if (!token) throw templateFault(tokens.name, tokens.line, 'missing value for command')
  switch (token.kind) {
    case 'string':
      return { kind: 'literal', value: unquote(tokens, token.text) }
    case 'char':
      return { kind: 'literal', value: token.text.codePointAt(1) ?? 0 }
    case 'number':
      return { kind: 'literal', value: Number(token.text) }
    case 'variable':
      return { kind: 'variable', name: token.text }
    case 'field':
      return { kind: 'fields', of: { kind: 'dot' }, names: [token.text.slice(1)], place: placeOf(tokens, token) }
    case 'name':
      if (token.text === 'true' || token.text === 'false') return { kind: 'literal', value: token.text === 'true' }
      if (token.text === 'nil') return { kind: 'literal', value: undefined }
      return { kind: 'call', name: token.text, arguments: [], place: placeOf(tokens, token) }
    default:
      return parseSign(tokens, token)
  }
}

function placeOf({ source }: Tokens, { at, text }: Token, to = at + text.length): Place {
  return { source, at, about: { from: at, to } }
}

function parseSign(tokens: Tokens, token: Token): Expression {
  if (token.text === '.') return { kind: 'dot' }
  if (token.text !== '(')
    throw templateFault(tokens.name, tokens.line, `unexpected ${JSON.stringify(token.text)} in operand`)
  const inner = parsePipe(tokens)
  skipSpace(tokens)
  if (tokens.tokens[tokens.at++]?.text !== ')') throw templateFault(tokens.name, tokens.line, 'unclosed left paren')
  return inner
}

function unquote(tokens: Tokens, text: string): string {
  if (text.startsWith('`')) return text.slice(1, -1)
  try {
    return String(
      JSON.parse(
        text.replace(
          /\\([^"\\/bfnrtu])/g,
          (whole, char: string) => ({ a: '\\u0007', v: '\\u000b', "'": "'" })[char] ?? whole,
        ),
      ),
    )
  } catch {
    throw templateFault(tokens.name, tokens.line, 'invalid syntax')
  }
}

function skipSpace(tokens: Tokens): void {
  while (tokens.tokens[tokens.at]?.kind === 'space') tokens.at++
}
