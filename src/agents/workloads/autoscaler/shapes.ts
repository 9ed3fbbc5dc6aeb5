import type { LabelSelector } from '../../../lib/kube/label-selector.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Condition, Pod } from '../shapes.ts'

/** What a resource is wanted to be used to: per cent of what the pods ask for, or a quantity a pod. */
type ResourceTarget = { readonly type: string } & (
  | { readonly averageUtilization: number; readonly averageValue?: undefined }
  | { readonly averageUtilization?: undefined; readonly averageValue: string }
)

/** Which metric, of those that others serve. */
type Metric = { readonly name: string; readonly selector?: LabelSelector }

/** One metric that an autoscaler follows: the field of its type is set. */
export type MetricSpec = {
  readonly type: string
  readonly resource?: { readonly name: string; readonly target: ResourceTarget }
  readonly containerResource?: { readonly name: string; readonly container: string; readonly target: ResourceTarget }
  readonly pods?: { readonly metric: Metric }
  readonly object?: {
    readonly metric: Metric
    readonly describedObject: { readonly kind: string; readonly name: string }
    readonly target: { readonly averageValue?: string }
  }
  readonly external?: { readonly metric: Metric; readonly target: { readonly averageValue?: string } }
}

/** How fast one direction may go. */
export type ScalingRules = {
  readonly stabilizationWindowSeconds?: number
  readonly selectPolicy?: string
  readonly policies?: readonly { readonly type: string; readonly value: number; readonly periodSeconds: number }[]
  /** The share by which usage may differ from what is wanted: a quantity. */
  readonly tolerance?: string
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

/** What was measured of a pod: usage in thousandths, over the window that ended at a moment. */
export type PodMetric = { readonly usage: number; readonly atMs: number; readonly windowMs: number }

/** The target's pods, and what was measured of them by name; or why nothing was. */
export type Measurement =
  { readonly error: string } | { readonly pods: readonly Pod[]; readonly metrics: ReadonlyMap<string, PodMetric> }

/** The selector of a target's pods: why it cannot be read, or the names of all autoscalers that choose some of them. */
export type Selection = { readonly selector: string } & (
  { readonly error: string } | { readonly rivals: readonly string[] }
)

/** What an autoscaler's decision needs. */
export type AutoscalerSeen = {
  readonly autoscaler: Autoscaler
  /** The target's size, or why it cannot be read. */
  readonly scale: { readonly replicas: number; readonly selection: Selection } | { readonly error: string }
  /** For each metric of the spec, in order. */
  readonly measured: readonly Measurement[]
  /** Sizes recommended lately, for stabilisation. */
  readonly recommended: readonly { readonly atMs: number; readonly replicas: number }[]
  /** Scalings done lately, for the policies. */
  readonly scaled: readonly { readonly atMs: number; readonly change: number }[]
  readonly nowMs: number
}
