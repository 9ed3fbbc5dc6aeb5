import { whereIs } from '../../yaml/position.ts'
import { buildError } from '../failure.ts'
import type { Helm } from '../generate/helm.ts'
import type { Notices } from '../kustomization/target.ts'
import { formatId, idKey } from '../objects/ids.ts'
import { currentId, fieldText, type Resource } from '../objects/resource.ts'
import type { SchemaLookup } from '../patches/merge.ts'
import { isKnownKind } from '../schema/cluster-scope.ts'
import { NO_CONFIG, type TransformerConfig } from '../transform/config.ts'
import type { Var } from '../transform/vars.ts'

/** What all kustomizations of one build share. */
export type Build = Notices & {
  /** The schema of `openapi`, which replaces the built-in one for the rest of the build. */
  schema: SchemaLookup | undefined
  hasSchema: boolean
  /** Whether kustomize has read its built-in schema: to merge, or (later) to know where an object of an odd kind belongs. */
  readsBuiltIn: 'no' | 'later' | 'now'
  /** Whether objects remember where they came from (`buildMetadata`). */
  readonly hasOrigins: boolean
  readonly helm: Helm | undefined
  /** Whether leaves remember who set them. */
  readonly keepsTouches: boolean
}

/** What has been collected so far at one level. */
export type Accumulator = {
  resources: Resource[]
  /** Keys of the ids of `resources`; undefined when they may have changed. */
  keys: Set<string> | undefined
  config: TransformerConfig
  vars: readonly Var[]
}

/** Nothing collected. */
export function emptyAccumulator(): Accumulator {
  return { resources: [], keys: new Set(), config: NO_CONFIG, vars: [] }
}

/** Adds resources; two of the same id are an error. */
export function append(into: Accumulator, resources: readonly Resource[]): void {
  into.keys ??= new Set(into.resources.map((resource) => idKey(currentId(resource))))
  for (const resource of resources) {
    const id = currentId(resource)
    const key = idKey(id)
    if (into.keys.has(key))
      throw buildError(
        `may not add resource with an already registered id: ${formatId(id)}`,
        resource.node,
        `remove or rename one; the other stands at ${placeOf(into, key)}`,
      )
    into.keys.add(key)
    into.resources.push(resource)
  }
}

function placeOf({ resources }: Accumulator, key: string): string {
  const other = resources.find((resource) => idKey(currentId(resource)) === key)
  return whereIs(other?.node) ?? 'the kustomization itself'
}

/** Kustomize asks its schema about objects whose kind it does not know. */
export function noteKinds(build: Build, resources: readonly Resource[]): void {
  if (build.readsBuiltIn !== 'no' || build.hasSchema) return
  const isOdd = ({ node }: Resource): boolean => !isKnownKind(fieldText(node, 'apiVersion'), fieldText(node, 'kind'))
  if (resources.some(isOdd)) build.readsBuiltIn = 'later'
}
