import type { LabelSelector } from '../../../lib/kube/label-selector.ts'
import type { KubeObject, ObjectMeta } from '../../../lib/kube/object.ts'
import type { Condition, IntOrPercent, PodTemplate } from '../shapes.ts'

/** A claim that every pod of a StatefulSet gets one of. */
export type ClaimTemplate = { readonly metadata: Partial<ObjectMeta>; readonly spec?: unknown }

/** When claims go: with the StatefulSet, with a pod that is scaled away. */
export type RetentionPolicy = { readonly whenDeleted?: string; readonly whenScaled?: string }

/** A StatefulSet. */
export type StatefulSet = KubeObject & {
  readonly spec: {
    readonly replicas?: number
    readonly minReadySeconds?: number
    readonly serviceName?: string
    readonly selector: LabelSelector
    readonly template: PodTemplate
    readonly ordinals?: { readonly start?: number }
    readonly podManagementPolicy?: string
    readonly revisionHistoryLimit?: number
    readonly updateStrategy?: {
      readonly type?: string
      readonly rollingUpdate?: { readonly partition?: number; readonly maxUnavailable?: IntOrPercent }
    }
    readonly volumeClaimTemplates?: readonly ClaimTemplate[]
    readonly persistentVolumeClaimRetentionPolicy?: RetentionPolicy
  }
  readonly status?: StatefulSetStatus
}

/** `status` of a StatefulSet; some counts of nought are left out. */
export type StatefulSetStatus = {
  readonly observedGeneration?: number
  readonly replicas: number
  readonly readyReplicas?: number
  readonly currentReplicas?: number
  readonly updatedReplicas?: number
  readonly availableReplicas?: number
  readonly currentRevision?: string
  readonly updateRevision?: string
  readonly collisionCount?: number
  readonly conditions?: readonly Condition[]
}

/** Replicas that the StatefulSet wants. */
export function wantedReplicas({ spec }: StatefulSet): number {
  return spec.replicas ?? 1
}

/** The ordinal of the first pod. */
export function firstOrdinal({ spec }: StatefulSet): number {
  return spec.ordinals?.start ?? 0
}

/** Whether pods come and go one by one, each waiting for the one before. */
export function isOrdered({ spec }: StatefulSet): boolean {
  return spec.podManagementPolicy !== 'Parallel'
}
