import { mapNode, plainNode, seqNode, putField } from '../../yaml/make-nodes.ts'
import { type YamlMap, type YamlNode, type YamlSeq } from '../../yaml/nodes.ts'
import { tagOf } from '../../yaml/resolve.ts'
import { buildError, prefixed, wrongKind } from '../failure.ts'
import { formatId, isSelectedGvk, splitApiVersion } from '../objects/ids.ts'
import { isNull } from '../objects/null.ts'
import { currentId, fieldText, newResource } from '../objects/resource.ts'
import { DEFAULT_FIELD_SPECS } from '../schema/field-specs.ts'

/** A field of some kinds that a transformer works on. */
export type FieldSpec = {
  readonly path: string
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly create: boolean
}

/** Changes one field: gets the node and the setter that replaces it in its parent. */
export type Visit = (node: YamlNode, replace: (node: YamlNode) => void) => void

/** What to make of a missing last field when the spec says `create`. */
export type CreateKind = 'map' | 'scalar' | undefined

/** Parses a table of lines `path Kind[@version][+] …`. */
export function parseFieldSpecs(table: string): FieldSpec[] {
  return table
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [path = '', ...kinds] = line.trim().split(' ')
      return kinds.map((kind) => ({ path, ...parseKind(kind) }))
    })
}

/** Parses `group:Kind@version+`. */
export function parseKind(text: string): Omit<FieldSpec, 'path'> {
  const match = /^(?:([^:]+):)?([^@+]+)(?:@([^+]+))?(\+)?$/.exec(text)
  const [, group = '', kind = '', version = '', plus] = match ?? []
  return { group, version, kind: kind === '*' ? '' : kind, create: plus === '+' }
}

const defaults = new Map<string, readonly FieldSpec[]>()

/** The built-in specs of a transformer. */
export function defaultFieldSpecs(name: keyof typeof DEFAULT_FIELD_SPECS): readonly FieldSpec[] {
  const known = defaults.get(name)
  if (known) return known
  const specs = parseFieldSpecs(DEFAULT_FIELD_SPECS[name])
  defaults.set(name, specs)
  return specs
}

