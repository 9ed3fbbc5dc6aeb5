import { formatJsonNumber, goFloat } from '../../yaml/write/go-numbers.ts'
import type { YamlNode, YamlScalar } from '../../yaml/nodes.ts'
import { checkMap, checkRepeated, checkStart, onPrint, reprintedScalar } from '../../yaml/write/reprint.ts'
import { resolveScalar, tagOf, type ScalarValue } from '../../yaml/resolve.ts'
import { styleOfText } from '../../yaml/write/scalar-style.ts'
import { SluiceError } from '../../error/sluice-error.ts'
import { failure } from '../failure.ts'
import { goJson } from './hash.ts'

/**
 * Makes of a tree what JSON has of it: nulls, booleans, numbers and texts, times among them; in place.
 *
 * @throws SluiceError with Go's text, where it cannot make JSON of a value
 */
export function toJson(root: YamlNode): void {
  onPrint(root, () => checkPrint(root, false))
  convert(root, true, false)
}

function checkPrint(node: YamlNode, isInFlow: boolean): void {
  if (node.kind === 'scalar') {
    if (!isInFlow) checkStart(node)
    return
  }
  if (node.kind === 'map') checkRepeated(node)
  for (const child of node.kind === 'seq' ? node.items : node.fields.values())
    checkPrint(child, isInFlow || node.isFlow === true)
}

function convert(node: YamlNode, isRoot: boolean, isInFlow: boolean): void {
  if (node.kind === 'scalar') return scalarToJson(node, isInFlow)
  const isFlow = isInFlow || node.isFlow === true
  if (node.kind === 'seq') {
    for (const item of node.items) convert(item, false, isFlow)
    return
  }
  checkMap(node, isRoot)
  delete node.otherKey
  delete node.typedKey
  for (const value of node.fields.values()) convert(value, false, isFlow)
}

function scalarToJson(node: YamlScalar, isInFlow: boolean): void {
  if (node.tag === '' && (node.style === 'single' || node.style === 'double')) return
  try {
    setValue(node, reprintedScalar(node, isInFlow))
  } catch (error) {
    if (error instanceof SluiceError) throw failure('KUSTOMIZE_BUILD', error.message, node, error.hint)
    throw error
  }
}

function setText(node: YamlScalar, text: string): void {
  node.value = text
  node.tag = '!!str'
  node.style = 'double'
}

function setValue(node: YamlScalar, value: ScalarValue): void {
  if (typeof value === 'string') setText(node, value)
  else {
    node.value = typeof value === 'number' ? formatJsonNumber(value) : String(value)
    node.tag = ''
    node.style = 'plain'
  }
  if (node.touch) node.touch = { ...node.touch, value: node.value }
}

/** Makes a tree be written as JSON is, after {@link toJson}: brackets, and every text in double quotes; in place. */
export function spellAsJson(node: YamlNode): void {
  if (node.kind === 'scalar') {
    if (node.tag !== '' || node.style !== 'plain') node.style = 'double'
    node.tag = ''
    return
  }
  node.isFlow = true
  for (const child of node.kind === 'seq' ? node.items : node.fields.values()) spellAsJson(child)
}

/**
 * Makes of JSON in a tree what kustomize has after it read it again: blocks where there is anything in them, its choice of quotes, and numbers as Go prints
 * what were floats, one and all; in place.
 */
export function fromJson(node: YamlNode): void {
  if (node.kind === 'scalar') return readScalar(node)
  node.isFlow = (node.kind === 'seq' ? node.items.length : node.fields.size) === 0
  node.tag = ''
  if (node.kind === 'seq') {
    for (const item of node.items) fromJson(item)
    return
  }
  node.wasJson = true
  delete node.otherKey
  delete node.typedKey
  for (const value of node.fields.values()) fromJson(value)
}

function readScalar(node: YamlScalar): void {
  const value = resolveScalar(node)
  if (typeof value === 'string') {
    node.tag = '!!str'
    node.style = styleOfText(node.value)
    return
  }
  node.style = 'plain'
  if (typeof value === 'number' || typeof value === 'bigint')
    node.value = node.value === '-0' ? '-0' : goFloat(Number(value))
  node.tag = tagOf({ ...node, tag: '' })
  if (node.touch) node.touch = { ...node.touch, value: node.value }
}

/** The JSON text of a tree, keys in order; the scalars of a JSON text as they are spelled there. */
export function rawJson(node: YamlNode, isSpelled: boolean): string {
  if (node.kind === 'seq') return `[${node.items.map((item) => rawJson(item, isSpelled)).join(',')}]`
  if (node.kind === 'map') {
    const fields = [...node.fields].sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${fields.map(([key, value]) => `${goJson(key)}:${rawJson(value, isSpelled)}`).join(',')}}`
  }
  if (isSpelled && node.source) return node.source.text.slice(node.start, node.end)
  return goJson(resolveScalar(node))
}
