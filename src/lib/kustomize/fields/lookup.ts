import { trimOf } from '../../value/trim-end.ts'
import { parseDocuments } from '../../yaml/parse-documents.ts'
import { plainNode, mapNode, seqNode, putField } from '../../yaml/make-nodes.ts'
import { copyNode, type YamlDocument, type YamlNode } from '../../yaml/nodes.ts'
import { SluiceError } from '../../error/sluice-error.ts'
import { goSyntaxError } from '../../yaml/syntax/go-syntax-error.ts'
import { writeNode } from '../../yaml/write/write-nodes.ts'
import { compileRegexp } from '../../go-regexp/go-regexp.ts'
import { buildError, rewritten, wrongKind } from '../failure.ts'
import { splitPath } from './field-spec.ts'
import { isNull } from '../objects/null.ts'

/** Splits `a.[b=c].d\.e` at dots; brackets hold theirs together. */
export function splitDots(path: string): string[] {
  const steps: string[] = []
  const parts = splitPath(path, '.')
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] ?? ''
    if (!part.startsWith('[') || part.endsWith(']')) {
      steps.push(part)
      continue
    }
    const bracketed = [part]
    while (i < parts.length - 1) {
      const next = parts[++i] ?? ''
      bracketed.push(next)
      if (next.endsWith(']')) break
    }
    const joined = bracketed.join('.')
    steps.push(joined.includes('=') ? joined : trimOf(joined, '[]'))
  }
  return steps
}

/** The node at a path, undefined when there is none; steps without a name are none. */
export function lookup(node: YamlNode, steps: readonly string[]): YamlNode | undefined {
  let at: YamlNode | undefined = node
  for (const step of steps) {
    if (step === '') continue
    if (at === undefined || isNull(at)) return undefined
    if (step === '*') throw buildError('wildcard is not supported in PathGetter')
    if (/^[-+]?\d+$/.test(step) || step === '-' || isElement(step)) {
      if (isElement(step)) splitElement(step)
      if (at.kind !== 'seq') throw wrongKind('seq', at)
      at = elementOf(at.items, step)
    } else {
      if (at.kind !== 'map') throw wrongKind('map', at)
      at = at.fields.get(step)
    }
  }
  return at
}

/** A field; a step without a name is a scalar itself, when that is empty. */
function fieldOf(node: YamlNode, step: string): YamlNode | undefined {
  if (step === '') {
    if (node.kind !== 'scalar') throw wrongKind('scalar', node)
    return node.value === '' ? node : undefined
  }
  if (node.kind !== 'map') throw wrongKind('map', node)
  return node.fields.get(step)
}

function elementOf(items: readonly YamlNode[], step: string): YamlNode | undefined {
  if (/^-\d+$/.test(step)) throw buildError(`array index ${Number(step)} cannot be negative`)
  if (/^\+?\d+$/.test(step)) return items[Number(step)]
  if (step === '-') return items.at(-1)
  const { field, value } = splitElement(step)
  return items.find((item) => {
    if (field === '') return item.kind === 'scalar' && item.value === value
    const found = item.kind === 'map' ? item.fields.get(field) : undefined
    return found?.kind === 'scalar' && found.value === value
  })
}

function splitElement(step: string): { readonly field: string; readonly value: string } {
  const inner = step.slice(1, -1)
  const equals = inner.indexOf('=')
  if (equals < 0) throw buildError(`list path element must contain fieldName=fieldValue for element to match`)
  return { field: inner.slice(0, equals), value: inner.slice(equals + 1) }
}

/** How a path is followed. */
export type PathOptions = {
  /** What to make of a path that does not exist; undefined: nothing. */
  readonly create: YamlNode['kind'] | undefined
  /** Whether the path goes on in JSON or YAML that is the text of a field; what is found there stands for itself. */
  readonly readsTexts?: boolean
}

