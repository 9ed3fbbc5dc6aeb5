import type { Touch, YamlMap, YamlNode } from '../../yaml/nodes.ts'
import { positionOf, type Place } from '../../yaml/position.ts'
import { toValue } from '../../yaml/to-value.ts'
import type { BuildResult } from '../build.ts'
import { followPath, parseFieldPath, renderFieldPath } from './field-path.ts'
import { fieldMap, fieldText } from '../objects/resource.ts'

/** A place in a file; line and column from 1. */
export type FilePlace = { readonly file: string; readonly line: number; readonly column: number }

/** One step on the way to a value. */
export type OriginStep = {
  /** `file` for what was read from one, else kustomize's name of the generator or transformer, for example `ImageTagTransformer`. */
  readonly by: string
  /** The field of the kustomization file that asked for it, for example `patches[0]`; '' when none did. */
  readonly field: string
  /** Where that field says so. */
  readonly configuredIn: FilePlace | undefined
  /** Where the value stands: in a resource, a patch, an env file, the kustomization file. */
  readonly where: FilePlace | undefined
  /** What the leaf was after it, as it is spelled; '' for an empty list or mapping. */
  readonly value: string
}

/** Where a leaf of the output came from. */
export type FieldOrigin = {
  /** For example `spec.template.spec.containers[0].image`. */
  readonly path: string
  readonly value: unknown
  /** Where the last step took the value from. */
  readonly where: FilePlace | undefined
  /** From the file that had the field first to the last that changed it. */
  readonly steps: readonly OriginStep[]
}

/** Which object is meant; what is left out matches any. */
export type ObjectName = {
  readonly kind: string
  readonly name: string
  readonly namespace?: string | undefined
  readonly apiVersion?: string | undefined
}

/**
 * Where a field of a built object came from: the file, line and column that set it, and everything that touched it before.
 *
 * @param result of a build with `origin: true`
 * @param path for example `spec.replicas`, `spec.template.spec.containers[name=web].image`, `metadata.labels["a.b/c"]`
 * @returns undefined when there is no such object or the field is no leaf
 */
export function origin(result: BuildResult, object: ObjectName, path: string): FieldOrigin | undefined {
  const [only, second] = origins(result, object, path)
  return second ? undefined : only
}

/** The same for every leaf of an object, or for those below a path, in the order of its tree. */
export function origins(result: BuildResult, object: ObjectName, path = ''): readonly FieldOrigin[] {
  const tree = result.trees?.find((one) => isCalled(one, object))
  const found = tree && followPath(tree, parseFieldPath(path))
  if (!found) return []
  return leavesBelow(found.node, found.path).map(originOf)
}

/** Where a leaf has its value from. */
export function originOf({ node, path }: Leaf): FieldOrigin {
  const steps: OriginStep[] = []
  for (let touch = node.touch; touch; touch = touch.before) steps.unshift(stepOf(touch))
  return {
    path: renderFieldPath(path),
    value: toValue(node, { integers: 'bigint' }),
    where: steps.at(-1)?.where,
    steps,
  }
}

/** A scalar, or an empty list or mapping, with its path. */
export type Leaf = { readonly node: YamlNode; readonly path: readonly (string | number)[] }

/** Every leaf of a tree. */
export function leavesBelow(node: YamlNode, path: readonly (string | number)[] = []): readonly Leaf[] {
  if (node.kind === 'map' && node.fields.size > 0)
    return [...node.fields].flatMap(([name, field]) => leavesBelow(field, [...path, name]))
  if (node.kind === 'seq' && node.items.length > 0)
    return node.items.flatMap((item, index) => leavesBelow(item, [...path, index]))
  return [{ node, path }]
}

/** Whether a tree is the object that is meant. */
export function isCalled(tree: YamlMap, { kind, name, namespace, apiVersion }: ObjectName): boolean {
  const metadata = fieldMap(tree, 'metadata')
  return (
    fieldText(tree, 'kind') === kind &&
    fieldText(metadata, 'name') === name &&
    (namespace === undefined || fieldText(metadata, 'namespace') === namespace) &&
    (apiVersion === undefined || fieldText(tree, 'apiVersion') === apiVersion)
  )
}

/** A step that changed the value where it stood (a prefix, a hash) is where it was asked for. */
function stepOf(touch: Touch): OriginStep {
  const { by, field, config, before, value } = touch
  const isChange = before !== undefined && before.source === touch.source && before.start === touch.start
  const place = isChange && config ? config : touch
  const asked = config && holds(config, touch) ? touch : config
  return { by, field, configuredIn: asked && filePlace(asked), where: filePlace(place), value }
}

function holds(config: YamlNode, { source, start }: Touch): boolean {
  return source !== undefined && source === config.source && start >= config.start && start <= config.end
}

function filePlace(place: Place): FilePlace | undefined {
  if (place.source === undefined) return undefined
  const offset = place.keyStart >= 0 ? place.keyStart : place.start
  return { file: place.source.file, ...positionOf(place.source, offset) }
}
