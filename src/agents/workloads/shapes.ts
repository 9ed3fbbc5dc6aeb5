import type { ContainerPort, ResourceList } from '../../lib/kube/container.ts'
import type { LabelExpression, LabelSelector } from '../../lib/kube/label-selector.ts'
import type { KubeObject, ObjectMeta } from '../../lib/kube/object.ts'

/** The parts of Kubernetes' workload objects that the controllers read; everything else is carried along unread. */
export type Condition = {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
  readonly lastUpdateTime?: string
  readonly lastProbeTime?: string | null
  readonly lastHeartbeatTime?: string
  readonly observedGeneration?: number
}

/** A number, or a percentage like `25%`. */
export type IntOrPercent = number | string

/** A container of a pod. */
export type Container = {
  readonly name: string
  readonly ports?: readonly ContainerPort[]
  readonly env?: readonly { readonly name: string }[]
  readonly restartPolicy?: string
  readonly resources?: { readonly requests?: ResourceList }
  readonly [field: string]: unknown
}

/** `spec` of a Pod. */
export type PodSpec = {
  readonly containers: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly nodeName?: string
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly schedulerName?: string
  readonly hostname?: string
  readonly subdomain?: string
  readonly hostNetwork?: boolean
  readonly restartPolicy?: string
  readonly terminationGracePeriodSeconds?: number
  readonly tolerations?: readonly Toleration[]
  readonly affinity?: {
    readonly nodeAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: {
        readonly nodeSelectorTerms: readonly NodeSelectorTerm[]
      }
    }
    readonly podAffinity?: PodAffinity
    readonly podAntiAffinity?: PodAffinity
  }
  readonly topologySpreadConstraints?: readonly SpreadConstraint[]
  readonly priority?: number
  readonly preemptionPolicy?: string
  readonly overhead?: ResourceList
  readonly resources?: { readonly requests?: ResourceList }
  readonly volumes?: readonly {
    readonly name: string
    readonly persistentVolumeClaim?: { readonly claimName: string }
    readonly ephemeral?: { readonly volumeClaimTemplate?: ClaimTemplate }
    readonly [field: string]: unknown
  }[]
  readonly schedulingGates?: readonly unknown[]
  readonly [field: string]: unknown
}

/** The claim that a volume of a pod brings along. */
export type ClaimTemplate = { readonly metadata?: Partial<ObjectMeta>; readonly spec: unknown }

/** Near which pods a pod must be, or must not be. */
export type PodAffinity = { readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodAffinityTerm[] }

/** Pods, and the label of nodes whose value says what is near. */
export type PodAffinityTerm = {
  readonly topologyKey: string
  readonly labelSelector?: LabelSelector
  readonly namespaces?: readonly string[]
  readonly namespaceSelector?: LabelSelector
}

/** How evenly pods must be spread over the values of a label of nodes. */
export type SpreadConstraint = {
  readonly maxSkew: number
  readonly topologyKey: string
  readonly whenUnsatisfiable: string
  readonly labelSelector?: LabelSelector
  readonly minDomains?: number
  readonly nodeAffinityPolicy?: string
  readonly nodeTaintsPolicy?: string
}

/** One alternative of a node affinity. */
export type NodeSelectorTerm = {
  readonly matchExpressions?: readonly LabelExpression[]
  readonly matchFields?: readonly LabelExpression[]
}

/** What a pod tolerates. */
export type Toleration = {
  readonly key?: string
  readonly operator?: string
  readonly value?: string
  readonly effect?: string
  /** For how long, where not for ever. */
  readonly tolerationSeconds?: number
}

/** A pod template. */
export type PodTemplate = { readonly metadata?: Partial<ObjectMeta>; readonly spec: PodSpec }

/** State of a container. */
export type ContainerStatus = {
  readonly name: string
  readonly restartCount?: number
  readonly resources?: unknown
  readonly ready?: boolean
  readonly state?: {
    readonly waiting?: unknown
    readonly terminated?: { readonly exitCode: number; readonly finishedAt?: string | null }
  }
}

/** A Pod. */
export type Pod = KubeObject & {
  readonly spec: PodSpec
  readonly status?: {
    readonly phase?: string
    readonly conditions?: readonly Condition[]
    readonly podIP?: string
    readonly podIPs?: readonly { readonly ip: string }[]
    readonly startTime?: string
    readonly nominatedNodeName?: string
    readonly reason?: string
    readonly containerStatuses?: readonly ContainerStatus[]
    readonly initContainerStatuses?: readonly ContainerStatus[]
  }
}

/** A Deployment. */
export type Deployment = KubeObject & {
  readonly spec: {
    readonly replicas?: number
    readonly selector: LabelSelector
    readonly template: PodTemplate
    readonly strategy?: {
      readonly type?: string
      readonly rollingUpdate?: { readonly maxSurge?: IntOrPercent; readonly maxUnavailable?: IntOrPercent }
    }
    readonly minReadySeconds?: number
    readonly revisionHistoryLimit?: number
    readonly progressDeadlineSeconds?: number
    readonly paused?: boolean
  }
  readonly status?: DeploymentStatus
}

/** `status` of a Deployment; counts of nought are left out. */
export type DeploymentStatus = {
  readonly observedGeneration?: number
  readonly replicas?: number
  readonly updatedReplicas?: number
  readonly readyReplicas?: number
  readonly availableReplicas?: number
  readonly unavailableReplicas?: number
  readonly terminatingReplicas?: number
  readonly collisionCount?: number
  readonly conditions?: readonly Condition[]
}

/** A ReplicaSet. */
export type ReplicaSet = KubeObject & {
  readonly spec: {
    readonly replicas?: number
    readonly minReadySeconds?: number
    readonly selector: LabelSelector
    readonly template: PodTemplate
  }
  readonly status?: ReplicaSetStatus
}

/** A ReplicationController, as far as it differs from a ReplicaSet. */
export type ReplicationController = KubeObject & {
  readonly spec: { readonly selector?: Readonly<Record<string, string>> }
}

/** `status` of a ReplicaSet. */
export type ReplicaSetStatus = {
  readonly replicas: number
  readonly fullyLabeledReplicas?: number
  readonly readyReplicas?: number
  readonly availableReplicas?: number
  readonly terminatingReplicas?: number
  readonly observedGeneration?: number
  readonly conditions?: readonly Condition[]
}

/** What keeps pods without a toleration from a node. */
export type Taint = {
  readonly key: string
  readonly value?: string
  readonly effect: string
  readonly timeAdded?: string
}

/** A Node. */
export type Node = KubeObject & {
  readonly spec?: {
    readonly unschedulable?: boolean
    readonly taints?: readonly Taint[]
  }
  readonly status?: {
    readonly conditions?: readonly Condition[]
    readonly allocatable?: ResourceList
  }
}

/** A port of a Service. */
export type ServicePort = {
  readonly name?: string
  readonly protocol?: string
  readonly port: number
  readonly targetPort?: number | string
  readonly appProtocol?: string
}

/** A Service. */
export type Service = KubeObject & {
  readonly spec: {
    readonly type?: string
    readonly clusterIP?: string
    readonly ipFamilies?: readonly string[]
    readonly selector?: Readonly<Record<string, string>>
    readonly ports?: readonly ServicePort[]
    readonly publishNotReadyAddresses?: boolean
    readonly trafficDistribution?: string
  }
}

/** Takes an object of a watch or an answer as what its kind says it is: the server has validated it against the kind's schema. */
export function as<T extends KubeObject>(object: KubeObject): T {
  return object as T
}
