import { REVISION_HASH } from '../history/revision.ts'
import { isReadyPod } from '../pods.ts'
import type { Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { creation, deletion, isAvailable, isLeaving, maxSurge, type Crew, type Post } from './crew.ts'

/** How long a node's failed daemon is left lying before the next try, in milliseconds; 0: now. */
export type WaitOn = (nodeName: string) => number

/** What the nodes need now, and when to look again because of a failed pod. */
export type Duty = { readonly writes: readonly Write[]; readonly againAfterMs: number | undefined }

/** The most pods created or deleted in one step, like the original's burst. */
const MOST_AT_ONCE = 250

/** One daemon on each node that is to run one, none on the others; failed and ended ones are replaced. */
export function manage(crew: Crew, waitOn: WaitOn): Duty {
  const missing = crew.posts.filter((post) => isMissing(crew, post))
  const surplus = crew.posts.flatMap((post) => surplusOn(crew, post))
  const ended = crew.posts.filter(({ verdict }) => verdict?.mayStay).flatMap(endedOn)
  const waits = ended.map(({ node, pod }) => (hasFailed(pod) ? waitOn(node) : 0))
  const removals = ended.filter((_, at) => waits[at] === 0).flatMap(({ node, pod }) => removal(crew, node, pod))
  const writes = [
    ...missing.slice(0, MOST_AT_ONCE).map(({ name }) => creation(crew, name)),
    ...removals.slice(0, 2 * MOST_AT_ONCE),
    ...surplus.slice(0, MOST_AT_ONCE).map((pod) => deletion(crew, pod)),
  ]
  const again = waits.filter((wait) => wait > 0)
  return { writes, againAfterMs: again.length > 0 ? Math.min(...again) : undefined }
}

/** A node without a pod; while pods surge also one whose pods are all leaving or ended. */
function isMissing(crew: Crew, { verdict, pods }: Post): boolean {
  if (!verdict?.shouldRun) return false
  return pods.length === 0 || (maxSurge(crew, 1) > 0 && pods.every((pod) => isLeaving(pod) || hasEnded(pod)))
}

function surplusOn(crew: Crew, { verdict, pods }: Post): readonly Pod[] {
  // A node that is gone: its pods are the garbage collector's, but for those that the scheduler never bound.
  if (!verdict) return pods.filter((pod) => !pod.spec.nodeName && !isLeaving(pod))
  if (!verdict.mayStay) return pods.filter((pod) => !isLeaving(pod))
  const running = pods.filter((pod) => !isLeaving(pod) && !hasEnded(pod))
  return maxSurge(crew, 1) > 0 ? surplusOfSurge(crew, running) : running.slice(1)
}

/** The oldest new and the oldest old pod stay together as long as the old one is ready and the new one not yet available. */
function surplusOfSurge(crew: Crew, running: readonly Pod[]): readonly Pod[] {
  if (running.length <= 1) return []
  const isNew = (pod: Pod): boolean => pod.metadata.labels?.[REVISION_HASH] === crew.hash
  const newest = running.find(isNew)
  const oldest = running.find((pod) => !isNew(pod))
  const others = running.filter((pod) => pod !== newest && pod !== oldest)
  const isReplaced = newest && oldest && (!isReadyPod(oldest) || isAvailable(crew, newest))
  return isReplaced ? [...others, oldest] : others
}

/** Of several that have failed on a node only the first: its removal is what the next one waits for. */
function endedOn({ name: node, pods }: Post): { readonly node: string; readonly pod: Pod }[] {
  const ended = pods.filter((pod) => !isLeaving(pod) && hasEnded(pod))
  const firstFailed = ended.find(hasFailed)
  return ended.filter((pod) => pod === firstFailed || !hasFailed(pod)).map((pod) => ({ node, pod }))
}

function removal(crew: Crew, node: string, pod: Pod): readonly Write[] {
  const { name, namespace = '' } = pod.metadata
  const about = crew.set
  const tell = hasFailed(pod)
    ? ({
        about,
        type: 'Warning',
        reason: 'FailedDaemonPod',
        message: `Found failed daemon pod ${namespace}/${name} on node ${node}, will try to kill it`,
      } as const)
    : ({
        about,
        type: 'Normal',
        reason: 'SucceededDaemonPod',
        message: `Found succeeded daemon pod ${namespace}/${name} on node ${node}, will try to delete it`,
      } as const)
  return [{ do: 'tell', tell }, deletion(crew, pod)]
}

function hasFailed({ status }: Pod): boolean {
  return status?.phase === 'Failed'
}

function hasEnded(pod: Pod): boolean {
  return hasFailed(pod) || pod.status?.phase === 'Succeeded'
}
