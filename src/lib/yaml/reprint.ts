import { SluiceError } from '../error/sluice-error.ts'
import type { YamlNode, YamlScalar } from './nodes.ts'
import { whereIs } from './position.ts'
import { refold } from './refold.ts'
import { parseTimestamp, resolvePlain, resolveScalar, tagOf, type ScalarValue } from './resolve.ts'

/**
 * The value of a tree as Go's kyaml has it in the end: it prints the tree and reads the text back before it makes JSON of it, and not
 * everything survives that. Folded scalars get more line feeds, what is empty between brackets becomes a text, and so does a time
 * of day there.
 *
 * Integers beyond 2^53 are bigints.
 * @throws SluiceError YAML_SYNTAX with Go's text, where it cannot make JSON of a value: a key inside that is no string, infinity
 */
export function reprintedValue(root: YamlNode): unknown {
  return convert(root, false, true)
}

function convert(node: YamlNode, isInFlow: boolean, isRoot: boolean): unknown {
  if (node.kind === 'scalar') return foldNextLines(scalarValue(node, isInFlow))
  const isFlow = isInFlow || node.isFlow === true
  if (node.kind === 'seq') return node.items.map((item) => convert(item, isFlow, false))
  if (node.otherKey !== undefined && !isRoot)
    throw refused(
      node,
      'json: unsupported type: map[interface {}]interface {}',
      `write the key "${node.otherKey}" in quotes`,
    )
  const object: Record<string, unknown> = {}
  for (const [key, value] of node.fields) {
    const converted = convert(value, isFlow, false)
    if (key !== '__proto__') object[key] = converted
    else Object.defineProperty(object, key, { value: converted, enumerable: true, writable: true, configurable: true })
  }
  return object
}

/** A NEXT LINE goes into the JSON as it is, where the last reader takes it for a line break, and folds it. */
function foldNextLines(value: ScalarValue): ScalarValue {
  if (typeof value !== 'string' || !value.includes('\x85')) return value
  return value.replace(/[ \t]*\x85[ \t\x85]*/g, (breaks) => '\n'.repeat(breaks.split('\x85').length - 2) || ' ')
}

function scalarValue(node: YamlScalar, isInFlow: boolean): ScalarValue {
  if (node.style === 'folded') return refold(node.value)
  if (node.style === 'literal' && node.value.startsWith('\t')) throw tabbed(node)
  if (node.tag !== '') return taggedValue(node)
  if (node.style === 'double' && UNREADABLE.test(node.value))
    throw refused(node, 'yaml: control characters are not allowed')
  if (node.style !== 'plain') return node.value
  if (isInFlow && (node.value === '' || (node.value.includes(':') && parseTimestamp(node.value) !== undefined)))
    return node.value
  return finite(node, resolvePlain(node.value))
}

/** Characters that the emitter writes as they are and the parser refuses. */
const UNREADABLE = /[\x7f-\x84\x86-\x9f\ufffe\uffff]/

const CHECKED = new Set(['!!int', '!!float', '!!bool', '!!null', '!!timestamp'])

/** A tag must be what the text is; an integer passes as a float. */
function taggedValue(node: YamlScalar): ScalarValue {
  if (node.tag === '!!binary' && !isBase64(node.value))
    throw refused(node, 'yaml: !!binary value contains invalid base64 data')
  if (!CHECKED.has(node.tag)) return resolveScalar(node)
  const actual = tagOf({ ...node, tag: '', style: 'plain' })
  if (actual !== node.tag && !(node.tag === '!!float' && actual === '!!int'))
    throw refused(node, `yaml: cannot decode ${actual} \`${node.value}\` as a ${node.tag}`)
  return finite(node, resolveScalar(node))
}

function isBase64(text: string): boolean {
  const plain = text.replace(/[\r\n]/g, '')
  return plain.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(plain)
}

function finite(node: YamlScalar, value: ScalarValue): ScalarValue {
  if (typeof value !== 'number' || Number.isFinite(value)) return value
  const name = Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  throw refused(node, `json: unsupported value: ${name}`, 'write it in quotes')
}

function tabbed(node: YamlScalar): SluiceError {
  return refused(
    node,
    'yaml: line 2: found a tab character where an indentation space is expected',
    'start with another character',
  )
}

function refused(node: YamlNode, message: string, hint?: string): SluiceError {
  const where = whereIs(node)
  return new SluiceError('YAML_SYNTAX', message, { ...(where ? { where } : {}), ...(hint ? { hint } : {}) })
}
