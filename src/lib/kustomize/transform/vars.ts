import { plainNode } from '../../yaml/make-nodes.ts'
import { type YamlNode, type YamlScalar } from '../../yaml/nodes.ts'
import { goFixed, goFloat } from '../../yaml/write/go-numbers.ts'
import { tagOf } from '../../yaml/resolve.ts'
import { SluiceError } from '../../error/sluice-error.ts'
import type { Decoded } from '../kustomization/decode.ts'
import { buildError } from '../failure.ts'
import { isString, visitField, type FieldSpec } from '../fields/field-spec.ts'
import { effectiveNamespace, formatGvk, isCluster, splitApiVersion, type ResId } from '../objects/ids.ts'
import { nodeOf, structOf, textOf } from '../kustomization/decoded-fields.ts'
import { lookup, splitDots } from '../fields/lookup.ts'
import { currentId, earlierIds, type Resource } from '../objects/resource.ts'

/** A `vars` entry. */
export type Var = {
  readonly name: string
  readonly target: ResId
  readonly fieldPath: string
  /** As the entry has it; '' where `fieldPath` is the default. */
  readonly givenPath: string
  readonly node: YamlNode
  /** The entry as Go prints it. */
  readonly text: string
}

/** Reads `vars`. */
export function readVar(decoded: Decoded): Var {
  const reference = structOf(decoded, 'objref')
  const { group, version } = splitApiVersion(reference ? textOf(reference, 'apiVersion') : '')
  const field = structOf(decoded, 'fieldref')
  const part = (name: string): string => (reference ? textOf(reference, name) : '')
  const target = {
    group: group || part('group'),
    version: version || part('version'),
    kind: part('kind'),
    name: part('name'),
    namespace: part('namespace'),
  }
  return {
    name: textOf(decoded, 'name'),
    target,
    fieldPath: (field && textOf(field, 'fieldPath')) || 'metadata.name',
    givenPath: field ? textOf(field, 'fieldPath') : '',
    node: nodeOf(decoded),
    text: goVar(decoded),
  }
}

function goVar(decoded: Decoded): string {
  const reference = structOf(decoded, 'objref') ?? {}
  const [group, version, kind] = [textOf(reference, 'group'), textOf(reference, 'version'), textOf(reference, 'kind')]
  const path = textOf(structOf(decoded, 'fieldref') ?? {}, 'fieldPath')
  return `{${textOf(decoded, 'name')} ${formatGvk({ group, version, kind })} {${path}}}`
}

/** Adds vars to those that are known and marks the objects that they take their values from. */
export function mergeVars(
  known: readonly Var[],
  added: readonly Var[],
  resources: readonly Resource[],
): readonly Var[] {
  for (const one of added) {
    const matches = resources.filter(
      (resource) =>
        !resource.isDeleted && [...earlierIds(resource), currentId(resource)].some((id) => isTarget(id, one.target)),
    )
    if (matches.length > 1)
      throw buildError(
        `found ${matches.length} resId matches for var {${one.name} ${formatGvk(one.target)} {${one.givenPath}}} (unable to disambiguate)`,
        one.node,
      )
    matches[0]?.varNames.push(one.name)
  }
  return joinVars(known, added)
}

/** Both sets; a name stands once. */
export function joinVars(known: readonly Var[], added: readonly Var[]): readonly Var[] {
  const names = new Set(known.map(({ name }) => name))
  for (const { name, node } of added) {
    if (names.has(name)) throw buildError(`var '${name}' already encountered`, node)
    names.add(name)
  }
  return [...known, ...added]
}

function isTarget(id: ResId, target: ResId): boolean {
  if (id.name !== target.name || id.group !== target.group || id.version !== target.version || id.kind !== target.kind)
    return false
  if (target.namespace === '' && !isCluster(target)) return true
  return effectiveNamespace(id) === effectiveNamespace(target)
}

function describe({ name, target, fieldPath }: Var): string {
  const id = formatGvk(target)
  return `{${name} ${id} {${fieldPath}}}`
}

/** What a var stands for: alone in a text it keeps its type, within one it is `inside`. */
type Value = { readonly text: string; readonly inside: string; readonly tag: string }

type Values = ReadonlyMap<string, Value>

