import type { KubeObject } from '../../../../lib/kube/object.ts'
import type { EngineContext } from '../../context.ts'

/** A build that is not made anew is the same list again. */
const known = new WeakMap<readonly KubeObject[], readonly KubeObject[]>()

/**
 * Objects of the cluster without the namespace that Git gives them: the server takes it away, and neither inventory nor events have it.
 *
 * What the server does not know, or cannot be asked, stays as it is. The same list when there is nothing to take away.
 */
export async function withoutStrayNamespaces(
  { client }: Pick<EngineContext, 'client'>,
  objects: readonly KubeObject[],
): Promise<readonly KubeObject[]> {
  const before = known.get(objects)
  if (before) return before
  const placed = objects.filter(({ metadata }) => metadata.namespace !== undefined)
  const kinds = new Map(placed.map(({ apiVersion, kind }) => [`${apiVersion}/${kind}`, { apiVersion, kind }]))
  const clusterWide = new Set<string>()
  let isWhole = true
  for (const [key, { apiVersion, kind }] of kinds) {
    const resource = await client.resource(apiVersion, kind).catch(() => undefined)
    if (resource?.namespaced === false) clusterWide.add(key)
    // a definition that comes with the same objects is served later
    if (!resource) isWhole = false
  }
  const result = clusterWide.size === 0 ? objects : objects.map((object) => without(object, clusterWide))
  if (isWhole) known.set(objects, result)
  return result
}

function without(object: KubeObject, clusterWide: ReadonlySet<string>): KubeObject {
  if (!clusterWide.has(`${object.apiVersion}/${object.kind}`)) return object
  const { namespace: _stray, ...metadata } = object.metadata
  return { ...object, metadata }
}
