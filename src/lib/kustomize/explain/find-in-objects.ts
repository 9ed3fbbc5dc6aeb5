import { schemaFor } from '../../kube-schema/builtin.ts'
import type { FieldType } from '../../kube-schema/schema.ts'
import { nearest } from '../../value/nearest.ts'
import type { YamlMap, YamlNode, YamlScalar } from '../../yaml/nodes.ts'
import { resolveScalar } from '../../yaml/resolve.ts'
import { renderFieldPath } from './field-path.ts'
import { isNull } from '../objects/null.ts'
import { findingAt, type Finding } from '../findings.ts'
import { fieldMap, fieldText } from '../objects/resource.ts'

const MOST = 200

/** A walk through one object; `path` is where it is, and grows and shrinks on the way. */
type Walk = { readonly title: string; readonly path: (string | number)[]; readonly find: (finding: Finding) => void }

/**
 * Looks at the trees of built objects (`trees: true`) with the schema of their kinds: fields that a kind does not have, texts that turned into numbers,
 * fields that exclude each other. Custom resources are asked for their labels only. At most 200 findings.
 */
export function findInObjects(trees: readonly YamlMap[]): readonly Finding[] {
  const found = new Map<string, Finding>()
  const types = new Map<string, FieldType | undefined>()
  for (const node of trees) {
    if (found.size >= MOST) break
    const kind = fieldText(node, 'kind')
    const title = `${kind}/${fieldText(fieldMap(node, 'metadata'), 'name')}`
    const find = (finding: Finding): void => {
      const key = `${finding.code}\n${finding.where ?? finding.message}`
      if (found.size < MOST && !found.has(key)) found.set(key, finding)
    }
    const type = typeFor(types, fieldText(node, 'apiVersion'), kind)
    const walk = { title, path: [], find }
    if (type) checkMap(walk, node, type)
    else checkLabels(walk, node)
  }
  return [...found.values()]
}

/** A thousand objects are of few kinds. */
function typeFor(known: Map<string, FieldType | undefined>, apiVersion: string, kind: string): FieldType | undefined {
  const key = `${apiVersion} ${kind}`
  if (!known.has(key)) known.set(key, schemaFor(apiVersion, kind))
  return known.get(key)
}

function checkNode(walk: Walk, node: YamlNode, type: FieldType): void {
  if (node.kind === 'map' && type.kind === 'map') checkMap(walk, node, type)
  else if (node.kind === 'seq' && type.kind === 'list') {
    const { element } = type
    if (element) node.items.forEach((item, index) => below(walk, index, item, element))
  } else if (node.kind === 'scalar' && isText(type)) checkText(walk, node)
}

function below(walk: Walk, step: string | number, node: YamlNode, type: FieldType): void {
  walk.path.push(step)
  checkNode(walk, node, type)
  walk.path.pop()
}

function isText({ kind, schema, special }: FieldType): boolean {
  return kind === 'scalar' && schema.type === 'string' && special === undefined
}

function checkMap(walk: Walk, map: YamlMap, type: FieldType): void {
  checkExclusive(walk, map, type)
  const isMetadata = walk.path.length === 1 && walk.path[0] === 'metadata'
  for (const [name, field] of map.fields) {
    // kustomize writes annotations of objects as texts whatever they were
    if (isMetadata && name === 'annotations') continue
    const child = type.child(name)
    if (child) below(walk, name, field, child)
    else if (!type.preservesUnknown) unknownField(walk, field, type, name)
  }
}

function unknownField({ title, path, find }: Walk, field: YamlNode, type: FieldType, name: string): void {
  const [near] = nearest(name, type.names, 1)
  const message = `${title} has no field ${renderFieldPath([...path, name])}`
  const hint = near ? `did you mean "${near}"?` : 'check the spelling and the indentation'
  find(findingAt('UNKNOWN_FIELD', message, field, hint))
}

function checkText({ title, path, find }: Walk, node: YamlScalar): void {
  if (node.style !== 'plain' || node.tag === '!!str' || isNull(node)) return
  const value = resolveScalar(node, 'v3')
  if (typeof value === 'string') return
  const type = typeof value === 'boolean' ? 'boolean' : 'number'
  const message = `${renderFieldPath(path)} of ${title} must be a text, and is the ${type} ${String(value)}`
  find(findingAt('VALUE_NOT_TEXT', message, node, `write it in quotes: "${node.value}"`))
}

function checkLabels(walk: Walk, object: YamlMap): void {
  for (const [name, label] of fieldMap(fieldMap(object, 'metadata'), 'labels')?.fields ?? [])
    if (label.kind === 'scalar') checkText({ ...walk, path: ['metadata', 'labels', name] }, label)
}

const VOLUME = 'io.k8s.api.core.v1.Volume'
const STRATEGY = 'io.k8s.api.apps.v1.DeploymentStrategy'

/** The two places where Kubernetes' own patches retain keys, and kustomize does not. */
function checkExclusive(walk: Walk, map: YamlMap, type: FieldType): void {
  if (type.name === VOLUME) {
    const sources = [...map.fields].filter(([name, field]) => name !== 'name' && !isNull(field))
    const names = sources.map(([name]) => name)
    if (sources.length > 1) tellExclusive(walk, sources[0]?.[1], names)
  } else if (type.name === STRATEGY && fieldText(map, 'type') === 'Recreate') {
    const old = map.fields.get('rollingUpdate')
    if (old && !isNull(old)) tellExclusive(walk, old, ['rollingUpdate', 'type: Recreate'])
  }
}

function tellExclusive({ title, path, find }: Walk, field: YamlNode | undefined, names: readonly string[]): void {
  const message = `${renderFieldPath(path)} of ${title} has ${names.join(' and ')}, of which one may be set`
  const hint = `keep one: "${names[0]}: null" in the patch removes the old one`
  find(findingAt('RETAIN_KEYS_LEFTOVER', message, field, hint))
}
