import { templateOf } from '../history/revision.ts'
import { isAvailablePod, isFinishedPod, isReadyPod } from '../pods.ts'
import type { Pod } from '../shapes.ts'
import type { Telling, Write } from '../write.ts'
import { hasStaleClaim, leavingClaims, missingClaims, ownedClaims } from './claims.ts'
import { buildPod, ordinalOf, repairedPod } from './identity.ts'
import { isLeaving, isServing, type Roster } from './roster.ts'
import { firstOrdinal, isOrdered, wantedReplicas, type StatefulSet } from './shapes.ts'

/** What is to be written now; `isBlocked`: nothing after it may happen yet; `troubles`: what keeps it from happening. */
export type Step = {
  readonly writes: readonly Write[]
  readonly isBlocked: boolean
  readonly troubles?: readonly Write[]
}

const NOTHING: Step = { writes: [], isBlocked: false }
const BLOCKED: Step = { writes: [], isBlocked: true }
/** The most writes of one step, like the original's batches. */
const MOST_AT_ONCE = 500

/** The pods that are wanted: made in order, each when those before serve (or all at once), and kept as their ordinals ask. */
export function fillPlaces(roster: Roster): Step {
  const { set } = roster
  const writes: Write[] = []
  const troubles: Write[] = []
  const first = firstOrdinal(set)
  for (let ordinal = first; ordinal < first + wantedReplicas(set) && writes.length < MOST_AT_ONCE; ordinal++) {
    const step = fillPlace(roster, ordinal)
    writes.push(...step.writes)
    troubles.push(...(step.troubles ?? []))
    if (isOrdered(set) && (step.isBlocked || writes.length > 0)) return { ...step, writes }
    // What could not be made is tried again before anything goes.
    if (troubles.length >= MOST_AT_ONCE) break
  }
  return { writes, isBlocked: troubles.length > 0, troubles }
}

/** Deletions of the pods beyond what is wanted, highest ordinal first; one at a time when ordered, and only while all below serve. */
export function clearCondemned(roster: Roster): Step {
  const { set, condemned } = roster
  const owners = condemned.flatMap((pod) => ownedClaims(set, pod, ordinalOf(set, pod) ?? 0, roster.claimNamed))
  if (owners.length > 0) return { writes: owners.slice(0, MOST_AT_ONCE), isBlocked: true }
  if (!isOrdered(set)) {
    const staying = condemned.filter((pod) => !isLeaving(pod))
    return { writes: staying.slice(0, MOST_AT_ONCE).map((pod) => deletion(set, pod)), isBlocked: false }
  }
  const next = condemned[0]
  if (!next) return NOTHING
  const lowestSick = condemned.findLast((pod) => !isServing(roster, pod))
  const mayGo = isSteady(roster, next) || next === lowestSick
  return isLeaving(next) || !mayGo ? BLOCKED : { writes: [deletion(set, next)], isBlocked: true }
}

/** Deletes a pod of the set, and says so. */
export function deletion(set: StatefulSet, pod: Pod): Write {
  return { do: 'delete', object: pod, ...told(set, 'Delete', pod.metadata.name) }
}

function fillPlace(roster: Roster, ordinal: number): Step {
  const { set } = roster
  const pod = roster.pods.get(ordinal)
  if (!pod) return creation(roster, ordinal)
  if (isFinishedPod(pod)) return isLeaving(pod) ? BLOCKED : { writes: [deletion(set, pod)], isBlocked: true }
  if (pod.status?.phase === 'Pending') {
    const claims = missingClaims(set, ordinal, roster.claimNamed)
    const writes = claims.length > 0 ? claims : ownedClaims(set, pod, ordinal, roster.claimNamed)
    if (writes.length > 0) return { writes, isBlocked: true }
  }
  if (isOrdered(set) && (isLeaving(pod) || !isSteady(roster, pod))) return BLOCKED
  return { writes: repairs(roster, pod, ordinal), isBlocked: false }
}

function creation(roster: Roster, ordinal: number): Step {
  const { set, claimNamed } = roster
  if (hasStaleClaim(set, ordinal, claimNamed)) return BLOCKED
  const claims = missingClaims(set, ordinal, claimNamed)
  if (claims.length > 0) return { writes: claims, isBlocked: true }
  const revision = isKept(set, ordinal) ? roster.current : roster.update
  const object = buildPod(set, templateOf(revision) ?? set.spec.template, revision.metadata.name, ordinal)
  const telling = told(set, 'Create', object.metadata.name)
  const leaving = leavingClaims(set, ordinal, claimNamed)
  if (leaving.length === 0) return { writes: [{ do: 'create', object, ...telling }], isBlocked: true }
  const error = leaving.map((name) => `pvc ${name} is being deleted`).join(', ')
  const tell = { ...telling.tellFailure, message: telling.tellFailure.message.replace('{error}', () => error) }
  return { writes: [], isBlocked: true, troubles: [{ do: 'tell', tell }] }
}

/** Whether a pod of that ordinal stays at the current revision while others move on. */
function isKept(set: StatefulSet, ordinal: number): boolean {
  const { type = 'RollingUpdate', rollingUpdate } = set.spec.updateStrategy ?? {}
  if (rollingUpdate) return ordinal < firstOrdinal(set) + (rollingUpdate.partition ?? 0)
  return type === 'RollingUpdate' && ordinal < firstOrdinal(set) + (set.status?.currentReplicas ?? 0)
}

function isSteady({ set, nowMs }: Roster, pod: Pod): boolean {
  return pod.status?.phase === 'Running' && isReadyPod(pod) && isAvailablePod(pod, set.spec.minReadySeconds ?? 0, nowMs)
}

function repairs({ set, claimNamed }: Roster, pod: Pod, ordinal: number): readonly Write[] {
  const repaired = repairedPod(set, pod, ordinal)
  const owners = ownedClaims(set, pod, ordinal, claimNamed)
  const telling = told(set, 'Update', pod.metadata.name)
  if (repaired === pod) return owners.map((write, at) => (at === 0 ? { ...write, tell: telling.tell } : write))
  // A pod that has its volumes keeps them, whatever became of their claims.
  const claims = repaired.spec === pod.spec ? [] : missingClaims(set, ordinal, claimNamed)
  return [...claims, { do: 'replace', object: repaired, tell: telling.tell }, ...owners]
}

function told(
  set: StatefulSet,
  verb: 'Create' | 'Update' | 'Delete',
  pod: string,
): { readonly tell: Telling; readonly tellFailure: Telling } {
  const what = `${verb} Pod ${pod} in StatefulSet ${set.metadata.name}`
  return {
    tell: { about: set, type: 'Normal', reason: `Successful${verb}`, message: `${what} successful` },
    tellFailure: { about: set, type: 'Warning', reason: `Failed${verb}`, message: `${what} failed error: {error}` },
  }
}
