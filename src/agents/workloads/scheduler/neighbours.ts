import { matchesSelector } from '../../../lib/kube/label-selector.ts'
import type { Node, Pod, PodAffinity, PodAffinityTerm } from '../shapes.ts'
import type { Cluster, Obstacle, Room } from './cluster.ts'

/** Whether the pods near a node let a pod on it: those that it wants near, those that it does not, and those that do not want it. */
export function neighbourObstacle(pod: Pod, room: Room, cluster: Cluster): Obstacle | undefined {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {}
  const wanted = termsOf(podAffinity)
  if (wanted.length > 0 && !hasWanted(pod, wanted, room, cluster))
    return { reasons: ["node(s) didn't match pod affinity rules"], isForGood: true }
  if (termsOf(podAntiAffinity).some((term) => hasNear(pod, term, room.node, cluster)))
    return { reasons: ["node(s) didn't match pod anti-affinity rules"], isForGood: false }
  if (isUnwanted(pod, room.node, cluster))
    return { reasons: ["node(s) didn't satisfy existing pods anti-affinity rules"], isForGood: false }
  return undefined
}

/** The first pod of a group that wants to be together has nobody to join: it may go anywhere. Who is on a node without the label is near nobody. */
function hasWanted(pod: Pod, terms: readonly PodAffinityTerm[], { node }: Room, cluster: Cluster): boolean {
  if (terms.some(({ topologyKey }) => labelOf(node, topologyKey) === undefined)) return false
  const fitsAll = (other: Pod): boolean => terms.every((term) => fits(pod, term, other, cluster))
  const near = (term: PodAffinityTerm): boolean =>
    cluster.rooms.some((room) => isNear(room.node, node, term.topologyKey) && room.pods.some(fitsAll))
  if (terms.every(near)) return true
  const isSomewhere = (other: Node): boolean =>
    terms.some(({ topologyKey }) => labelOf(other, topologyKey) !== undefined)
  return fitsAll(pod) && !cluster.rooms.some((room) => isSomewhere(room.node) && room.pods.some(fitsAll))
}

function hasNear(pod: Pod, term: PodAffinityTerm, node: Node, cluster: Cluster): boolean {
  return cluster.rooms.some(
    (room) => isNear(room.node, node, term.topologyKey) && room.pods.some((other) => fits(pod, term, other, cluster)),
  )
}

function isUnwanted(pod: Pod, node: Node, cluster: Cluster): boolean {
  return cluster.rooms.some((room) =>
    room.pods.some((other) =>
      termsOf(other.spec.affinity?.podAntiAffinity).some(
        (term) => isNear(room.node, node, term.topologyKey) && fits(other, term, pod, cluster),
      ),
    ),
  )
}

/** Whether `other` is one of the pods that a term of `owner` means. */
function fits(owner: Pod, term: PodAffinityTerm, other: Pod, { namespaceLabels }: Cluster): boolean {
  const { namespaces = [], namespaceSelector, labelSelector } = term
  const namespace = other.metadata.namespace ?? ''
  const isOwn = namespaces.length === 0 && namespaceSelector === undefined && namespace === owner.metadata.namespace
  const isMeant =
    isOwn || namespaces.includes(namespace) || matchesSelector(namespaceSelector, namespaceLabels(namespace))
  return isMeant && matchesSelector(labelSelector, other.metadata.labels)
}

function isNear(a: Node, b: Node, topologyKey: string): boolean {
  const value = labelOf(a, topologyKey)
  return value !== undefined && value === labelOf(b, topologyKey)
}

const labelOf = ({ metadata }: Node, key: string): string | undefined => metadata.labels?.[key]

const termsOf = (affinity: PodAffinity | undefined): readonly PodAffinityTerm[] =>
  affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
