import type { LabelSelector } from '../../../lib/kube/label-selector.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Condition, IntOrPercent, PodTemplate } from '../shapes.ts'

/** A DaemonSet. */
export type DaemonSet = KubeObject & {
  readonly spec: {
    readonly minReadySeconds?: number
    readonly selector: LabelSelector
    readonly template: PodTemplate
    readonly revisionHistoryLimit?: number
    readonly updateStrategy?: {
      readonly type?: string
      readonly rollingUpdate?: { readonly maxSurge?: IntOrPercent; readonly maxUnavailable?: IntOrPercent }
    }
  }
  readonly status?: DaemonSetStatus
}

/** `status` of a DaemonSet; some counts of nought are left out. */
export type DaemonSetStatus = {
  readonly currentNumberScheduled: number
  readonly numberMisscheduled: number
  readonly desiredNumberScheduled: number
  readonly numberReady: number
  readonly observedGeneration?: number
  readonly updatedNumberScheduled?: number
  readonly numberAvailable?: number
  readonly numberUnavailable?: number
  readonly collisionCount?: number
  readonly conditions?: readonly Condition[]
}
