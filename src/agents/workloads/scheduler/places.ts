import { keyOf } from '../meta.ts'
import type { Node, Pod } from '../shapes.ts'
import { isWaitingForNode, usedBy, type Room } from './decide.ts'

/** Which pods are on which node, and which wait for one; kept up to date pod by pod. */
export type Places = {
  /** Takes a pod's change in; true when it may have freed room. */
  readonly take: (pod: Pod, isGone: boolean) => boolean
  /** A pod was bound: it counts before the watch shows it. */
  readonly settleOn: (pod: Pod, nodeName: string) => void
  readonly isPlaced: (key: string) => boolean
  readonly isWaiting: (key: string) => boolean
  readonly waiting: () => readonly string[]
  readonly roomsOf: (nodes: readonly Node[]) => Room[]
}

/** No pods yet. */
export function createPlaces(): Places {
  const byNode = new Map<string, Map<string, Pod>>()
  const nodeOf = new Map<string, string>()
  const waiting = new Set<string>()

  const leave = (key: string): void => {
    byNode.get(nodeOf.get(key) ?? '')?.delete(key)
    nodeOf.delete(key)
  }
  const settleOn = (pod: Pod, nodeName: string): void => {
    const key = keyOf(pod)
    leave(key)
    nodeOf.set(key, nodeName)
    const present = byNode.get(nodeName) ?? new Map<string, Pod>()
    byNode.set(nodeName, present)
    present.set(key, pod)
  }
  return {
    take(pod, isGone) {
      const key = keyOf(pod)
      waiting.delete(key)
      if (isGone) {
        leave(key)
        return true
      }
      if (isWaitingForNode(pod)) waiting.add(key)
      if (pod.spec.nodeName) settleOn(pod, pod.spec.nodeName)
      return pod.metadata.deletionTimestamp !== undefined
    },
    settleOn,
    isPlaced: (key) => nodeOf.has(key),
    isWaiting: (key) => waiting.has(key),
    waiting: () => [...waiting],
    roomsOf: (nodes) =>
      nodes.map((node) => ({ node, used: usedBy([...(byNode.get(node.metadata.name)?.values() ?? [])]) })),
  }
}
