import { fitsLabels, hasUntolerated, isTolerated } from '../fitting.ts'
import type { ResourceList } from '../../../lib/kube/container.ts'
import type { Pod, Taint } from '../shapes.ts'
import { priorityOf, type Cluster, type Obstacle, type Room } from './cluster.ts'
import { neighbourObstacle } from './neighbours.ts'
import { demandOf, milli, sumOf } from './resources.ts'
import { spreadObstacle } from './spread.ts'
import { storageObstacle } from './storage.ts'

/** What keeps pods from a cordoned node, whether the taint is there yet or not. */
const CORDON: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

/**
 * The only nodes that a pod's required affinity leaves it, by their names: none where its terms contradict each other, `undefined` where one of them names
 * none, as every term is enough.
 */
export function namedNodes({ spec }: Pod): ReadonlySet<string> | undefined {
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const named = terms.map(({ matchFields = [] }) => {
    const lists = matchFields.filter(({ key, operator }) => key === 'metadata.name' && operator === 'In')
    const [first, ...others] = lists.map(({ values = [] }) => values)
    return first?.filter((name) => others.every((list) => list.includes(name)))
  })
  const names = named.flatMap((list) => list ?? [])
  return terms.length === 0 || named.includes(undefined) ? undefined : new Set(names)
}

/** The first thing that keeps a pod from a node, with the pods on it that others of its importance were promised; in the order of the original. */
export function obstacleTo(pod: Pod, room: Room, cluster: Cluster): Obstacle | undefined {
  const promised = room.nominated.filter(
    (other) => other.metadata.uid !== pod.metadata.uid && priorityOf(other) >= priorityOf(pod),
  )
  const without = obstacleIn(pod, room, cluster)
  if (without !== undefined || promised.length === 0) return without
  return obstacleIn(pod, { ...room, pods: [...room.pods, ...promised] }, cluster)
}

function obstacleIn(pod: Pod, room: Room, cluster: Cluster): Obstacle | undefined {
  const seen = { ...cluster, rooms: cluster.rooms.map((each) => (each.node === room.node ? room : each)) }
  return (
    nodeObstacle(pod, room) ??
    portObstacle(pod, room) ??
    resourceObstacle(pod, room) ??
    storageObstacle(pod, room, cluster.storage) ??
    spreadObstacle(pod, room, seen) ??
    neighbourObstacle(pod, room, seen)
  )
}

function nodeObstacle(pod: Pod, { node }: Room): Obstacle | undefined {
  const tolerations = pod.spec.tolerations ?? []
  if (node.spec?.unschedulable && !isTolerated(CORDON, tolerations)) return forGood('node(s) were unschedulable')
  if (hasUntolerated(node, tolerations, ['NoSchedule', 'NoExecute'])) return forGood('node(s) had untolerated taint(s)')
  if (!fitsLabels(pod.spec, node)) return forGood("node(s) didn't match Pod's node affinity/selector")
  return undefined
}

type HostPort = { readonly ip: string; readonly port: number; readonly protocol: string }

function portObstacle(pod: Pod, { pods }: Room): Obstacle | undefined {
  const wanted = hostPortsOf(pod)
  if (wanted.length === 0) return undefined
  const taken = pods.flatMap(hostPortsOf)
  if (!wanted.some((one) => taken.some((other) => areSame(one, other)))) return undefined
  return { reasons: ["node(s) didn't have free ports for the requested pod ports"], isForGood: false }
}

function hostPortsOf({ spec }: Pod): HostPort[] {
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  return [...spec.containers, ...sidecars]
    .flatMap(({ ports }) => ports ?? [])
    .filter(({ hostPort }) => (hostPort ?? 0) > 0)
    .map(({ hostPort = 0, hostIP, protocol }) => ({
      ip: hostIP || '0.0.0.0',
      port: hostPort,
      protocol: protocol ?? 'TCP',
    }))
}

function areSame(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0')
}

function resourceObstacle(pod: Pod, { node, pods }: Room): Obstacle | undefined {
  const allocatable = node.status?.allocatable ?? {}
  const isFull = pods.length + 1 > capacityOf(allocatable, 'pods') / 1000
  const used = sumOf(pods.map(demandOf))
  const short = [...demandOf(pod)].filter(
    ([name, amount]) => amount > 0 && (used.get(name) ?? 0) + amount > capacityOf(allocatable, name),
  )
  if (!isFull && short.length === 0) return undefined
  return {
    reasons: [...(isFull ? ['Too many pods'] : []), ...short.map(([name]) => `Insufficient ${name}`)],
    isForGood: short.some(([name, amount]) => amount > capacityOf(allocatable, name)),
  }
}

/** A node has nothing of what it does not say that it has. */
function capacityOf(allocatable: ResourceList, name: string): number {
  return milli(allocatable[name] ?? 0)
}

function forGood(reason: string): Obstacle {
  return { reasons: [reason], isForGood: true }
}
