import { BACKOFF } from '../../../engine/controller.ts'
import { claim } from '../claim.ts'
import type { WorkloadDecision } from '../decision.ts'
import type { ControllerRevision } from '../history/revision.ts'
import { isSame } from '../meta.ts'
import { nextAvailableAfterMs } from '../pods.ts'
import type { Pod } from '../shapes.ts'
import type { Write } from '../write.ts'
import type { ClaimNamed } from './claims.ts'
import { findCourse, surplusRevisions } from './history.ts'
import { ordinalOf } from './identity.ts'
import { clearCondemned, fillPlaces, type Step } from './replicas.ts'
import { callRoster, type Roster } from './roster.ts'
import type { StatefulSet } from './shapes.ts'
import { statusOf } from './status.ts'
import { moveOn } from './update.ts'

/** What a StatefulSet's decision needs. */
export type StatefulSetSeen = {
  readonly set: StatefulSet
  /** Pods that it controls or might adopt. */
  readonly candidates: readonly Pod[]
  /** Revisions that it controls or might adopt. */
  readonly revisions: readonly ControllerRevision[]
  /** Any revision of the namespace with that name. */
  readonly revisionNamed: (name: string) => ControllerRevision | undefined
  readonly claimNamed: ClaimNamed
  /** Why the last change was refused. */
  readonly failure?: string
  readonly nowMs: number
}

/**
 * Pure. Moves a StatefulSet one step: its revision is known first, then places are filled from the lowest ordinal, surplus pods leave from the highest,
 * and pods of old revisions are replaced from the highest.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
 */
export function decideStatefulSet(seen: StatefulSetSeen): WorkloadDecision {
  const { set, nowMs, claimNamed } = seen
  const members = seen.candidates.filter((pod) => ordinalOf(set, pod) !== undefined)
  const pods = claim(set, set.spec.selector, members)
  const revisions = claim(set, set.spec.selector, seen.revisions)
  const claims = [...pods.writes, ...revisions.writes]
  if (claims.length > 0 && seen.failure === undefined) return { kind: 'act', changes: claims }

  const course = findCourse(set, revisions.mine, seen.revisionNamed)
  if (course.kind === 'unknown') {
    if (seen.failure !== undefined) return { kind: 'wait', afterMs: BACKOFF, status: [] }
    return { kind: 'act', changes: course.writes }
  }
  const { current, update } = course
  const roster = callRoster({ set, current, update, claimNamed, nowMs }, pods.mine)
  const step = set.metadata.deletionTimestamp === undefined ? nextStep(roster) : undefined
  const history = surplusRevisions(set, revisions.mine, [current, update], pods.mine)
  const writes = step && step.writes.length > 0 ? step.writes : history
  if (seen.failure === undefined && writes.length > 0) return { kind: 'act', changes: writes }
  return settle(seen, roster, pods.mine, step?.troubles ?? [])
}

function nextStep(roster: Roster): Step {
  const filling = fillPlaces(roster)
  if (filling.isBlocked || filling.writes.length > 0) return filling
  const clearing = clearCondemned(roster)
  if (clearing.isBlocked || clearing.writes.length > 0) return clearing
  return { writes: moveOn(roster), isBlocked: false }
}

function settle(
  seen: StatefulSetSeen,
  roster: Roster,
  pods: readonly Pod[],
  troubles: readonly Write[],
): WorkloadDecision {
  const { set, failure, nowMs } = seen
  const status = statusOf(roster, pods, set.status?.collisionCount ?? 0)
  const object = { ...set, status }
  const isShown = isSame(set.status, status)
  const writes: Write[] = [...troubles, ...(isShown ? [] : [{ do: 'replace', object, subresource: 'status' } as const])]
  if (failure !== undefined || troubles.length > 0) return { kind: 'wait', afterMs: BACKOFF, status: writes }
  const againAfterMs = nextAvailableAfterMs(pods, set.spec.minReadySeconds ?? 0, nowMs)
  return { kind: 'done', status: writes, ...(againAfterMs !== undefined && { againAfterMs }) }
}
