import { BACKOFF } from '../../../engine/controller.ts'
import { type LabelSelector, matchesSelector } from '../../../lib/kube/label-selector.ts'
import { claim } from '../claim.ts'
import type { WorkloadDecision } from '../decision.ts'
import { conditionOf, controlledBy, isSame, timeText, withoutNoughts } from '../meta.ts'
import {
  compareForDeletion,
  isActivePod,
  isAvailablePod,
  isFinishedPod,
  isReadyPod,
  nextAvailableAfterMs,
} from '../pods.ts'
import { saysNamespaceEnds } from '../refusal.ts'
import type { Condition, Pod, PodTemplate, ReplicaSet, ReplicaSetStatus } from '../shapes.ts'
import type { Write } from '../write.ts'

/** What the decision about a ReplicaSet, or about a ReplicationController, needs. */
export type ReplicaSetSeen = {
  readonly set: ReplicaSet
  /** Which pods it is about. */
  readonly selector: LabelSelector
  /** Pods that it controls or might adopt. */
  readonly candidates: readonly Pod[]
  /** How many pods of sibling ReplicaSets run on a node; spreads deletions. */
  readonly siblingsOn: (nodeName: string) => number
  /** Why the last creation or deletion of a pod was refused. */
  readonly failure?: string
  readonly nowMs: number
}

/** The most pods created or deleted in one step, like the original's burst. */
const MOST_AT_ONCE = 500

/** Pure. Keeps as many active pods as the ReplicaSet asks for, and its status true. */
export function decideReplicaSet(seen: ReplicaSetSeen): WorkloadDecision {
  const { set, nowMs } = seen
  const unfinished = seen.candidates.filter((pod) => !isFinishedPod(pod))
  const { mine, writes } = claim(set, seen.selector, unfinished)
  if (writes.length > 0) return { kind: 'act', changes: writes }
  const active = mine.filter(isActivePod)
  const isLeaving = set.metadata.deletionTimestamp !== undefined
  const surplus = active.length - (set.spec.replicas ?? 1)
  if (!isLeaving && surplus !== 0 && seen.failure === undefined)
    return { kind: 'act', changes: surplus < 0 ? creations(set, -surplus) : deletions(seen, active, surplus) }

  const failure = isLeaving || saysNamespaceEnds(seen.failure) ? undefined : seen.failure
  const status = statusOf(set, active, mine.length - active.length, failure, surplus, nowMs)
  const changes: Write[] = isSame(set.status, status)
    ? []
    : [{ do: 'replace', object: { ...set, status }, subresource: 'status' }]
  if (failure !== undefined) return { kind: 'wait', afterMs: BACKOFF, status: changes }
  const againAfterMs = nextAvailableAfterMs(active, set.spec.minReadySeconds ?? 0, nowMs)
  return { kind: 'done', status: changes, ...(againAfterMs !== undefined && { againAfterMs }) }
}

function creations(set: ReplicaSet, count: number): Write[] {
  const object = podFrom(set.spec.template, set)
  return Array.from({ length: Math.min(count, MOST_AT_ONCE) }, () => ({
    do: 'create',
    object,
    tell: { about: set, type: 'Normal', reason: 'SuccessfulCreate', message: 'Created pod: {name}' },
    tellFailure: { about: set, type: 'Warning', reason: 'FailedCreate', message: 'Error creating: {error}' },
  }))
}

/** A pod of a template, with a name that the server completes. */
function podFrom(template: PodTemplate, owner: ReplicaSet): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: '',
      generateName: `${owner.metadata.name}-`,
      namespace: owner.metadata.namespace ?? '',
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
      ownerReferences: [controlledBy(owner)],
    },
    spec: template.spec,
  }
}

function deletions(seen: ReplicaSetSeen, active: readonly Pod[], count: number): Write[] {
  const { set, nowMs } = seen
  return active
    .map((pod) => ({ pod, rank: pod.spec.nodeName ? seen.siblingsOn(pod.spec.nodeName) : 0 }))
    .sort((a, b) => compareForDeletion(a, b, nowMs))
    .slice(0, Math.min(count, MOST_AT_ONCE))
    .map(({ pod }) => ({
      do: 'delete',
      object: pod,
      tell: { about: set, type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${pod.metadata.name}` },
      tellFailure: { about: set, type: 'Warning', reason: 'FailedDelete', message: 'Error deleting: {error}' },
    }))
}

function statusOf(
  set: ReplicaSet,
  active: readonly Pod[],
  terminating: number,
  failure: string | undefined,
  surplus: number,
  nowMs: number,
): ReplicaSetStatus {
  const labels = { matchLabels: set.spec.template.metadata?.labels ?? {} }
  const minReadySeconds = set.spec.minReadySeconds ?? 0
  const conditions = failureConditions(set, failure, surplus, nowMs)
  return {
    replicas: active.length,
    ...withoutNoughts({
      fullyLabeledReplicas: active.filter((pod) => matchesSelector(labels, pod.metadata.labels)).length,
      readyReplicas: active.filter(isReadyPod).length,
      availableReplicas: active.filter((pod) => isAvailablePod(pod, minReadySeconds, nowMs)).length,
    }),
    ...(set.kind === 'ReplicaSet' && { terminatingReplicas: terminating }),
    ...(set.metadata.generation !== undefined && { observedGeneration: set.metadata.generation }),
    ...(conditions.length > 0 && { conditions }),
  }
}

function failureConditions(set: ReplicaSet, failure: string | undefined, surplus: number, nowMs: number): Condition[] {
  const others = (set.status?.conditions ?? []).filter(({ type }) => type !== 'ReplicaFailure')
  if (failure === undefined) return others
  const before = conditionOf(set.status?.conditions, 'ReplicaFailure')
  if (before) return [...others, before]
  return [
    ...others,
    {
      type: 'ReplicaFailure',
      status: 'True',
      lastTransitionTime: timeText(nowMs),
      reason: surplus < 0 ? 'FailedCreate' : 'FailedDelete',
      message: failure,
    },
  ]
}
