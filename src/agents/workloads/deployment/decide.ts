import type { WorkloadDecision } from '../decision.ts'
import { BACKOFF } from '../../../engine/controller.ts'
import { claim } from '../claim.ts'
import { conditionOf, controllerOf } from '../meta.ts'
import { podTemplateHash } from '../template-hash/hash.ts'
import { saysNamespaceEnds } from '../refusal.ts'
import type { Condition, Deployment, DeploymentStatus, ReplicaSet } from '../shapes.ts'
import type { Write } from '../write.ts'
import { isScaled, scaleSizes } from './proportion.ts'
import {
  buildReplicaSet,
  isSameTemplate,
  refreshedReplicaSet,
  resizedReplicaSet,
  REVISION,
  revisionOf,
  splitReplicaSets,
} from './replica-sets.ts'
import { rollBack, rollbackOf } from './rollback.ts'
import { isRolling, nextSize, shrinkOld, sizeOf, totalReplicas, wantedReplicas, type Sizes } from './scaling.ts'
import {
  changedStatus,
  countStatus,
  deadlineAfterMs,
  hasDeadline,
  isComplete,
  rolloutStatus,
  setCondition,
  type Fleet,
} from './status.ts'

/** What a Deployment's decision needs. */
export type DeploymentSeen = {
  readonly deployment: Deployment
  /** ReplicaSets that it controls or might adopt. */
  readonly candidates: readonly ReplicaSet[]
  /** Any ReplicaSet of the namespace with that name. */
  readonly setNamed: (name: string) => ReplicaSet | undefined
  /** Whether pods of a ReplicaSet (by uid) still run. */
  readonly hasRunningPods: (uid: string) => boolean
  /** Why the last creation of a ReplicaSet was refused. */
  readonly failure?: string
  readonly nowMs: number
  /** When this controller started: what happened before, a rollout did not have time for. */
  readonly atWorkSinceMs: number
}

/**
 * Pure. Moves a Deployment's ReplicaSets one step towards its template, never below `replicas - maxUnavailable` available pods nor above
 * `replicas + maxSurge`.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
 */
export function decideDeployment(seen: DeploymentSeen): WorkloadDecision {
  const { deployment, nowMs, atWorkSinceMs } = seen
  const { mine, writes } = claim(deployment, deployment.spec.selector, seen.candidates)
  if (writes.length > 0) return { kind: 'act', changes: writes }
  const fleet: Fleet = { deployment, ...splitReplicaSets(deployment, mine), nowMs, atWorkSinceMs }
  if (deployment.metadata.deletionTimestamp !== undefined) return settle(fleet, countStatus(fleet))

  const toggled = pauseCondition(deployment)
  if (toggled) return act([statusWrite(deployment, withCondition(deployment.status ?? {}, toggled, nowMs))])
  const noted = noteRevision(fleet)
  if (noted.length > 0) return act(noted)

  const all = [...fleet.old, ...(fleet.current ? [fleet.current] : [])]
  const wish = deployment.spec.paused ? undefined : rollbackOf(deployment)
  if (wish !== undefined) return fleet.current ? act([rollBack(deployment, wish, all)]) : createSet(seen, fleet, all)
  if (deployment.spec.paused || isScaled(deployment, all)) return scaleOnly(fleet, all)
  return isRolling(deployment) ? roll(seen, fleet, all) : recreate(seen, fleet, all)
}

function scaleOnly(fleet: Fleet, all: readonly ReplicaSet[]): WorkloadDecision {
  const { deployment, current, old } = fleet
  // Every ReplicaSet notes the new number, also those whose size stays: that ends the scaling.
  const noting = isScaled(deployment, all) ? all.filter((set) => sizeOf(set) > 0) : []
  const sizes = new Map(noting.map((set) => [set.metadata.name, sizeOf(set)]))
  const writes = resize(deployment, all, new Map([...sizes, ...scaleSizes(deployment, current, old)]))
  if (writes.length > 0) return act(writes)
  const cleaning = deployment.spec.paused ? cleanUp(fleet) : []
  return cleaning.length > 0 ? act(cleaning) : settle(fleet, countStatus(fleet))
}

