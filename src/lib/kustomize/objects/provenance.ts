import type { Touch, YamlNode } from '../../yaml/nodes.ts'
import type { Place } from '../../yaml/position.ts'

/** Something that writes leaves: a file that is read, a generator, a transformer. */
export type Step = {
  /** Kustomize's name of it, for example `ImageTagTransformer`; `file` for what was read from one. */
  readonly by: string
  /** The field of the kustomization file that asks for it, for example `patches[1]`; '' when none does. */
  readonly field: string
  /** Where it is asked for; a function when that depends on the leaf. */
  readonly config: YamlNode | undefined | ((before: string) => YamlNode | undefined)
}

/**
 * Notes what a step did, after it ran: every leaf that has another value or place than at the step before gets a touch.
 *
 * Transformers know nothing of this, so none can forget to report. They only keep two habits: a scalar that takes the place of
 * another takes its touches along (`scalarLike`), and a value that was read keeps its place. Linear in the size of `resources`.
 */
export function noteStep(resources: readonly { readonly node: YamlNode }[], step: Step): void {
  for (const { node } of resources) visit(node, '', step)
}

function visit(node: YamlNode, key: string, step: Step): void {
  if (node.kind === 'scalar') return noteLeaf(node, node.value, key, step)
  if (node.kind === 'seq') {
    if (node.items.length === 0) return noteLeaf(node, '', key, step)
    for (const item of node.items) visit(item, '', step)
    return
  }
  if (node.fields.size === 0) return noteLeaf(node, '', key, step)
  for (const [name, field] of node.fields) visit(field, name, step)
}

function noteLeaf(node: YamlNode, value: string, key: string, step: Step): void {
  const last = node.touch
  if (last?.value === value && last.source === node.source && last.start === node.start) return
  const asked = typeof step.config === 'function' ? step.config(last?.value ?? '') : step.config
  const config = asked && entryFor(asked, key)
  if (node.source === undefined && config) placeLike(node, config)
  const { source, start, keyStart } = node
  node.touch = { by: step.by, field: step.field, config, value, source, start, keyStart, before: last }
}

/** The entry of a configuration that is called like the leaf, for example one pair of `labels`; else the configuration itself. */
function entryFor(config: YamlNode, key: string): YamlNode {
  if (config.kind !== 'map' || key === '') return config
  const own = config.fields.get(key)
  if (own) return own
  for (const child of config.fields.values()) {
    const entry = child.kind === 'map' ? child.fields.get(key) : undefined
    if (entry) return entry
  }
  return config
}

/** Gives a node the place of another. */
export function placeLike(node: YamlNode, other: Place): void {
  node.source = other.source
  node.start = other.start
  node.keyStart = other.keyStart
}

/** Gives a field of a mapping the place that the field of the same name has in another one. */
export function sharePlace(from: YamlNode | undefined, to: YamlNode | undefined, name: string): void {
  const known = from?.kind === 'map' ? from.fields.get(name) : undefined
  const field = to?.kind === 'map' ? to.fields.get(name) : undefined
  if (known && field) placeLike(field, known)
}

/** Lets a node that takes the place of another have come from where that one came from. */
export function inherit<T extends YamlNode>(fresh: T, old: { readonly touch?: Touch | undefined } | undefined): T {
  if (old?.touch) fresh.touch = old.touch
  return fresh
}
