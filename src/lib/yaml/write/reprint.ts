import { SluiceError } from '../../error/sluice-error.ts'
import type { YamlMap, YamlNode, YamlScalar, YamlSeq } from '../nodes.ts'
import { whereIs } from '../position.ts'
import { goSyntax } from './go-syntax.ts'
import { refold } from './refold.ts'
import { rereadFault } from './reread-fault.ts'
import { styleFor } from './scalar-style.ts'
import { wantedStyle } from './write-nodes.ts'
import { parseTimestamp, resolvePlain, resolveScalar, tagOf, type ScalarValue } from '../resolve.ts'

/**
 * The value of a tree as Go's kyaml has it in the end: it prints the tree and reads the text back before it makes JSON of it, and not
 * everything survives that. Folded scalars get more line feeds, what is empty between brackets becomes a text, and so does a time
 * of day there.
 *
 * Integers beyond 2^53 are bigints.
 * @throws SluiceError YAML_SYNTAX with Go's text, where it cannot make JSON of a value: a key inside that is no string, infinity
 */
export function reprintedValue(root: YamlNode): unknown {
  return onPrint(root, () => convert(root, false, true, true))
}

/** The same before the last reader, which refuses some characters, sees it: what hashes are made of. */
export function printedValue(root: YamlNode): unknown {
  return onPrint(root, () => convert(root, false, true, false))
}

function convert(node: YamlNode, isInFlow: boolean, isRoot: boolean, isLast: boolean): unknown {
  if (node.kind === 'scalar') {
    const value = reprintedScalar(node, isInFlow)
    return isLast ? readAgain(node, value) : value
  }
  const isFlow = isInFlow || node.isFlow === true
  if (node.kind === 'seq') return node.items.map((item) => convert(item, isFlow, false, isLast))
  checkMap(node, isRoot)
  const object: Record<string, unknown> = {}
  for (const [key, value] of node.fields) {
    // a key that reads as null has no text, and Go leaves it out of a mapping whose keys are all texts
    if (isRoot && node.oldKeys?.has(key) && resolvePlain(key) === null) continue
    const converted = convert(value, isFlow, false, isLast)
    if (key !== '__proto__') object[key] = converted
    else Object.defineProperty(object, key, { value: converted, enumerable: true, writable: true, configurable: true })
  }
  return object
}

/** Refuses a mapping of which Go makes no JSON. */
export function checkMap(node: YamlMap, isRoot: boolean): void {
  if (node.collectionKeys) for (const key of node.collectionKeys.values()) throw collectionKey(key)
  checkRepeated(node)
  if (node.otherKey === undefined || isRoot) return
  const hint = `write the key "${node.otherKey}" in quotes`
  throw refused(node, 'json: unsupported type: map[interface {}]interface {}', hint)
}

/** Refuses a mapping that has a key twice, within {@link onPrint}. */
export function checkRepeated(node: YamlMap): void {
  if (node.overwritten) throw repeated(node)
}

/** JSON has these as they are: the last reader takes a NEXT LINE for a line break, and folds it, and refuses the others. */
function readAgain(node: YamlScalar, value: ScalarValue): ScalarValue {
  if (typeof value !== 'string' || !BEYOND_ASCII.test(value)) return value
  if (UNREADABLE.test(value)) throw refused(node, 'yaml: control characters are not allowed')
  if (!value.includes('\x85')) return value
  return value.replace(/[ \t]*\x85[ \t\x85]*/g, (breaks) => '\n'.repeat(breaks.split('\x85').length - 2) || ' ')
}

/** The value of a scalar of such a tree; `isInFlow` says that it stands between brackets. @throws as {@link reprintedValue} */
export function reprintedScalar(node: YamlScalar, isInFlow: boolean): ScalarValue {
  if (!isInFlow) checkStart(node)
  if (!isInFlow && node.style === 'folded') return refold(node.value)
  if (node.tag !== '' && !isQuotedByStyle(node)) return taggedValue(node)
  if (node.style !== 'plain') return node.value
  if (isInFlow && (node.value === '' || (node.value.includes(':') && parseTimestamp(node.value) !== undefined)))
    return node.value
  return finite(node, resolvePlain(node.value))
}

/** Refuses a block that begins with a tab, within {@link onPrint}: its indentation cannot be told. */
export function checkStart(node: YamlScalar): void {
  if (node.value.startsWith('\t') && isPrintedAsBlock(node)) throw tabbed(node)
}

function isPrintedAsBlock(node: YamlScalar): boolean {
  const style = styleFor(node.value, wantedStyle(node), { isInFlow: false, isKey: false })
  return style === 'literal' || style === 'folded'
}

const BEYOND_ASCII = /[\x7f-\uffff]/

/** Characters that JSON has as they are and the parser refuses. */
const UNREADABLE = /[\x7f-\x84\x86-\x9f\ufffe\uffff]/

/** A number that a program put into quotes is a text: the tag is left out when it is printed, as it goes without saying. */
function isQuotedByStyle({ tag, style, end, value }: YamlScalar): boolean {
  if (end > 0 || style === 'plain' || !CHECKED.has(tag)) return false
  return tag === tagOf({ ...NO_TAG, value })
}

const NO_TAG: YamlScalar = {
  kind: 'scalar',
  value: '',
  tag: '',
  style: 'plain',
  source: undefined,
  start: 0,
  end: 0,
  keyStart: -1,
}

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

function collectionKey(key: YamlMap | YamlSeq): SluiceError {
  const hint = 'put a template such as {{ .Name }} in quotes, or render it first'
  return refused(key, `yaml: invalid map key: ${goSyntax(key, false, true)}`, hint)
}

function tabbed(node: YamlScalar): SluiceError {
  return unreadable(
    node,
    'yaml: line 2: found a tab character where an indentation space is expected',
    'start with another character',
  )
}

function repeated(node: YamlMap): SluiceError {
  const [first] = node.overwritten ?? []
  return unreadable(
    first ? laterOf(first.value, node.fields.get(first.key)) : node,
    'yaml: unmarshal errors',
    'remove one of the two',
  )
}

function laterOf(a: YamlNode, b: YamlNode | undefined): YamlNode {
  return b && b.keyStart > a.keyStart ? b : a
}

const OF_PRINT = 'what was printed cannot be read again'

/** An error whose text depends on the print of the whole tree. */
function unreadable(node: YamlNode, message: string, hint: string): SluiceError {
  const where = whereIs(node)
  return new SluiceError('YAML_SYNTAX', message, { cause: OF_PRINT, hint, ...(where ? { where } : {}) })
}

/** Runs a step on a tree; an error that tells a line of its print gets it. */
export function onPrint<T>(root: YamlNode, step: () => T): T {
  try {
    return step()
  } catch (error) {
    if (!(error instanceof SluiceError) || error.cause !== OF_PRINT) throw error
    throw new SluiceError('YAML_SYNTAX', rereadFault(root) ?? error.message, {
      ...(error.where ? { where: error.where } : {}),
      ...(error.hint ? { hint: error.hint } : {}),
    })
  }
}

function refused(node: YamlNode, message: string, hint?: string): SluiceError {
  const where = whereIs(node)
  return new SluiceError('YAML_SYNTAX', message, { ...(where ? { where } : {}), ...(hint ? { hint } : {}) })
}