function roll(seen: DeploymentSeen, fleet: Fleet, all: readonly ReplicaSet[]): WorkloadDecision {
  const { deployment, current, old } = fleet
  if (!current) return createSet(seen, fleet, all)
  const size = nextSize(deployment, all, current)
  if (size !== sizeOf(current)) return act(resize(deployment, all, new Map([[current.metadata.name, size]])))
  const shrunk = totalReplicas(old) > 0 ? resize(deployment, all, shrinkOld(deployment, current, old)) : []
  if (shrunk.length > 0) return act(shrunk)
  return finish(fleet)
}

function recreate(seen: DeploymentSeen, fleet: Fleet, all: readonly ReplicaSet[]): WorkloadDecision {
  const { deployment, current, old } = fleet
  const full = old.filter((set) => sizeOf(set) > 0)
  const shrunk = resize(deployment, full, new Map(full.map((set) => [set.metadata.name, 0])))
  if (shrunk.length > 0) return act(shrunk)
  if (old.some((set) => seen.hasRunningPods(set.metadata.uid ?? ''))) return settle(fleet, rolloutStatus(fleet))
  if (!current) return createSet(seen, fleet, all)
  const grown = resize(deployment, all, new Map([[current.metadata.name, wantedReplicas(deployment)]]))
  return sizeOf(current) !== wantedReplicas(deployment) ? act(grown) : finish(fleet)
}

function finish(fleet: Fleet): WorkloadDecision {
  const status = rolloutStatus(fleet)
  const cleaning = isComplete(fleet.deployment, status) ? cleanUp(fleet) : []
  return cleaning.length > 0 ? act(cleaning) : settle(fleet, status)
}

function createSet(seen: DeploymentSeen, fleet: Fleet, all: readonly ReplicaSet[]): WorkloadDecision {
  const { deployment } = seen
  const status = deployment.status ?? {}
  if (seen.failure !== undefined) return createFailed(fleet, seen.failure)
  const hash = podTemplateHash(deployment.spec.template, status.collisionCount)
  const size = nextSize(deployment, all, undefined)
  const set = buildReplicaSet(deployment, hash, size, fleet.old)
  const taken = seen.setNamed(set.metadata.name)
  if (taken && !isOurs(deployment, taken))
    return act([statusWrite(deployment, { ...status, collisionCount: (status.collisionCount ?? 0) + 1 })])

  const { name } = set.metadata
  const created: Condition = {
    type: 'Progressing',
    status: 'True',
    reason: 'NewReplicaSetCreated',
    message: `Created new replica set "${name}"`,
  }
  const scaled = { about: deployment, type: 'Normal', reason: 'ScalingReplicaSet' } as const
  const refused = { about: deployment, type: 'Warning', reason: 'ReplicaSetCreateError' } as const
  return act([
    {
      do: 'create',
      object: set,
      ...(size > 0 && { tell: { ...scaled, message: `Scaled up replica set ${name} from 0 to ${size}` } }),
      tellFailure: { ...refused, message: `Failed to create new replica set "${name}": {error}` },
    },
    ...(hasDeadline(deployment) ? [createdWrite(fleet, set, created)] : []),
  ])
}

/** Says in one write that the ReplicaSet was made and which revision it is. */
function createdWrite(fleet: Fleet, set: ReplicaSet, created: Condition): Write {
  const { deployment, nowMs } = fleet
  const { object, ...write } = revisionWrite(deployment, set.metadata.annotations?.[REVISION] ?? '')
  // No pod is of the new template yet: the rollout's progress is counted from there.
  const { updatedReplicas: _before, ...status } = deployment.status ?? {}
  return { ...write, object: { ...object, status: withCondition(status, created, nowMs) } }
}

function createFailed(fleet: Fleet, failure: string): WorkloadDecision {
  if (saysNamespaceEnds(failure)) return { kind: 'wait', afterMs: BACKOFF, status: [] }
  const { deployment, nowMs } = fleet
  const counts = countStatus(fleet)
  const condition: Condition = {
    type: 'Progressing',
    status: 'False',
    reason: 'ReplicaSetCreateError',
    message: `Failed to create new replica set: ${failure}`,
  }
  const changed = changedStatus(deployment, hasDeadline(deployment) ? withCondition(counts, condition, nowMs) : counts)
  return {
    kind: 'wait',
    afterMs: BACKOFF,
    status: changed ? [{ do: 'replace', object: changed, subresource: 'status' }] : [],
  }
}

