import { createHash } from 'node:crypto'
import { formatJsonNumber } from '../../yaml/write/go-numbers.ts'
import type { YamlNode } from '../../yaml/nodes.ts'
import { printedValue } from '../../yaml/write/reprint.ts'
import { toValue } from '../../yaml/to-value.ts'
import { fieldText, type Resource } from './resource.ts'

/**
 * The suffix of a generated object's name: ten characters over kind, name and content.
 *
 * @see https://github.com/kubernetes-sigs/kustomize/blob/master/api/internal/hasher/hasher.go
 */
export function hashOf(resource: Resource): string {
  const { node } = resource
  const kind = fieldText(node, 'kind')
  // kustomize looks for a field literally called `metadata/name`, so no name enters the hash
  const name = fieldText(node, 'metadata/name')
  const fields: [string, unknown][] = []
  if (kind === 'ConfigMap') {
    const binary = node.fields.get('binaryData')
    if (binary) fields.push(['binaryData', textsOf(binary)])
    fields.push(['data', textsOf(node.fields.get('data'))], ['kind', 'ConfigMap'], ['name', name])
  } else if (kind === 'Secret') {
    fields.push(['data', textsOf(node.fields.get('data'))], ['kind', 'Secret'], ['name', name])
    const plain = node.fields.get('stringData')
    if (plain) fields.push(['stringData', textsOf(plain)])
    fields.push(['type', fieldText(node, 'type')])
  } else return encode(goJson(toValue(node)))
  return encode(`{${fields.map(([key, value]) => `${goJson(key)}:${goJson(value)}`).join(',')}}`)
}

function textsOf(node: YamlNode | undefined): unknown {
  return node?.kind === 'map' ? printedValue(node) : ''
}

const LETTERS: Readonly<Record<string, string>> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' }

function encode(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex').slice(0, 10)
  return hex.replace(/[013ae]/g, (letter) => LETTERS[letter] ?? letter)
}

/** JSON as Go writes it: keys in byte order, `<`, `>`, `&` and line separators escaped. */
export function goJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const keys = Object.keys(value).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    return `{${keys.map((key) => `${goJson(key)}:${goJson(Reflect.get(value, key))}`).join(',')}}`
  }
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return formatJsonNumber(value)
  const text = JSON.stringify(value) ?? 'null'
  if (typeof value !== 'string') return text
  return text.replace(/[<>&\u2028\u2029\u007f]|\\b|\\f/g, (found) => ESCAPES[found] ?? found)
}

const ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}
