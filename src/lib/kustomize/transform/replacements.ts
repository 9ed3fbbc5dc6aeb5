import { plainNode } from '../../yaml/make-nodes.ts'
import { type YamlNode, type YamlScalar } from '../../yaml/nodes.ts'
import { goQuote } from '../../value/go-quote.ts'
import { SluiceError } from '../../error/sluice-error.ts'
import { tagOf } from '../../yaml/resolve.ts'
import type { Rules } from '../compat.ts'
import { decodeStruct, type Decoded } from '../kustomization/decode.ts'
import { selectorOf } from '../kustomization/entries.ts'
import { buildError, during, failure } from '../failure.ts'
import { isNull } from '../objects/null.ts'
import { anchored } from '../kustomization/go-regexp.ts'
import { formatId, isSelectedGvk, type ResId } from '../objects/ids.ts'
import {
  fieldNode,
  flagOf,
  nodeOf,
  numberOf,
  structOf,
  structsOf,
  textOf,
  textsOf,
} from '../kustomization/decoded-fields.ts'
import { REPLACEMENT } from '../kustomization/kustomization.ts'
import { fileName, loadText, type Loader } from '../files/loader.ts'
import { parseConfig } from '../kustomization/parse-config.ts'
import { becomeNode, lookup, matchPath, splitDots, type PathOptions } from '../fields/lookup.ts'
import { currentId, earlierIds, renewPreviousIds, type Resource } from '../objects/resource.ts'
import { labelTest, type Selector } from '../kustomization/selector.ts'
import { setInText } from '../fields/structured-text.ts'
import { placeLike } from '../objects/provenance.ts'

/** Reads `replacements`, with the files that they name. */
export function readReplacements(loader: Loader, entries: readonly Decoded[]): readonly Decoded[] {
  return entries.flatMap((entry) => {
    const path = textOf(entry, 'path')
    if (path === '') return [entry]
    if (structOf(entry, 'source') || structsOf(entry, 'targets').length > 0)
      throw failure('KUSTOMIZE_INVALID', 'cannot specify both path and inline replacement', nodeOf(entry))
    const root = parseConfig(loadText(loader, path), fileName(loader, path))
    if (root?.kind === 'seq')
      return root.items.map((item) =>
        decodeStruct(item, REPLACEMENT, 'lenient', 'error unmarshaling JSON: while decoding JSON'),
      )
    if (root?.kind === 'map')
      return [decodeStruct(root, REPLACEMENT, 'lenient', 'error unmarshaling JSON: while decoding JSON')]
    throw failure(
      'KUSTOMIZE_INVALID',
      'unsupported replacement type encountered within replacement path: invalid',
      nodeOf(entry),
    )
  })
}

/** Copies values between objects, replacement by replacement. */
export function applyReplacements(
  resources: readonly Resource[],
  replacements: readonly Decoded[],
  rules: Rules,
): void {
  for (const replacement of replacements) applyReplacement(resources, replacement, rules)
}

/** Copies a value to its targets; answers the objects that got it. */
export function applyReplacement(
  resources: readonly Resource[],
  replacement: Decoded,
  rules: Rules,
): readonly Resource[] {
  const targets = structsOf(replacement, 'targets')
  const hasSource = structOf(replacement, 'source') !== undefined || typeof replacement['sourceValue'] === 'string'
  if (!hasSource || replacement['targets'] === undefined)
    throw buildError('replacements must specify a source and at least one target', nodeOf(replacement))
  const value = sourceValue(resources, replacement)
  return targets.flatMap((target) => applyToTarget(resources, value, target, rules))
}

function sourceValue(resources: readonly Resource[], replacement: Decoded): YamlNode {
  const source = structOf(replacement, 'source')
  if (typeof replacement['sourceValue'] === 'string') {
    if (source) throw buildError('value and resource selectors are mutually exclusive', nodeOf(replacement))
    const value = plainNode(replacement['sourceValue'])
    placeLike(value, fieldNode(replacement, 'sourceValue') ?? nodeOf(replacement))
    return value
  }
  if (!source) throw buildError('replacements must specify a source and at least one target', nodeOf(replacement))
  const selector = selectorOf(source)
  const fieldPath = textOf(source, 'fieldPath') || 'metadata.name'
  const { node } = selectSource(resources, selector, source)
  const found = during('error looking up replacement source', () => lookup(node, splitDots(fieldPath)))
  if (found === undefined || isEmpty(found))
    throw buildError(
      `fieldPath \`${fieldPath}\` is missing for replacement source ${formatSelector(selector)}`,
      nodeOf(source),
    )
  return refine(found, structOf(source, 'options'), source)
}

function isEmpty(node: YamlNode): boolean {
  if (node.kind === 'map') return node.fields.size === 0
  if (node.kind === 'seq') return node.items.length === 0
  return isNull(node) || (node.value === '' && node.style === 'plain')
}

function formatSelector({ group, version, kind, name, namespace }: Required<Selector>): string {
  return formatId({ group, version, kind, name, namespace })
}

function allIds(resource: Resource): readonly ResId[] {
  return [currentId(resource), ...earlierIds(resource)]
}

function selectSource(resources: readonly Resource[], selector: Required<Selector>, source: Decoded): Resource {
  const isSelected = exactIdTest(selector)
  const [found, second] = during('error getting node IDs', () =>
    resources.filter((resource) => !resource.isDeleted && allIds(resource).some(isSelected)),
  )
  const described = describeSource(selector, source)
  if (second) throw buildError(`multiple matches for selector ${described}`, nodeOf(source))
  if (!found) throw buildError(`nothing selected by ${described}`, nodeOf(source))
  return found
}

