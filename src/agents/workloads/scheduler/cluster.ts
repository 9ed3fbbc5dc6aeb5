import type { Budget } from '../budget/decide.ts'
import { isFinishedPod } from '../pods.ts'
import type { Node, Pod } from '../shapes.ts'
import type { Storage } from '../volumes/shapes.ts'

/** A node and the pods on it, those that have ended left out. */
export type Room = {
  readonly node: Node
  readonly pods: readonly Pod[]
  /** Pods that wait for others to leave this node in their favour. */
  readonly nominated: readonly Pod[]
}

/** All that a pod's place depends on. */
export type Cluster = {
  readonly rooms: readonly Room[]
  readonly budgets: readonly Budget[]
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>>
  readonly storage: Storage
}

/** Why a pod does not fit on a node, and whether it would if other pods left. */
export type Obstacle = { readonly reasons: readonly string[]; readonly isForGood: boolean }

/** A node with those pods that take room on it. */
export function roomOf(node: Node, pods: readonly Pod[], nominated: readonly Pod[]): Room {
  return { node, pods: pods.filter((pod) => !isFinishedPod(pod)), nominated }
}

export const priorityOf = ({ spec }: Pod): number => spec.priority ?? 0

/** `0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.` */
export function availabilityText(count: number, reasons: readonly string[]): string {
  const times = new Map<string, number>()
  for (const reason of reasons) times.set(reason, (times.get(reason) ?? 0) + 1)
  const listed = [...times].map(([reason, seen]) => `${seen} ${reason}`).sort()
  return `0/${count} nodes are available: ${listed.join(', ')}.`
}