/** Replaces `$(NAME)` in the fields that may hold it. @returns the vars that nothing used */
export function resolveVars(
  resources: readonly Resource[],
  vars: readonly Var[],
  specs: readonly FieldSpec[],
): string[] {
  if (vars.length === 0) return []
  const values = new Map<string, Value>()
  const byName = [...vars].sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const one of byName) {
    const value = valueOf(one, resources)
    if (value) values.set(one.name, value)
  }
  const used = new Set<string>()
  for (const resource of resources) {
    for (const spec of specs) visitField(resource.node, spec, undefined, (node) => expandNode(node, values, used))
  }
  return byName.map((one) => one.name).filter((name) => !used.has(name))
}

/** The value of a var; undefined for a mapping or a list, which goes into no text. */
function valueOf(one: Var, resources: readonly Resource[]): Value | undefined {
  const resource = resources.find((candidate) => candidate.varNames.includes(one.name))
  if (!resource)
    throw buildError(`var '${describe(one)}' cannot be mapped to a field in the set of known resources`, one.node)
  const found = lookUp(one, resource)
  if (found && found.kind !== 'scalar') return undefined
  const value = found && primitiveOf(found)
  if (value) return value
  throw buildError(`field specified in var '${describe(one)}' not found in corresponding resource`, one.node)
}

function lookUp(one: Var, resource: Resource): YamlNode | undefined {
  const steps = splitDots(one.fieldPath).flatMap((step) => {
    const match = /^(.*)\[(\d+)\]$/.exec(step)
    return match ? [match[1] ?? '', match[2] ?? ''] : [step]
  })
  try {
    return lookup(resource.node, steps)
  } catch (error) {
    if (error instanceof SluiceError) return undefined
    throw error
  }
}

/** As Go's strconv reads it, which takes fewer forms than YAML; undefined when it takes none. */
function primitiveOf(node: YamlScalar): Value | undefined {
  const { value } = node
  const tag = node.end === 0 ? node.tag : tagOf(node)
  if (tag === '!!int') {
    if (!/^[-+]?\d+$/.test(value) || BigInt.asIntN(64, BigInt(value)) !== BigInt(value)) return undefined
    return { text: String(BigInt(value)), inside: String(BigInt(value)), tag }
  }
  if (tag === '!!bool') return { text: value.toLowerCase(), inside: value.toLowerCase(), tag }
  if (tag !== '!!float') return { text: value, inside: value, tag: '!!str' }
  const number = /^[-+]?(\d+(?:\.\d*)?|\.\d+)([eE][-+]?\d+)?$/.test(value) ? Number(value) : NaN
  return Number.isFinite(number) ? { text: goFixed(number), inside: goFloat(number), tag } : undefined
}

function expandNode(node: YamlNode, values: Values, used: Set<string>): void {
  if (node.kind === 'scalar') {
    if (isText(node)) expand(node, values, used)
    return
  }
  if (node.kind === 'map') {
    if (node.typedKey !== undefined)
      throw buildError(`invalid map key: value='${node.typedKey}', tag='${tagOf(plainNode(node.typedKey))}'`, node)
    for (const value of node.fields.values()) if (isText(value)) expand(value, values, used)
    return
  }
  for (const item of node.items) {
    if (!isText(item)) throw buildError('invalid value type expect a string', item)
    expand(item, values, used)
  }
}

/** What a transformer put there without a type counts as a text, too. */
function isText(node: YamlNode): node is YamlScalar {
  return node.kind === 'scalar' && (isString(node) || (node.tag === '' && node.end === 0))
}

/** Every text is set anew, and is a text from here on, whether there is a var in it or not. */
function expand(node: YamlScalar, values: Values, used: Set<string>): void {
  const alone = /^\$\(([^)]*)\)$/.exec(node.value)?.[1]
  const value = alone === undefined ? undefined : values.get(alone)
  if (alone !== undefined && value) used.add(alone)
  node.value = value?.text ?? expandText(node.value, values, used)
  node.tag = value?.tag ?? '!!str'
  node.style = 'plain'
}

/** Kubernetes' `$(NAME)` syntax; `$$` is a dollar, an unknown name stays. */
function expandText(input: string, values: Values, used: Set<string>): string {
  // behind the last bracket no reference ends: looking for an end at each of many beginnings would take for ever
  const end = input.lastIndexOf(')') + 1
  const expanded = input.slice(0, end).replace(/\$(?:\(([^)]*)\)|\$)/g, (found, name: string | undefined) => {
    if (name === undefined) return '$'
    const value = values.get(name)
    if (!value) return found
    used.add(name)
    return value.inside
  })
  return expanded + input.slice(end).replace(/\$\$/g, '$')
}