function describeSource(selector: Required<Selector>, source: Decoded): string {
  const options = structOf(source, 'options')
  const [delimiter, create] = [options ? textOf(options, 'delimiter') : '', flagOf(options, 'create')]
  const parts = [formatSelector(selector), textOf(source, 'fieldPath')]
  if (delimiter !== '' || create) parts.push(`${delimiter}(${numberOf(options, 'index') ?? 0}), create=${create}`)
  return parts.filter((part) => part !== '').join(':')
}

function refine(node: YamlNode, options: Decoded | undefined, source: Decoded): YamlNode {
  const delimiter = options ? textOf(options, 'delimiter') : ''
  if (delimiter === '') return node
  if (node.kind !== 'scalar') throw buildError('delimiter option can only be used with scalar nodes', nodeOf(source))
  const parts = node.value.split(delimiter)
  const index = numberOf(options, 'index') ?? 0
  const part = index < 0 ? undefined : parts[index]
  if (part === undefined)
    throw buildError(`options.index ${index} is out of bounds for value ${node.value}`, nodeOf(source))
  return { ...node, value: part }
}

function applyToTarget(
  resources: readonly Resource[],
  value: YamlNode,
  target: Decoded,
  rules: Rules,
): readonly Resource[] {
  const touched: Resource[] = []
  const select = structOf(target, 'select')
  if (!select) throw buildError('target must specify resources to select', nodeOf(target))
  const selector = selectorOf(select)
  const rejects = structsOf(target, 'reject').map(selectorOf)
  const isLabelled = labelTest(selector)
  const rejectLabels = rejects.filter((one) => one.labelSelector !== '' || one.annotationSelector !== '').map(labelTest)
  const testOf = (one: Required<Selector>): ((id: ResId) => boolean) =>
    during('error creating target selector', () => (rules.selectsByRegexp ? idTest(one) : exactIdTest(one)))
  const selects = testOf(selector)
  const rejectIds = rejects
    .filter((one) => [one.group, one.version, one.kind, one.name, one.namespace].some((text) => text !== ''))
    .map(testOf)
  for (const resource of resources) {
    if (resource.isDeleted) continue
    const ids = allIds(resource)
    if (!isLabelled(resource) || rejectLabels.some((test) => test(resource))) continue
    if (ids.some((id) => rejectIds.some((test) => test(id)))) continue
    if (!ids.some(selects)) continue
    copyValue(resource, value, target, rules)
    renewPreviousIds(resource)
    touched.push(resource)
  }
  return touched
}

function idTest(selector: Required<Selector>): (id: ResId) => boolean {
  const [group, version, kind] = [anchored(selector.group), anchored(selector.version), anchored(selector.kind)]
  const [name, namespace] = [anchored(selector.name), anchored(selector.namespace)]
  return (id) =>
    group(id.group) &&
    version(id.version) &&
    kind(id.kind) &&
    name(id.name) &&
    (selector.namespace === '' || namespace(id.namespace))
}

/** Every part that the selector names is equal. Replacements do not know which kinds have no namespace, and take it for `default`. */
function exactIdTest(selector: Required<Selector>): (id: ResId) => boolean {
  const { name, namespace } = selector
  return (id) =>
    isSelectedGvk(id, selector) &&
    (name === '' || name === id.name) &&
    (namespace === '' || namespace === (id.namespace || 'default'))
}

function copyValue(resource: Resource, value: YamlNode, target: Decoded, { structuredText }: Rules): void {
  const options = structOf(target, 'options')
  const create = flagOf(options, 'create')
  const paths = textsOf(target, 'fieldPaths')
  for (const path of paths.length > 0 ? paths : ['metadata.name']) {
    const steps = splitDots(path)
    const textFor = (node: YamlNode, text: string): string =>
      structuredText === 'parts' ? splicedText(node, text, options, target) : text
    if (structuredText !== 'none' && setInText(resource.node, steps, value, create, textFor)) continue
    const message = `unable to find ${create ? 'or create ' : ''}field ${goQuote(path)} in replacement target`
    const following = { create: create ? value.kind : undefined, readsTexts: structuredText !== 'none' }
    const found = find(resource, steps, following, message)
    if (found.length === 0) throw buildError(message, nodeOf(target))
    for (const node of found) setField(node, value, options, target)
  }
}

function find(resource: Resource, steps: readonly string[], options: PathOptions, message: string): YamlNode[] {
  try {
    return matchPath(resource.node, steps, options)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    throw buildError(`${message}: ${error.message}`, resource.node)
  }
}

/** The text, or what is there with the text in place of one part. */
function splicedText(node: YamlNode, text: string, options: Decoded | undefined, target: Decoded): string {
  const delimiter = options ? textOf(options, 'delimiter') : ''
  if (delimiter === '') return text
  if (node.kind !== 'scalar') throw buildError('delimiter option can only be used with scalar nodes', nodeOf(target))
  return splice(node, text, delimiter, numberOf(options, 'index') ?? 0)
}

function setField(node: YamlNode, value: YamlNode, options: Decoded | undefined, target: Decoded): void {
  const text = splicedText(node, value.kind === 'scalar' ? value.value : '', options, target)
  if (node.kind !== 'scalar') {
    becomeNode(node, value.kind === 'scalar' ? { ...value, value: text } : value)
    return
  }
  keepType(node)
  node.value = text
  placeLike(node, value)
}

/** A value that was read keeps its type, and the build fails in the end where the text does not fit it; one that a transformer put there has none. */
function keepType(node: YamlScalar): void {
  if (node.tag === '' && node.end > 0) node.tag = tagOf(node)
}

function splice(node: YamlScalar, text: string, delimiter: string, index: number): string {
  const parts = node.value.split(delimiter)
  if (index < 0) parts.unshift(text)
  else if (index >= parts.length) parts.push(text)
  else parts[index] = text
  return parts.join(delimiter)
}
