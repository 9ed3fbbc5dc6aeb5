import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Condition } from '../shapes.ts'

/** One metric that an autoscaler follows. */
export type MetricSpec = {
  readonly type: string
  readonly resource?: {
    readonly name: string
    readonly target: { readonly type: string; readonly averageUtilization?: number; readonly averageValue?: string }
  }
}

/** How fast one direction may go. */
export type ScalingRules = {
  readonly stabilizationWindowSeconds?: number
  readonly selectPolicy?: string
  readonly policies?: readonly { readonly type: string; readonly value: number; readonly periodSeconds: number }[]
}

/** A HorizontalPodAutoscaler, autoscaling/v2. */
export type Autoscaler = KubeObject & {
  readonly spec: {
    readonly scaleTargetRef: { readonly apiVersion?: string; readonly kind: string; readonly name: string }
    readonly minReplicas?: number
    readonly maxReplicas: number
    readonly metrics?: readonly MetricSpec[]
    readonly behavior?: { readonly scaleUp?: ScalingRules; readonly scaleDown?: ScalingRules }
  }
  readonly status?: AutoscalerStatus
}

/** `status` of an autoscaler. */
export type AutoscalerStatus = {
  readonly observedGeneration?: number
  readonly lastScaleTime?: string
  readonly currentReplicas?: number
  readonly desiredReplicas?: number
  readonly currentMetrics?: readonly unknown[] | null
  readonly conditions?: readonly Condition[]
}

/** A measured resource of the target's pods, each `usage` and `request` in thousandths. */
export type Measurement =
  | { readonly error: string }
  | {
      readonly pods: readonly {
        readonly usage: number | undefined
        readonly request: number
        readonly isReady: boolean
      }[]
    }

/** What an autoscaler's decision needs. */
export type AutoscalerSeen = {
  readonly autoscaler: Autoscaler
  /** The target's size, or why it cannot be read. */
  readonly scale: { readonly replicas: number; readonly current: number } | { readonly error: string }
  /** For each metric of the spec, in order. */
  readonly measured: readonly Measurement[]
  /** Sizes recommended lately, for stabilisation. */
  readonly recommended: readonly { readonly atMs: number; readonly replicas: number }[]
  /** Scalings done lately, for the policies. */
  readonly scaled: readonly { readonly atMs: number; readonly change: number }[]
  readonly nowMs: number
}
