import type { OwnerReference } from '../../../lib/kube/object.ts'
import type { Telling } from '../write.ts'
import type { Graph, GraphNode } from './graph.ts'

/** A reference whose uid is known, but of something that is not what the reference says. */
export type Misnamed = {
  readonly node: GraphNode
  readonly owner: OwnerReference
  /** The owner is in a namespace, and not in the one of what it owns: such a reference leads nowhere. */
  readonly isElsewhere: boolean
}

/**
 * The first of a node's references that names its owner wrongly, by its namespace, kind, version or name. Whether there is such an owner after all, only the
 * server can say.
 */
export function misnamedAmong(
  graph: Pick<Graph, 'get'>,
  node: GraphNode,
  references: readonly OwnerReference[],
): Misnamed | undefined {
  for (const owner of references) {
    const found = graph.get(owner.uid)?.ref
    if (found === undefined) continue
    const isElsewhere = found.namespace !== '' && found.namespace !== node.ref.namespace
    const isSame = found.name === owner.name && found.kind === owner.kind && found.apiVersion === owner.apiVersion
    if (isElsewhere || !isSame) return { node, owner, isElsewhere }
  }
  return undefined
}

/** What is told of an owner that is in another namespace. */
export function tellElsewhere({ node: { ref, uid }, owner }: Misnamed): Telling {
  const { apiVersion, kind, namespace, name } = ref
  const named = `[${owner.apiVersion}/${owner.kind}, namespace: ${namespace}, name: ${owner.name}, uid: ${owner.uid}]`
  return {
    about: { apiVersion, kind, metadata: { name, uid, ...(namespace !== '' && { namespace }) } },
    type: 'Warning',
    reason: 'OwnerRefInvalidNamespace',
    message: `ownerRef ${named} does not exist in namespace ${JSON.stringify(namespace)}`,
  }
}
