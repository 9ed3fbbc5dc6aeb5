import { formatFloat } from './go-numbers.ts'
import { sortKeys } from './key-order.ts'
import { writeString } from './write-scalar.ts'

/** What is being written, whether it ends a line, and keys that were written before (most texts repeat a few hundred). */
type Writer = { out: string; endsLine: boolean; readonly keys: Map<string, string> }

/**
 * Writes a plain value as one YAML document, byte for byte as Go's sigs.k8s.io/yaml prints it: keys in its natural order, two
 * spaces, sequences not indented under their key, folding at 80, its choice of quotes. A bigint is an integer.
 */
export function writeYaml(value: unknown): string {
  const w: Writer = { out: '', endsLine: false, keys: new Map() }
  if (isMap(value)) writeMap(w, value, 0, true)
  else if (isSeq(value)) writeSeq(w, value, 0, true)
  else putLeaf(w, writeLeaf(value, 0, 2))
  return w.endsLine ? w.out : `${w.out}\n`
}

/** Adds a leaf. A block may end with a line end of its own, U+2028 or U+2029; to look that up in all of `out` would cost its length. */
function putLeaf(w: Writer, text: string): void {
  w.out += text
  const last = text.charCodeAt(text.length - 1)
  w.endsLine = last === 0x2028 || last === 0x2029
}

/** Writes the documents of a stream, `---` between them. */
export function writeYamlStream(values: readonly unknown[]): string {
  return values.map(writeYaml).join('---\n')
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isEmptyObject(value)
}

function isSeq(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0
}

function isEmptyObject(value: object): boolean {
  for (const key in value) if (Object.hasOwn(value, key)) return false
  return true
}

/** Writes fields; the first one goes on the line at hand when it is behind a `- `. */
function writeMap(w: Writer, map: Readonly<Record<string, unknown>>, indent: number, isInline: boolean): void {
  const pad = `\n${' '.repeat(indent)}`
  let isFirst = isInline
  for (const key of sortKeys(Object.keys(map))) {
    const value = map[key]
    if (value === undefined) continue
    if (!isFirst) w.out += w.endsLine ? pad.slice(1) : pad
    isFirst = false
    const written = writeKey(w, key)
    if (written === undefined) writeComplexField(w, key, value, indent)
    else writeField(w, written, value, indent)
  }
}

function writeField(w: Writer, key: string, value: unknown, indent: number): void {
  if (isMap(value)) {
    w.out += `${key}:`
    w.endsLine = false
    writeMap(w, value, indent + 2, false)
  } else if (isSeq(value)) {
    w.out += `${key}:`
    w.endsLine = false
    writeSeq(w, value, indent, false)
  } else putLeaf(w, `${key}: ${writeLeaf(value, indent + key.length + 2, indent + 2)}`)
}

/** A key as it is written; undefined when it is too long or has a line break, and needs the `? ` form. */
function writeKey(w: Writer, key: string): string | undefined {
  const known = w.keys.get(key)
  if (known !== undefined) return known
  if (/[\n\r\u2028\u2029]/.test(key) || (key.length > 32 && Buffer.byteLength(key) > 128)) return undefined
  const written = writeString(key, 0, 0, true)
  w.keys.set(key, written)
  return written
}

function writeComplexField(w: Writer, key: string, value: unknown, indent: number): void {
  w.out += `? ${writeString(key, indent + 2, indent + 2, false)}\n${' '.repeat(indent)}: `
  if (isMap(value)) writeMap(w, value, indent + 2, true)
  else if (isSeq(value)) writeSeq(w, value, indent + 2, true)
  else putLeaf(w, writeLeaf(value, indent + 2, indent + 2))
}

function writeSeq(w: Writer, items: readonly unknown[], indent: number, isInline: boolean): void {
  const pad = `\n${' '.repeat(indent)}- `
  let isFirst = isInline
  for (const item of items) {
    w.out += isFirst ? '- ' : w.endsLine ? pad.slice(1) : pad
    isFirst = false
    if (isMap(item)) writeMap(w, item, indent + 2, true)
    else if (isSeq(item)) writeSeq(w, item, indent + 2, true)
    else w.out += writeLeaf(item, indent + 2, indent + 2)
  }
}

function writeLeaf(value: unknown, column: number, indent: number): string {
  if (typeof value === 'string') return writeString(value, column, indent, false)
  if (typeof value === 'number') return formatFloat(value)
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (value === null || value === undefined) return 'null'
  return Array.isArray(value) ? '[]' : '{}'
}
