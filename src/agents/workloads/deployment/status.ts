import { conditionOf, isSame, timeMs, timeText, withoutNoughts } from '../meta.ts'
import type { Condition, Deployment, DeploymentStatus, ReplicaSet } from '../shapes.ts'
import { maxUnavailable, totalAvailable, totalReplicas, wantedReplicas } from './scaling.ts'

const NO_DEADLINE_SECONDS = 2_147_483_647

/** The ReplicaSets of a Deployment: the one of the present template, and the others. */
export type Fleet = {
  readonly deployment: Deployment
  readonly current: ReplicaSet | undefined
  readonly old: readonly ReplicaSet[]
  readonly nowMs: number
  /** Since when the cluster has been at work without a break: no deadline counts the time before. */
  readonly atWorkSinceMs: number
}

/** Whether the Deployment says how long a step may take. */
export function hasDeadline({ spec }: Deployment): boolean {
  return spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== NO_DEADLINE_SECONDS
}

/** The counts, and whether enough pods are available. */
export function countStatus({ deployment, current, old, nowMs }: Fleet): DeploymentStatus {
  const all = current ? [...old, current] : [...old]
  const sum = (field: 'replicas' | 'readyReplicas' | 'availableReplicas'): number =>
    all.reduce((total, set) => total + (set.status?.[field] ?? 0), 0)
  const available = totalAvailable(all)
  const isEnough = available >= wantedReplicas(deployment) - maxUnavailable(deployment)
  const terminating = all.map((set) => set.status?.terminatingReplicas)
  const collisionCount = deployment.status?.collisionCount
  return {
    ...(deployment.metadata.generation !== undefined && { observedGeneration: deployment.metadata.generation }),
    ...withoutNoughts({
      replicas: sum('replicas'),
      updatedReplicas: current?.status?.replicas ?? 0,
      readyReplicas: sum('readyReplicas'),
      availableReplicas: available,
      unavailableReplicas: Math.max(totalReplicas(all) - available, 0),
    }),
    ...(terminating.every((count) => count !== undefined) && {
      terminatingReplicas: terminating.reduce((total, count) => total + (count ?? 0), 0),
    }),
    ...(collisionCount !== undefined && { collisionCount }),
    conditions: setCondition(deployment.status?.conditions ?? [], availability(isEnough), nowMs),
  }
}

/** The status of a rollout on its way: progress, completion, or the deadline that passed. */
export function rolloutStatus(fleet: Fleet): DeploymentStatus {
  const { deployment, current, old, nowMs } = fleet
  const counts = countStatus(fleet)
  const before = conditionOf(deployment.status?.conditions, 'Progressing')
  let conditions = counts.conditions ?? []
  if (!hasDeadline(deployment)) conditions = dropCondition(conditions, 'Progressing')
  else if (!isSettled(counts, before)) conditions = progressed(fleet, counts, conditions, before)
  const failure = failureOf(current, old)
  conditions = failure ? setCondition(conditions, failure, nowMs) : dropCondition(conditions, 'ReplicaFailure')
  return { ...counts, conditions }
}

/** When to look again because the deadline passes, in milliseconds; `undefined` when no deadline runs. */
export function deadlineAfterMs(fleet: Fleet, status: DeploymentStatus): number | undefined {
  const { deployment, nowMs } = fleet
  const condition = conditionOf(status.conditions, 'Progressing')
  if (!condition || !hasDeadline(deployment) || isComplete(deployment, status)) return undefined
  if (['ProgressDeadlineExceeded', 'DeploymentPaused', 'NewReplicaSetAvailable'].includes(condition.reason ?? ''))
    return undefined
  return Math.max(dueMs(fleet, condition) - nowMs, 0) + 1000
}

