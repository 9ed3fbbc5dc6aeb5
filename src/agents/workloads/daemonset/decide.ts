import { BACKOFF } from '../../../engine/controller.ts'
import { claim } from '../claim.ts'
import type { WorkloadDecision } from '../decision.ts'
import type { ControllerRevision } from '../history/revision.ts'
import { isSame } from '../meta.ts'
import { nextAvailableAfterMs } from '../pods.ts'
import type { Node, Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import { musterCrew, type Crew } from './crew.ts'
import { readHistory, surplusRevisions } from './history.ts'
import { manage, type WaitOn } from './manage.ts'
import { rollOn } from './rolling.ts'
import type { DaemonSet } from './shapes.ts'
import { statusOf } from './status.ts'

/** What a DaemonSet's decision needs. */
export type DaemonSetSeen = {
  readonly set: DaemonSet
  readonly nodes: readonly Node[]
  /** Pods that it controls or might adopt. */
  readonly candidates: readonly Pod[]
  /** Revisions that it controls or might adopt. */
  readonly revisions: readonly ControllerRevision[]
  /** Any revision of the namespace with that name. */
  readonly revisionNamed: (name: string) => ControllerRevision | undefined
  readonly waitOn: WaitOn
  /** Why the last change was refused. */
  readonly failure?: string
  readonly nowMs: number
}

/**
 * Pure. Keeps one pod of the present template on every node that fits, and the status true. While a DaemonSet is being deleted its revisions may be gone
 * already, so nothing is judged then.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
 */
export function decideDaemonSet(seen: DaemonSetSeen): WorkloadDecision {
  const { set, failure, nowMs } = seen
  if (set.metadata.deletionTimestamp !== undefined) return { kind: 'done', status: [] }
  if (isSame(set.spec.selector, {})) return { kind: 'done', status: [selectsAll(set)] }
  const pods = claim(set, set.spec.selector, seen.candidates)
  const revisions = claim(set, set.spec.selector, seen.revisions)
  const claims = [...pods.writes, ...revisions.writes]
  if (claims.length > 0 && failure === undefined) return { kind: 'act', changes: claims }

  const history = readHistory(set, revisions.mine, pods.mine, seen.revisionNamed)
  if (history.kind === 'unknown') {
    if (failure !== undefined) return { kind: 'wait', afterMs: BACKOFF, status: [] }
    return { kind: 'act', changes: history.writes }
  }
  const crew = musterCrew({ set, hash: history.hash, nowMs }, seen.nodes, pods.mine)
  const duty = manage(crew, seen.waitOn)
  if (failure !== undefined) return { kind: 'wait', afterMs: BACKOFF, status: statusWrites(crew) }
  if (duty.writes.length > 0) return { kind: 'act', changes: duty.writes }
  const rolling = rollOn(crew)
  if (rolling.length > 0) return { kind: 'act', changes: rolling }
  const surplus = surplusRevisions(set, history.old, pods.mine)
  if (surplus.length > 0) return { kind: 'act', changes: surplus }

  const ripe = nextAvailableAfterMs(pods.mine, set.spec.minReadySeconds ?? 0, nowMs)
  const againAfterMs = Math.min(ripe ?? Infinity, duty.againAfterMs ?? Infinity)
  return { kind: 'done', status: statusWrites(crew), ...(Number.isFinite(againAfterMs) && { againAfterMs }) }
}

function statusWrites(crew: Crew): readonly Write[] {
  const { set } = crew
  const status = statusOf(crew)
  return isSame(set.status, status) ? [] : [{ do: 'replace', object: { ...set, status }, subresource: 'status' }]
}

function selectsAll(set: DaemonSet): Write {
  const message = 'This daemon set is selecting all pods. A non-empty selector is required.'
  return { do: 'tell', tell: { about: set, type: 'Warning', reason: 'SelectingAll', message } }
}