/** Every node that a path matches; `[a=b]` takes regular expressions, `*` every element. */
export function matchPath(node: YamlNode, steps: readonly string[], options: PathOptions): YamlNode[] {
  const [step, ...rest] = steps
  if (step === undefined) return [node]
  if (isIndex(step)) return matchIndex(node, Number(step), rest, options)
  if (isElement(step)) return matchElements(node, step, rest, options)
  if (step === '*') return elements(node).flatMap((item) => matchPath(item, rest, options))
  return matchField(node, step, rest, options)
}

function isIndex(step: string): boolean {
  return /^\+?\d+$/.test(step)
}

function isElement(step: string): boolean {
  return step.startsWith('[') && step.endsWith(']')
}

function elements(node: YamlNode): readonly YamlNode[] {
  if (node.kind === 'seq') return node.items
  if (isNull(node)) return []
  throw wrongKind('seq', node)
}

function makeFor(next: string | undefined, create: YamlNode['kind']): YamlNode {
  const kind = next === undefined ? create : isElement(next) || isIndex(next) ? 'seq' : 'map'
  return kind === 'scalar' ? plainNode('') : kind === 'seq' ? seqNode() : mapNode()
}

function matchField(node: YamlNode, step: string, rest: readonly string[], options: PathOptions): YamlNode[] {
  const { create } = options
  if (isNull(node)) return []
  let field = fieldOf(node, step)
  if (field === undefined) {
    if (create === undefined || node.kind !== 'map') return []
    field = makeFor(rest[0], create)
    putField(node, step, field)
  }
  if (options.readsTexts && field.kind === 'scalar' && rest.length > 0) {
    const root = parseText(field.value)?.root
    if (!root) throw emptyText(field, rest[0] ?? '')
    return matchPath(root, rest, options)
  }
  return matchPath(field, rest, options)
}

/** Reads the first document of a text. @throws with the text of Go's library */
export function parseText(text: string): YamlDocument | undefined {
  try {
    return parseDocuments(text, undefined, undefined, 'v3', 'skipped')[0]
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'YAML_SYNTAX') throw error
    throw rewritten(error, () => goSyntaxError(error, text, 'v3'))
  }
}

/** A text without anything in it is a node of no kind to kustomize. */
function emptyText(field: YamlNode, step: string): Error {
  const isOfList = isIndex(step) || isElement(step) || step === '*'
  const kind = isOfList ? 'SequenceNode' : step === '' ? 'ScalarNode' : 'MappingNode'
  return buildError(`wrong node kind: expected ${kind} but got : node contents:\nnull\n`, field, 'write a value there')
}

function matchIndex(node: YamlNode, index: number, rest: readonly string[], options: PathOptions): YamlNode[] {
  const { create } = options
  const items = elements(node)
  if (node.kind === 'seq' && items.length === index && create !== undefined) node.items.push(makeFor(rest[0], create))
  const item = items[index]
  if (item === undefined) throw buildError(`index ${index} specified but only ${items.length} elements found`, node)
  return matchPath(item, rest, options)
}

function matchElements(node: YamlNode, step: string, rest: readonly string[], options: PathOptions): YamlNode[] {
  const { create } = options
  const { field, value } = splitElement(step)
  const expression = compileRegexp(value)
  const isMatch = (item: YamlNode): boolean => {
    const found = field === '' ? item : item.kind === 'map' ? item.fields.get(field) : undefined
    return found !== undefined && expression.test(writeNode(found).trim())
  }
  const hits = elements(node).filter(isMatch)
  const found = hits.flatMap((item) => (field === '' ? [item] : matchPath(item, rest, options)))
  if (found.length > 0 || create === undefined || node.kind !== 'seq') return found
  const made = field === '' ? plainNode(value) : mapNode([[field, plainNode(value)]])
  node.items.push(made)
  return field === '' ? [made] : matchPath(made, rest, options)
}

/** Makes a node be another one, in its place; nothing of how it was written stays. */
export function becomeNode(target: YamlNode, source: YamlNode): void {
  const fresh = copyNode(source)
  for (const name of Object.keys(target)) if (!(name in fresh)) Reflect.deleteProperty(target, name)
  Object.assign(target, fresh)
}