/** The revision and copied annotations on the present ReplicaSet, then the revision on the Deployment. */
function noteRevision({ deployment, current, old, nowMs }: Fleet): readonly Write[] {
  if (!current) return []
  const refreshed = refreshedReplicaSet(deployment, current, old)
  if (refreshed !== current) return [{ do: 'replace', object: refreshed }]
  const revision = current.metadata.annotations?.[REVISION] ?? ''
  if (deployment.metadata.annotations?.[REVISION] !== revision) return [revisionWrite(deployment, revision)]
  if (!hasDeadline(deployment) || conditionOf(deployment.status?.conditions, 'Progressing')) return []
  const found: Condition = {
    type: 'Progressing',
    status: 'True',
    reason: 'FoundNewReplicaSet',
    message: `Found new replica set "${current.metadata.name}"`,
  }
  return [statusWrite(deployment, withCondition(deployment.status ?? {}, found, nowMs))]
}

/** Annotations are written with the status: written with the spec they would raise `generation`. */
function revisionWrite(deployment: Deployment, revision: string): Extract<Write, { do: 'replace' }> {
  const annotations = { ...deployment.metadata.annotations, [REVISION]: revision }
  return {
    do: 'replace',
    object: { ...deployment, metadata: { ...deployment.metadata, annotations } },
    subresource: 'status',
  }
}

function pauseCondition(deployment: Deployment): Condition | undefined {
  if (!hasDeadline(deployment)) return undefined
  const reason = conditionOf(deployment.status?.conditions, 'Progressing')?.reason
  if (reason === 'ProgressDeadlineExceeded') return undefined
  const say = { type: 'Progressing', status: 'Unknown' }
  if (deployment.spec.paused && reason !== 'DeploymentPaused')
    return { ...say, reason: 'DeploymentPaused', message: 'Deployment is paused' }
  if (!deployment.spec.paused && reason === 'DeploymentPaused')
    return { ...say, reason: 'DeploymentResumed', message: 'Deployment is resumed' }
  return undefined
}

function resize(deployment: Deployment, sets: readonly ReplicaSet[], sizes: Sizes): Write[] {
  return sets.flatMap((set): Write[] => {
    const size = sizes.get(set.metadata.name)
    const resized = size === undefined ? set : resizedReplicaSet(deployment, set, size)
    if (resized === set || size === undefined) return []
    if (size === sizeOf(set)) return [{ do: 'replace', object: resized }]
    const way = size > sizeOf(set) ? 'up' : 'down'
    const message = `Scaled ${way} replica set ${set.metadata.name} from ${sizeOf(set)} to ${size}`
    const tell = { about: deployment, type: 'Normal', reason: 'ScalingReplicaSet', message } as const
    return [{ do: 'replace', object: resized, tell }]
  })
}

/** Deletes ReplicaSets beyond the history limit, lowest revisions first, once they are empty. */
function cleanUp({ deployment, old }: Fleet): Write[] {
  const limit = deployment.spec.revisionHistoryLimit
  if (limit === undefined) return []
  const alive = old.filter((set) => set.metadata.deletionTimestamp === undefined)
  const surplus = [...alive]
    .sort((a, b) => Number(revisionOf(a) - revisionOf(b)))
    .slice(0, Math.max(alive.length - limit, 0))
  return surplus
    .filter((set) => sizeOf(set) === 0 && (set.status?.replicas ?? 0) === 0)
    .filter((set) => (set.status?.observedGeneration ?? 0) >= (set.metadata.generation ?? 0))
    .map((object) => ({ do: 'delete', object }))
}

function settle(fleet: Fleet, status: DeploymentStatus): WorkloadDecision {
  const changed = changedStatus(fleet.deployment, status)
  const againAfterMs = deadlineAfterMs(fleet, status)
  return {
    kind: 'done',
    status: changed ? [{ do: 'replace', object: changed, subresource: 'status' }] : [],
    ...(againAfterMs !== undefined && { againAfterMs }),
  }
}

function isOurs(deployment: Deployment, set: ReplicaSet): boolean {
  return (
    controllerOf(set)?.uid === deployment.metadata.uid && isSameTemplate(set.spec.template, deployment.spec.template)
  )
}

function withCondition(status: DeploymentStatus, condition: Condition, nowMs: number): DeploymentStatus {
  return { ...status, conditions: setCondition(status.conditions ?? [], condition, nowMs) }
}

function statusWrite(deployment: Deployment, status: DeploymentStatus): Write {
  return { do: 'replace', object: { ...deployment, status }, subresource: 'status' }
}

function act(changes: readonly Write[]): WorkloadDecision {
  return { kind: 'act', changes }
}
