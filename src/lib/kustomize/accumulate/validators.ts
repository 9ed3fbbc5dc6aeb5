import { type YamlNode, type YamlScalar } from '../../yaml/nodes.ts'
import { tagOf } from '../../yaml/resolve.ts'
import type { Accumulator, Build } from './accumulator.ts'
import { objectText } from '../objects/build-notes.ts'
import { externalSteps } from './external.ts'
import { buildError } from '../failure.ts'
import { formatId } from '../objects/ids.ts'
import { copyResource, currentId, currentKey, setTextMap, textMap, type Resource } from '../objects/resource.ts'
import type { Target } from '../kustomization/target.ts'

/** A validator may put this label on what it has looked at. */
const VALIDATED_BY = 'validated-by'

/** Runs what `validators` asks for: transformers that may look at the objects, and leave no other trace than a label. */
export function runValidators(build: Build, target: Target, into: Accumulator, configs: readonly Resource[]): void {
  for (const { run } of externalSteps(configs, build, target.loader, into)) {
    const before = into.resources.map(copyResource)
    run()
    const after = new Map(into.resources.map((resource) => [currentKey(resource), withoutLabel(resource)]))
    for (const old of before) compare(old, after.get(currentKey(old)))
  }
}

function withoutLabel(resource: Resource): Resource {
  const labels = textMap(resource, 'labels')
  if (!labels.delete(VALIDATED_BY)) return resource
  const copy = copyResource(resource)
  setTextMap(copy, 'labels', labels)
  return copy
}

function compare(old: Resource, now: Resource | undefined): void {
  const changed = "validator shouldn't modify the resource map"
  if (!now) throw buildError(`${changed}: id in self missing from other; id: ${formatId(currentId(old))}`, old.node)
  if (!now.isDeleted && areSame(old.node, now.node)) return
  const [before, after] = [old, now].map((one) => (one.isDeleted ? '' : objectText(one)))
  throw buildError(`${changed}: nodes unequal: \n -- ${before},\n -- ${after}`, now.node)
}

/** Kustomize compares the trees and not the values: a scalar that is set anew is another one, though it says the same. */
function areSame(a: YamlNode, b: YamlNode): boolean {
  if (a.kind === 'scalar')
    return (
      b.kind === 'scalar' && a.value === b.value && a.style === b.style && typeOf(a) === typeOf(b) && a.end === b.end
    )
  if (a.kind === 'seq')
    return b.kind === 'seq' && a.items.length === b.items.length && a.items.every((item, at) => isAt(item, b.items[at]))
  if (b.kind !== 'map' || a.fields.size !== b.fields.size) return false
  const others = [...b.fields]
  return [...a.fields].every(([key, value], at) => others[at]?.[0] === key && isAt(value, others[at]?.[1]))
}

/** What a transformer puts there without a type has none. */
function typeOf(node: YamlScalar): string {
  return node.end === 0 ? node.tag : tagOf(node)
}

function isAt(a: YamlNode, b: YamlNode | undefined): boolean {
  return b !== undefined && areSame(a, b)
}
