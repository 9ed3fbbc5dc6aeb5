import type { LabelSelector } from '../../../lib/kube/label-selector.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Condition, PodTemplate } from '../shapes.ts'

/** One rule of a Job's podFailurePolicy. */
export type FailureRule = {
  readonly action: string
  readonly onExitCodes?: {
    readonly containerName?: string
    readonly operator: string
    readonly values: readonly number[]
  }
  readonly onPodConditions?: readonly { readonly type: string; readonly status?: string }[]
}

/** A Job. */
export type Job = KubeObject & {
  readonly spec: {
    readonly parallelism?: number
    readonly completions?: number
    readonly completionMode?: string
    readonly backoffLimit?: number
    readonly backoffLimitPerIndex?: number
    readonly maxFailedIndexes?: number
    readonly activeDeadlineSeconds?: number
    readonly ttlSecondsAfterFinished?: number
    readonly suspend?: boolean
    readonly managedBy?: string
    readonly podReplacementPolicy?: string
    readonly selector?: LabelSelector
    readonly template: PodTemplate
    readonly successPolicy?: {
      readonly rules: readonly { readonly succeededIndexes?: string; readonly succeededCount?: number }[]
    }
    readonly podFailurePolicy?: { readonly rules: readonly FailureRule[] }
  }
  readonly status?: JobStatus
}

/** Uids of pods that have ended and are about to lose their finalizer. */
export type Uncounted = { readonly succeeded?: readonly string[]; readonly failed?: readonly string[] }

/** `status` of a Job. */
export type JobStatus = {
  readonly startTime?: string
  readonly completionTime?: string
  readonly active?: number
  readonly ready?: number
  readonly succeeded?: number
  readonly failed?: number
  readonly terminating?: number
  readonly completedIndexes?: string
  readonly failedIndexes?: string
  readonly uncountedTerminatedPods?: Uncounted
  readonly conditions?: readonly Condition[]
}
