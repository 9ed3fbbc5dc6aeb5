import { SluiceError } from '../error/sluice-error.ts'
import { formatJsonNumber } from '../yaml/write/go-numbers.ts'
import { leaf, plainNumber, type SopsLeaf, type SopsMap, type SopsNode } from './tree.ts'

type Reader = { readonly text: string; pos: number; depth: number }

const MAX_DEPTH = 1000
const LARGEST_INT = 2n ** 63n

/** Reads a JSON object, its fields in order; integers keep all their digits. @throws SluiceError SOPS_DECRYPT */
export function loadJson(text: string): SopsMap {
  const r: Reader = { text, pos: 0, depth: 0 }
  skipSpace(r)
  if (r.text[r.pos] !== '{') throw fault(r, 'SOPS only supports JSON files with a top-level object')
  const value = readValue(r)
  if (value.kind !== 'map') throw fault(r, 'SOPS only supports JSON files with a top-level object')
  return value
}

/** Writes a document as SOPS does: indented by tabs, a line break at the end. */
export function emitJson(document: SopsMap): string {
  return `${writeNode(document, '\n')}\n`
}

function readValue(r: Reader): SopsNode {
  skipSpace(r)
  const char = r.text[r.pos]
  if (char === '{') return readObject(r)
  if (char === '[') return readArray(r)
  if (char === '"') return leaf('str', readString(r))
  for (const [word, made] of WORDS)
    if (r.text.startsWith(word, r.pos)) {
      r.pos += word.length
      return made
    }
  return readNumber(r)
}

const WORDS: readonly (readonly [string, SopsLeaf])[] = [
  ['true', leaf('bool', 'True')],
  ['false', leaf('bool', 'False')],
  ['null', leaf('null', '')],
]

function readObject(r: Reader): SopsMap {
  enter(r)
  const entries: { key: string; value: SopsNode }[] = []
  while (!takes(r, '}')) {
    if (entries.length > 0) expect(r, ',')
    skipSpace(r)
    const key = readString(r)
    expect(r, ':')
    entries.push({ key, value: readValue(r) })
  }
  r.depth--
  return { kind: 'map', entries }
}

function readArray(r: Reader): SopsNode {
  enter(r)
  const items: SopsNode[] = []
  while (!takes(r, ']')) {
    if (items.length > 0) expect(r, ',')
    items.push(readValue(r))
  }
  r.depth--
  return { kind: 'list', items }
}

function readString(r: Reader): string {
  const match = stickyMatch(/"(?:[^"\\\u0000-\u001f]|\\.)*"/y, r)
  if (match === undefined) throw fault(r, 'a string is expected')
  try {
    return String(JSON.parse(match))
  } catch {
    throw fault(r, 'a string has an escape that JSON does not know')
  }
}

function readNumber(r: Reader): SopsLeaf {
  const match = stickyMatch(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y, r)
  if (match === undefined) throw fault(r, 'a value is expected')
  if (/^-?\d+$/.test(match)) {
    const exact = BigInt(match)
    if (exact >= -LARGEST_INT && exact < LARGEST_INT) return leaf('int', String(exact))
  }
  return leaf('float', plainNumber(Number(match)))
}

function stickyMatch(expression: RegExp, r: Reader): string | undefined {
  expression.lastIndex = r.pos
  const match = expression.exec(r.text)?.[0]
  if (match !== undefined) r.pos += match.length
  return match
}

function takes(r: Reader, char: string): boolean {
  skipSpace(r)
  if (r.text[r.pos] !== char) return false
  r.pos++
  return true
}

function expect(r: Reader, char: string): void {
  if (!takes(r, char)) throw fault(r, `"${char}" is expected`)
}

function enter(r: Reader): void {
  r.pos++
  if (++r.depth > MAX_DEPTH) throw fault(r, `it is nested deeper than ${MAX_DEPTH} levels`)
}

function skipSpace(r: Reader): void {
  while (' \t\r\n'.includes(r.text[r.pos] ?? '.')) r.pos++
}

function fault({ pos }: Reader, why: string): SluiceError {
  return new SluiceError('SOPS_DECRYPT', `Could not unmarshal input data: ${why} at offset ${pos}`)
}

function writeNode(node: SopsNode, lineStart: string): string {
  if (node.kind === 'leaf') return writeLeaf(node)
  if (node.kind === 'comment') return ''
  const inner = `${lineStart}\t`
  if (node.kind === 'list') {
    const items = node.items.filter(({ kind }) => kind !== 'comment').map((item) => writeNode(item, inner))
    return items.length === 0 ? '[]' : `[${inner}${items.join(`,${inner}`)}${lineStart}]`
  }
  const fields = node.entries.flatMap((entry) =>
    'key' in entry ? [`${writeText(entry.key)}: ${writeNode(entry.value, inner)}`] : [],
  )
  return fields.length === 0 ? '{}' : `{${inner}${fields.join(`,${inner}`)}${lineStart}}`
}

function writeLeaf({ type, bytes }: SopsLeaf): string {
  const text = bytes.toString('utf8')
  if (type === 'str' || type === 'time') return writeText(text)
  if (type === 'float') return formatJsonNumber(Number(text))
  if (type === 'null') return 'null'
  return type === 'bool' ? text.toLowerCase() : text
}

/** As Go's JSON: what could be taken for HTML is escaped. */
function writeText(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
