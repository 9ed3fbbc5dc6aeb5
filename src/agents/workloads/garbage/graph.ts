import type { KubeObject, ObjectRef, OwnerReference } from '../../../lib/kube/object.ts'
import { refOf } from '../../../lib/kube/object.ts'

/** What the collector knows of an object. */
export type GraphNode = {
  readonly uid: string
  readonly ref: ObjectRef
  readonly owners: readonly OwnerReference[]
  readonly isDeleting: boolean
  readonly finalizers: readonly string[]
}

/** Objects and who owns whom, by uid. */
export type Graph = {
  readonly get: (uid: string) => GraphNode | undefined
  readonly dependentsOf: (uid: string) => GraphNode[]
  /** Takes an object in, as it is now. */
  readonly put: (object: KubeObject) => GraphNode
  readonly remove: (object: KubeObject) => void
}

/** An empty graph. Every change touches only the object and its owners. */
export function createGraph(): Graph {
  const nodes = new Map<string, GraphNode>()
  const dependents = new Map<string, Set<string>>()
  const unlink = (node: GraphNode): void => {
    for (const { uid } of node.owners) {
      const set = dependents.get(uid)
      set?.delete(node.uid)
      if (set?.size === 0) dependents.delete(uid)
    }
  }
  return {
    get: (uid) => nodes.get(uid),
    dependentsOf: (uid) => [...(dependents.get(uid) ?? [])].flatMap((dependent) => nodes.get(dependent) ?? []),
    put(object) {
      const node = nodeOf(object)
      const before = nodes.get(node.uid)
      if (before) unlink(before)
      nodes.set(node.uid, node)
      for (const { uid } of node.owners) {
        const set = dependents.get(uid) ?? new Set<string>()
        dependents.set(uid, set)
        set.add(node.uid)
      }
      return node
    },
    remove(object) {
      const before = nodes.get(object.metadata.uid ?? '')
      if (!before) return
      unlink(before)
      nodes.delete(before.uid)
    },
  }
}

function nodeOf(object: KubeObject): GraphNode {
  const { uid = '', ownerReferences = [], deletionTimestamp, finalizers = [] } = object.metadata
  return { uid, ref: refOf(object), owners: ownerReferences, isDeleting: deletionTimestamp !== undefined, finalizers }
}
