import { isAvailablePod, isFinishedPod } from '../pods.ts'
import { byCreation, scaledValue } from '../meta.ts'
import type { IntOrPercent, Node, Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { buildPod, judge, nodeOf, type Verdict } from './placement.ts'
import type { DaemonSet } from './shapes.ts'

/** A node, what it is judged to be, and its daemons: on a node first, then the oldest first. */
export type Post = { readonly name: string; readonly verdict: Verdict | undefined; readonly pods: readonly Pod[] }

/** A DaemonSet's pods by the nodes that they are on or meant for. */
export type Crew = {
  readonly set: DaemonSet
  readonly hash: string
  /** Known nodes, then those that have pods but are no more (without a verdict). */
  readonly posts: readonly Post[]
  readonly nowMs: number
}

/** Groups a DaemonSet's pods by node; those that have ended and are leaving are nobody's business any more. */
export function musterCrew(given: Omit<Crew, 'posts'>, nodes: readonly Node[], pods: readonly Pod[]): Crew {
  const byNode = new Map<string, Pod[]>()
  for (const pod of pods) {
    const name = isFinishedPod(pod) && isLeaving(pod) ? undefined : nodeOf(pod)
    if (name === undefined) continue
    const present = byNode.get(name)
    if (present) present.push(pod)
    else byNode.set(name, [pod])
  }
  const crewOf = (name: string): Pod[] => (byNode.get(name) ?? []).sort(bySeniority)
  const known = nodes.map((node) => {
    const { name } = node.metadata
    return { name, verdict: judge(given.set, node), pods: crewOf(name) }
  })
  const names = new Set(known.map(({ name }) => name))
  const lost = [...byNode.keys()].filter((name) => !names.has(name))
  return { ...given, posts: [...known, ...lost.map((name) => ({ name, verdict: undefined, pods: crewOf(name) }))] }
}

/** How many nodes are to run a daemon. */
export function wantedPosts({ posts }: Crew): number {
  return posts.filter(({ verdict }) => verdict?.shouldRun).length
}

/** How many nodes may have a second pod during an update; percentages round up. */
export function maxSurge({ set }: Crew, wanted: number): number {
  return share(set, set.spec.updateStrategy?.rollingUpdate?.maxSurge, wanted)
}

/** How many nodes may be without a daemon during an update: percentages round up; both bounds at nought would never move, so it is 1 then. */
export function maxUnavailable(crew: Crew, wanted: number): number {
  const most = share(crew.set, crew.set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, wanted)
  return wanted > 0 && most === 0 && maxSurge(crew, wanted) === 0 ? 1 : most
}

/** Whether the pod serves for long enough. */
export function isAvailable({ set, nowMs }: Crew, pod: Pod): boolean {
  return isAvailablePod(pod, set.spec.minReadySeconds ?? 0, nowMs)
}

/** Whether the pod is being deleted. */
export function isLeaving(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined
}

/** Makes a daemon for a node, and says so. */
export function creation({ set, hash }: Crew, nodeName: string): Write {
  return {
    do: 'create',
    object: buildPod(set, hash, nodeName),
    tell: { about: set, type: 'Normal', reason: 'SuccessfulCreate', message: 'Created pod: {name}' },
    tellFailure: { about: set, type: 'Warning', reason: 'FailedCreate', message: 'Error creating: {error}' },
  }
}

/** Deletes a daemon, and says so. */
export function deletion({ set }: Crew, pod: Pod): Write {
  return {
    do: 'delete',
    object: pod,
    tell: { about: set, type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${pod.metadata.name}` },
    tellFailure: { about: set, type: 'Warning', reason: 'FailedDelete', message: 'Error deleting: {error}' },
  }
}

function share(set: DaemonSet, value: IntOrPercent | undefined, wanted: number): number {
  const isRolling = (set.spec.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate'
  return isRolling ? scaledValue(value ?? 0, wanted, 'up') : 0
}

function bySeniority(a: Pod, b: Pod): number {
  return Number(!a.spec.nodeName) - Number(!b.spec.nodeName) || byCreation(a, b)
}