/** Path of a spec as its steps; `\/` is a slash inside a name. */
export function splitPath(path: string, delimiter: '/' | '.' = '/'): string[] {
  const steps = path.split(delimiter === '/' ? /(?<!\\)\// : /(?<!\\)\./)
  if (steps.length > 1 && steps[0] === '') steps.shift()
  return steps.map((step) => step.replaceAll(`\\${delimiter}`, delimiter))
}

const split = new Map<string, readonly string[]>()

function stepsOf(path: string): readonly string[] {
  const known = split.get(path)
  if (known) return known
  const steps = splitPath(path)
  if (split.size < 5000) split.set(path, steps)
  return steps
}

/** Visits the field of a spec in an object, wherever sequences lead to several. */
export function visitField(object: YamlMap, spec: FieldSpec, create: CreateKind, visit: Visit): void {
  if (!matchesKind(object, spec)) return
  const walk: Walk = { steps: stepsOf(spec.path), create: spec.create ? create : undefined, visit }
  try {
    visitSteps(walk, object, 0, () => {})
  } catch (error) {
    const prefix = `considering field '${spec.path}' of object ${formatId(currentId(newResource(object)))}`
    if (!(error instanceof WrongNode)) throw prefixed(prefix, error)
    throw buildError(
      `${prefix}: ${error.message}`,
      error.node.source ? error.node : object,
      'the path of the field does not fit the object',
    )
  }
}

/** Whether the spec is for the kind of the object. */
export function matchesKind(object: YamlMap, spec: FieldSpec): boolean {
  if (spec.kind !== '' && spec.kind !== fieldText(object, 'kind')) return false
  if (spec.group === '' && spec.version === '') return true
  const { group, version } = splitApiVersion(fieldText(object, 'apiVersion'))
  return (spec.group === '' || spec.group === group) && (spec.version === '' || spec.version === version)
}

type Walk = { readonly steps: readonly string[]; readonly create: CreateKind; readonly visit: Visit }

class WrongNode extends Error {
  readonly node: YamlNode
  constructor(node: YamlNode, message: string) {
    super(message)
    this.node = node
  }
}

function visitSteps(walk: Walk, node: YamlNode, step: number, replace: (node: YamlNode) => void): void {
  if (step >= walk.steps.length) return walk.visit(node, replace)
  if (node.kind === 'map') return visitMap(walk, node, step)
  if (node.kind === 'seq') {
    visitItems(walk, node, step)
    return
  }
  if (isNull(node)) return
  throw new WrongNode(node, 'expected sequence or mapping node')
}

function visitItems(walk: Walk, list: YamlSeq, step: number): void {
  try {
    list.items.forEach((item, index) => visitSteps(walk, item, step, (fresh) => (list.items[index] = fresh)))
  } catch (error) {
    const prefix = `visit traversal on path: [${walk.steps.slice(step).join(' ')}]`
    throw error instanceof WrongNode
      ? new WrongNode(error.node, `${prefix}: ${error.message}`)
      : prefixed(prefix, error)
  }
}

function visitMap(walk: Walk, map: YamlMap, step: number): void {
  const raw = walk.steps[step] ?? ''
  const isSeq = raw.endsWith('[]')
  const name = isSeq ? raw.slice(0, -2) : raw
  if (name === '') throw new WrongNode(map, 'cannot set or create an empty field name')
  if (name.charCodeAt(0) < 0x5c) refuseListStep(map, name)
  const isLast = step + 1 >= walk.steps.length
  let field = map.fields.get(name)
  const mayCreate = walk.create !== undefined && !isSeq
  if (field === undefined || (mayCreate && isNull(field))) {
    if (!mayCreate && field === undefined) return
    if (mayCreate) {
      field = isLast && walk.create === 'scalar' ? madeScalar(field) : mapNode()
      putField(map, name, field)
    }
  } else if (isSeq && isNull(field)) {
    field = seqNode()
    map.fields.set(name, field)
  }
  if (field) visitSteps(walk, field, step + 1, (fresh) => map.fields.set(name, fresh))
}

/** Kustomize takes such names for places in a list, and a mapping is none. */
function refuseListStep(map: YamlMap, name: string): void {
  const fault = (text: string): Error => buildError(`fieldName: ${name}: ${text}`, map, LIST_STEP_HINT)
  if (name === '*') throw fault('wildcard is not supported in PathGetter')
  if (/^-\d+$/.test(name)) throw fault(`array index ${Number(name)} cannot be negative`)
  if (name.startsWith('[') && name.endsWith(']') && !name.includes('='))
    throw fault('list path element must contain fieldName=fieldValue for element to match')
  if (/^(?:\+?\d+|-|\[.*\])$/.test(name)) throw fault(wrongKind('seq', map).message)
}

const LIST_STEP_HINT = 'name the fields of mappings, and let [] follow the name of a list'

/** A null becomes a text with the same letters. */
function madeScalar(old: YamlNode | undefined): YamlNode {
  if (old?.kind !== 'scalar') return plainNode('')
  return { ...plainNode(old.value), tag: '!!str' }
}

/** Whether a node is a string to kustomize. */
export function isString(node: YamlNode): boolean {
  return node.kind === 'scalar' && tagOf(node) === '!!str'
}

/**
 * Adds specs to a list. One that the list covers already is left out, and "covers" is kustomize's: the known spec lies inside the
 * kinds of the new one. So a spec for every kind is dropped where one for a single kind stands before it.
 */
export function mergeFieldSpecs(base: readonly FieldSpec[], added: readonly FieldSpec[]): readonly FieldSpec[] {
  if (added.length === 0) return base
  const merged = [...base]
  for (const spec of added) {
    const same = merged.find((other) => other.path === spec.path && isSelectedGvk(other, spec))
    if (same === undefined) merged.push(spec)
    else if (same.create !== spec.create) throw buildError('conflicting fieldspecs')
  }
  return merged
}