/** Whether every pod is of the present template and available. */
export function isComplete(deployment: Deployment, status: DeploymentStatus | undefined): boolean {
  const wanted = wantedReplicas(deployment)
  return (
    (status?.updatedReplicas ?? 0) === wanted &&
    (status?.replicas ?? 0) === wanted &&
    (status?.availableReplicas ?? 0) === wanted &&
    (status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  )
}

/** Sets a condition; one of the same status and reason is left as it is, one of the same status keeps its transition time. */
export function setCondition(conditions: readonly Condition[], next: Condition, nowMs: number): readonly Condition[] {
  const before = conditionOf(conditions, next.type)
  if (before?.status === next.status && before.reason === next.reason) return conditions
  const now = timeText(nowMs)
  const lastTransitionTime =
    next.lastTransitionTime ?? (before?.status === next.status ? before.lastTransitionTime : undefined) ?? now
  const { type, status, reason, message } = next
  const entry = {
    type,
    status,
    lastUpdateTime: now,
    lastTransitionTime,
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
  }
  return [...dropCondition(conditions, next.type), entry]
}

/** The status, unless the object shows it already. */
export function changedStatus(deployment: Deployment, status: DeploymentStatus): Deployment | undefined {
  return isSame(deployment.status ?? {}, status) ? undefined : { ...deployment, status }
}

function progressed(
  fleet: Fleet,
  counts: DeploymentStatus,
  conditions: readonly Condition[],
  before: Condition | undefined,
): readonly Condition[] {
  const { deployment, current, nowMs } = fleet
  const subject = current ? `ReplicaSet "${current.metadata.name}"` : `Deployment "${deployment.metadata.name}"`
  const say = (status: string, reason: string, message: string): Condition => ({
    type: 'Progressing',
    status,
    reason,
    message: `${subject} ${message}`,
  })
  if (isComplete(deployment, counts))
    return setCondition(conditions, say('True', 'NewReplicaSetAvailable', 'has successfully progressed.'), nowMs)
  if (isProgressing(deployment.status ?? {}, counts)) {
    const kept = before?.status === 'True' ? { lastTransitionTime: before.lastTransitionTime ?? '' } : {}
    const moved = { ...say('True', 'ReplicaSetUpdated', 'is progressing.'), ...kept }
    return setCondition(dropCondition(conditions, 'Progressing'), moved, nowMs)
  }
  if (hasTimedOut(fleet, before))
    return setCondition(conditions, say('False', 'ProgressDeadlineExceeded', 'has timed out progressing.'), nowMs)
  return conditions
}

/** Nothing to judge: the rollout was complete before, and only one template has pods. */
function isSettled(counts: DeploymentStatus, before: Condition | undefined): boolean {
  return (counts.replicas ?? 0) === (counts.updatedReplicas ?? 0) && before?.reason === 'NewReplicaSetAvailable'
}

function isProgressing(before: DeploymentStatus, now: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus): number => (status.replicas ?? 0) - (status.updatedReplicas ?? 0)
  return (
    (now.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(now) < old(before) ||
    (now.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (now.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  )
}

function hasTimedOut(fleet: Fleet, before: Condition | undefined): boolean {
  if (!before || before.reason === 'NewReplicaSetAvailable') return false
  if (before.reason === 'ProgressDeadlineExceeded') return true
  return dueMs(fleet, before) < fleet.nowMs
}

function dueMs({ deployment, atWorkSinceMs }: Fleet, { lastUpdateTime }: Condition): number {
  return Math.max(timeMs(lastUpdateTime), atWorkSinceMs) + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000
}

function availability(isEnough: boolean): Condition {
  return isEnough
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      }
}

function failureOf(current: ReplicaSet | undefined, old: readonly ReplicaSet[]): Condition | undefined {
  for (const set of current ? [current, ...old] : old) {
    const failure = conditionOf(set.status?.conditions, 'ReplicaFailure')
    if (!failure) continue
    const { type, status, reason, message } = failure
    return { type, status, ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) }
  }
  return undefined
}

function dropCondition(conditions: readonly Condition[], type: string): readonly Condition[] {
  return conditions.filter((condition) => condition.type !== type)
}
