import { nodesBelow, nodesIn, placeOf, type PlacedNode } from './places.ts'

const CLOSERS: Readonly<Record<string, string>> = { RPAREN: ')', RBRACKET: ']', RBRACE: '}' }

/**
 * Says what is wrong with an expression in the words of cel-go, which users of Flux know and search for.
 *
 * @param summary what our parser says
 * @param start where it stopped, counted from 0
 */
export function explainSyntax(text: string, summary: string, start: number): string {
  const expected = /^Expected (\w+), got (\w+)/.exec(summary)
  const rest = text.slice(start).trimStart()
  const place = start + (text.length - start - text.slice(start).trimStart().length)
  const token = tokenOf(rest)
  if (expected?.[1] === 'IDENTIFIER')
    return located(text, place, `Syntax error: no viable alternative at input '.${token === '<EOF>' ? '' : token}'`)
  const closer = CLOSERS[expected?.[1] ?? '']
  if (closer !== undefined)
    return located(
      text,
      place,
      `Syntax error: ${token === '<EOF>' ? 'missing' : 'mismatched input'} ${closerText(closer, token)}`,
    )
  if (/^Unexpected token/.test(summary))
    return located(text, place, `Syntax error: mismatched input '${token}' expecting ${startsOf(text.slice(0, place))}`)
  if (/^Unexpected character/.test(summary) && /^[\w.'"]/.test(rest)) {
    const isLast = rest.slice(token.length).trim() === ''
    return located(
      text,
      place,
      `Syntax error: ${isLast ? 'extraneous' : 'mismatched'} input '${token}' expecting <EOF>`,
    )
  }
  return located(text, place, `Syntax error: ${summary.slice(0, 1).toLowerCase()}${summary.slice(1)}`)
}

/** What may start an expression, as cel-go lists it; arguments of a function may be none. */
function startsOf(before: string): string {
  const end = isCall(before) ? "')', " : ''
  return `{'[', '{', '(', ${end}'.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}`
}

/** Behind the name of a function and its bracket, which may be closed again. */
function isCall(before: string): boolean {
  return /(?!\bin\s*\()\b[A-Za-z_]\w*\s*\(\s*$/.test(before)
}

const OTHER_WORDS: Readonly<Record<string, string>> = { 'has() invalid argument': 'invalid argument to has() macro' }

/** As {@link explainSyntax}, for an expression that reads well and cannot be typed. */
export function explainTypes(
  text: string,
  summary: string,
  range: { readonly start: number; readonly end: number } | undefined,
  root: PlacedNode,
): string {
  const { start, end } = range ?? { start: 0, end: 0 }
  const node = nodesIn(root).find((each) => each.start === start && each.end === end)
  const known = node === undefined ? undefined : explainNode(text, summary, node)
  if (known !== undefined) return known
  const unknown = /^Unknown variable: (.+)$/.exec(summary)
  if (unknown) return undeclared(text, start, unknown[1] ?? '')
  const field = /^No such key: (\w+)$/.exec(summary)
  if (field) return located(text, Math.max(start - 1, 0), `undefined field '${field[1]}'`)
  const scalar = /^Cannot index type '(.+)'$/.exec(summary)
  if (scalar) return located(text, Math.max(start - 1, 0), `type '${scalar[1]}' does not support field selection`)
  const negated = /^no such overload: ([!-])(\w+)$/.exec(summary)
  if (negated)
    return located(text, start, `found no matching overload for '${negated[1]}_' applied to '(${negated[2]})'`)
  const operand = /^Logical operator requires bool operands, got '(.+)'$/.exec(summary)
  if (operand) return located(text, start, `expected type 'bool' but found '${operand[1]}'`)
  const predicate = /predicate must return bool, got '(.+)'$/.exec(summary)
  if (predicate) return located(text, start, `expected type 'bool' but found '${typeText(predicate[1] ?? '')}'`)
  const call = /^found no matching overload for '(?:(.+)\.)?(\w+)\((.*)\)'$/.exec(summary)
  if (call) return explainCall(text, start, call)
  const overload = /^no such overload: (.+) (==|!=|<=|>=|<|>|\+|-|\*|\/|%|in) (.+)$/.exec(summary)
  if (!overload) return located(text, start, OTHER_WORDS[summary] ?? summary)
  const [, left = '', operator = '', right = ''] = overload
  const name = operator === 'in' ? '@in' : `_${operator}_`
  const at = Math.max(text.indexOf(operator, start), 0)
  return located(
    text,
    at,
    `found no matching overload for '${name}' applied to '(${typeText(left)}, ${typeText(right)})'`,
  )
}

/** What the library says of a whole operation, cel-go says of one of its parts or of all its types. */
function explainNode(text: string, summary: string, node: PlacedNode): string | undefined {
  const parts = nodesBelow(node)
  const types = parts.map(({ checkedType }) => checkedType?.name ?? 'dyn')
  const operand = /^Logical operator requires bool operands, got '(.+)'$/.exec(summary)
  const odd = operand === null ? undefined : parts.find(({ checkedType }) => checkedType?.name === operand[1])
  if (odd !== undefined)
    return located(text, placeOf(odd, text), `expected type 'bool' but found '${typeText(operand?.[1] ?? '')}'`)
  const name = /^Ternary branches/.test(summary)
    ? '_?_:_'
    : /^List index must be int/.test(summary)
      ? '_[_]'
      : undefined
  if (name !== undefined)
    return located(
      text,
      placeOf(node, text),
      `found no matching overload for '${name}' applied to '(${types.map(typeText).join(', ')})'`,
    )
  const range = /^Expression of type '(.+)' cannot be range of a comprehension/.exec(summary)
  if (range === null) return undefined
  const why = 'cannot be range of a comprehension (must be list, map, or dynamic)'
  return located(text, placeOf(node, text), `expression of type '${typeText(range[1] ?? '')}' ${why}`)
}

/** Of a function of an unknown family neither is known. */
function undeclared(text: string, start: number, name: string): string {
  const told = located(text, start, `undeclared reference to '${name}' (in container '')`)
  const call = /^\w+\.(\w+)\(/.exec(text.slice(start))
  if (call === null || FUNCTIONS.has(call[1] ?? '')) return told
  const second = located(
    text,
    start + call[0].length - 1,
    `undeclared reference to '${call[1] ?? ''}' (in container '')`,
  )
  return `${told}\n${second}`
}

/** Functions whose name is known, whatever they are called with. */
const FUNCTIONS = new Set([
  ...['size', 'contains', 'startsWith', 'endsWith', 'matches', 'int', 'uint', 'double', 'string', 'bool', 'bytes'],
  ...[
    'timestamp',
    'duration',
    'type',
    'dyn',
    'split',
    'join',
    'lowerAscii',
    'upperAscii',
    'trim',
    'substring',
    'charAt',
  ],
  ...['indexOf', 'lastIndexOf', 'replace', 'find', 'findAll', 'isSorted', 'sum', 'min', 'max', 'format', 'reverse'],
  ...['flatten', 'slice', 'distinct', 'sort', 'quantity', 'isQuantity', 'url', 'isURL', 'ip', 'isIP', 'cidr', 'isCIDR'],
  ...['semver', 'isSemver'],
  // what authorizers are asked, of whom rules of schemas know nothing
  ...['path', 'group', 'serviceAccount', 'resource', 'subresource', 'namespace', 'name', 'check'],
  ...['fieldSelector', 'labelSelector', 'errored', 'error', 'allowed', 'reason'],
])

/** The place of a call is its bracket. */
function explainCall(
  text: string,
  start: number,
  [, receiver, name = '', inputs]: readonly (string | undefined)[],
): string {
  const found = text.indexOf(`${name}(`, start)
  const at = found < 0 ? start : found + name.length
  if (!FUNCTIONS.has(name)) return located(text, at, `undeclared reference to '${name}' (in container '')`)
  const applied = `${receiver === undefined ? '' : `${receiver}.`}(${inputs ?? ''})`
  return located(text, at, `found no matching overload for '${name}' applied to '${typeText(applied)}'`)
}

function closerText(closer: string, token: string): string {
  return token === '<EOF>' ? `'${closer}' at '<EOF>'` : `'${token}' expecting '${closer}'`
}

function tokenOf(rest: string): string {
  if (rest === '') return '<EOF>'
  return /^(\w+|[=!<>]=|&&|\|\||'[^']*'|"[^"]*"|.)/s.exec(rest)?.[0] ?? '<EOF>'
}

function typeText(type: string): string {
  return type
    .replaceAll('optional<', 'optional_type<')
    .replaceAll(/google\.protobuf\.(Timestamp|Duration)/g, (_, name: string) => name.toLowerCase())
    .replaceAll('<', '(')
    .replaceAll('>', ')')
}

export function located(text: string, start: number, message: string): string {
  const before = text.slice(0, start)
  const line = before.split('\n').length
  const column = start - (before.lastIndexOf('\n') + 1)
  const source = text.split('\n')[line - 1] ?? ''
  return `ERROR: <input>:${line}:${column + 1}: ${message}\n | ${source}\n | ${'.'.repeat(column)}^`
}
