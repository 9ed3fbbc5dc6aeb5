import { keyOf } from '../meta.ts'
import type { Node, Pod } from '../shapes.ts'
import { priorityOf, roomOf, type Room } from './cluster.ts'
import { isWaitingForNode } from './decide.ts'
import { isFinishedPod } from '../pods.ts'

/** Which pods are on which node, and which wait for one; kept up to date pod by pod. */
export type Places = {
  /** Takes a pod's change in; answers who among those that wait may fit now. */
  readonly take: (pod: Pod, isGone: boolean) => readonly string[]
  /** A pod was bound: it counts before the watch shows it. */
  readonly settleOn: (pod: Pod, nodeName: string) => void
  /** A pod was promised room on a node: it counts before the watch shows it. */
  readonly promise: (pod: Pod, nodeName: string) => void
  /** A pod is promised nothing any more. */
  readonly renounce: (pod: Pod) => void
  readonly isPlaced: (key: string) => boolean
  readonly isWaiting: (key: string) => boolean
  /** The most important ones first, then those that have waited for longer. */
  readonly waiting: () => readonly string[]
  readonly roomsOf: (nodes: readonly Node[]) => Room[]
}

/** No pods yet. */
export function createPlaces(): Places {
  const byNode = new Map<string, Map<string, Pod>>()
  const nodeOf = new Map<string, string>()
  const waiting = new Map<string, Pod>()
  const promised = new Map<string, string>()

  const leave = (key: string): void => {
    byNode.get(nodeOf.get(key) ?? '')?.delete(key)
    nodeOf.delete(key)
  }
  const settleOn = (pod: Pod, nodeName: string): void => {
    const key = keyOf(pod)
    leave(key)
    promised.delete(key)
    nodeOf.set(key, nodeName)
    const present = byNode.get(nodeName) ?? new Map<string, Pod>()
    byNode.set(nodeName, present)
    present.set(key, pod)
  }
  const nominatedTo = (name: string): Pod[] =>
    [...waiting].flatMap(([key, pod]) => (promised.get(key) === name ? [pod] : []))
  const inTurn = (): string[] => [...waiting].sort(([, a], [, b]) => priorityOf(b) - priorityOf(a)).map(([key]) => key)
  return {
    take(pod, isGone) {
      const key = keyOf(pod)
      const before = byNode.get(nodeOf.get(key) ?? '')?.get(key)
      if (isGone) {
        waiting.delete(key)
        leave(key)
        promised.delete(key)
        return inTurn()
      }
      const hasRenounced = Boolean(waiting.get(key)?.status?.nominatedNodeName) && !pod.status?.nominatedNodeName
      if (hasRenounced) promised.delete(key)
      // who waits keeps its turn
      if (isWaitingForNode(pod)) waiting.set(key, pod)
      else waiting.delete(key)
      if (pod.status?.nominatedNodeName) promised.set(key, pod.status.nominatedNodeName)
      if (pod.spec.nodeName) settleOn(pod, pod.spec.nodeName)
      if (hasRenounced) return inTurn()
      if (before === undefined) return []
      if (isFinishedPod(pod) && !isFinishedPod(before)) return inTurn()
      // a pod that leaves takes its room until it has gone, but is no longer counted where pods are spread
      return isLeaving(pod) && !isLeaving(before) ? inTurn().filter((each) => isSpread(waiting.get(each))) : []
    },
    settleOn,
    promise: (pod, nodeName) => void promised.set(keyOf(pod), nodeName),
    renounce: (pod) => void promised.delete(keyOf(pod)),
    isPlaced: (key) => nodeOf.has(key),
    isWaiting: (key) => waiting.has(key),
    waiting: inTurn,
    roomsOf: (nodes) =>
      nodes.map((node) => {
        const { name } = node.metadata
        return roomOf(node, [...(byNode.get(name)?.values() ?? [])], nominatedTo(name))
      }),
  }
}

const isLeaving = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined

const isSpread = (pod: Pod | undefined): boolean => (pod?.spec.topologySpreadConstraints ?? []).length > 0
