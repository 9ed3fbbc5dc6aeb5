import type { ContainerPort, ResourceList } from '../../../lib/kube/container.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { PodSpec as Placed } from '../../workloads/shapes.ts'
import type { Capabilities } from './capabilities.ts'
import type { TrustBundleWish } from './trust-bundles.ts'

/** A source of values for variables and files. */
export type KeyRef = { readonly name?: string; readonly key: string; readonly optional?: boolean }

/** One entry of `env`. */
export type EnvVar = {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: {
    readonly configMapKeyRef?: KeyRef
    readonly secretKeyRef?: KeyRef
    readonly fieldRef?: { readonly fieldPath: string }
    readonly resourceFieldRef?: {
      readonly containerName?: string
      readonly resource: string
      readonly divisor?: string | number
    }
    readonly fileKeyRef?: FileKeyRef
  }
}

/** A variable in a file of a volume. */
export type FileKeyRef = {
  readonly volumeName: string
  readonly path: string
  readonly key: string
  readonly optional?: boolean
}

/** One entry of `envFrom`. */
export type EnvFrom = {
  readonly prefix?: string
  readonly configMapRef?: { readonly name?: string; readonly optional?: boolean }
  readonly secretRef?: { readonly name?: string; readonly optional?: boolean }
}

/** An HTTP request of a probe or hook. */
export type HttpGet = {
  readonly path?: string
  readonly port: number | string
  readonly host?: string
  readonly scheme?: string
  readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[]
}

/** What a probe or hook does. */
export type Action = {
  readonly httpGet?: HttpGet
  readonly tcpSocket?: { readonly port: number | string; readonly host?: string }
  readonly exec?: { readonly command?: readonly string[] }
  readonly grpc?: { readonly port: number; readonly service?: string | null }
  readonly sleep?: { readonly seconds: number }
}

/** A probe, its numbers in seconds. */
export type Probe = Action & {
  readonly initialDelaySeconds?: number
  readonly periodSeconds?: number
  readonly timeoutSeconds?: number
  readonly successThreshold?: number
  readonly failureThreshold?: number
  /** Patience with a container that it ends, instead of the pod's. */
  readonly terminationGracePeriodSeconds?: number
}

/** Where a volume is seen in a container. */
export type VolumeMount = {
  readonly name: string
  readonly mountPath: string
  readonly readOnly?: boolean
  readonly subPath?: string
  readonly subPathExpr?: string
  readonly mountPropagation?: string
  readonly recursiveReadOnly?: string
}

/** Who a process is. */
export type SecurityContext = {
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly runAsNonRoot?: boolean
  readonly readOnlyRootFilesystem?: boolean
  readonly privileged?: boolean
  readonly capabilities?: Capabilities
  readonly seccompProfile?: { readonly type?: string }
  readonly appArmorProfile?: { readonly type?: string }
  readonly seLinuxOptions?: object
  readonly procMount?: string
}

/** Who the processes of a pod are, and which groups own its volumes. */
export type PodSecurityContext = SecurityContext & {
  readonly fsGroup?: number
  readonly supplementalGroups?: readonly number[]
  /** `Strict`: not the groups of the image's /etc/group. */
  readonly supplementalGroupsPolicy?: string
  readonly sysctls?: readonly { readonly name: string; readonly value: string }[]
}

/** A container of a pod. */
export type Container = {
  readonly name: string
  readonly image: string
  readonly imagePullPolicy?: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly workingDir?: string
  readonly env?: readonly EnvVar[]
  readonly envFrom?: readonly EnvFrom[]
  readonly ports?: readonly ContainerPort[]
  readonly volumeMounts?: readonly VolumeMount[]
  /** Block devices. */
  readonly volumeDevices?: readonly unknown[]
  readonly resources?: Resources
  readonly resizePolicy?: readonly { readonly resourceName: string; readonly restartPolicy?: string }[]
  readonly readinessProbe?: Probe
  readonly livenessProbe?: Probe
  readonly startupProbe?: Probe
  readonly terminationMessagePath?: string
  readonly terminationMessagePolicy?: string
  readonly lifecycle?: {
    readonly preStop?: Action
    readonly postStart?: Action
    /** Instead of the image's. */
    readonly stopSignal?: string
  }
  readonly securityContext?: SecurityContext
  readonly stdin?: boolean
  /** The first who attaches closes the input when done. */
  readonly stdinOnce?: boolean
  readonly tty?: boolean
  /** Instead of the pod's; `Always` makes a sidecar of an init container. */
  readonly restartPolicy?: string
  readonly restartPolicyRules?: readonly RestartRule[]
}

/** What is done about some exit codes of a container, whatever its policy is. */
export type RestartRule = {
  readonly action?: string
  readonly exitCodes?: { readonly operator: string; readonly values?: readonly number[] }
}

/** A container that was added to a running pod, to look into it. */
export type EphemeralContainer = Container & {
  /** Whose processes it sees. */
  readonly targetContainerName?: string
}

/** What a container asks for, and what it may use at most. */
export type Resources = {
  readonly limits?: ResourceList
  readonly requests?: ResourceList
  /** Devices that the pod has claimed. */
  readonly claims?: readonly unknown[]
}

/** Keys shown as files. */
export type FileItems = {
  readonly items?: readonly { readonly key: string; readonly path: string; readonly mode?: number }[]
}

/** Fields shown as files. */
export type DownwardFiles = {
  readonly items?: readonly {
    readonly path: string
    readonly mode?: number
    readonly fieldRef?: { readonly fieldPath: string }
    readonly resourceFieldRef?: {
      readonly resource: string
      readonly containerName?: string
      readonly divisor?: string | number
    }
  }[]
}

/** A certificate that a projected volume shows, and in which files. */
export type CertificateProjection = CertificateWish & {
  readonly credentialBundlePath?: string
  readonly keyPath?: string
  readonly certificateChainPath?: string
}

/** What is asked of who signs a certificate. */
export type CertificateWish = {
  readonly signerName: string
  readonly keyType: string
  readonly maxExpirationSeconds?: number
  readonly userAnnotations?: Readonly<Record<string, string>>
}

/** One part of a projected volume. */
export type Projection = {
  readonly configMap?: { readonly name?: string; readonly optional?: boolean } & FileItems
  readonly secret?: { readonly name?: string; readonly optional?: boolean } & FileItems
  readonly downwardAPI?: DownwardFiles
  readonly serviceAccountToken?: {
    readonly path: string
    readonly audience?: string
    readonly expirationSeconds?: number
  }
  readonly clusterTrustBundle?: TrustBundleWish
  readonly podCertificate?: CertificateProjection
}

/** A volume of a pod. */
export type Volume = {
  readonly name: string
  readonly emptyDir?: { readonly medium?: string; readonly sizeLimit?: string | number }
  readonly hostPath?: { readonly path: string; readonly type?: string }
  readonly image?: { readonly reference?: string; readonly pullPolicy?: string }
  readonly persistentVolumeClaim?: { readonly claimName: string; readonly readOnly?: boolean }
  readonly ephemeral?: unknown
  readonly configMap?: {
    readonly name?: string
    readonly optional?: boolean
    readonly defaultMode?: number
  } & FileItems
  readonly secret?: {
    readonly secretName?: string
    readonly optional?: boolean
    readonly defaultMode?: number
  } & FileItems
  readonly downwardAPI?: DownwardFiles & { readonly defaultMode?: number }
  readonly projected?: { readonly sources?: readonly Projection[]; readonly defaultMode?: number }
}

/** `spec` of a pod. */
export type PodSpec = Pick<Placed, 'nodeSelector' | 'affinity' | 'tolerations'> & {
  readonly os?: { readonly name: string }
  readonly containers: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly ephemeralContainers?: readonly EphemeralContainer[]
  readonly volumes?: readonly Volume[]
  readonly nodeName?: string
  readonly hostname?: string
  readonly hostnameOverride?: string
  readonly setHostnameAsFQDN?: boolean
  readonly restartPolicy?: string
  readonly terminationGracePeriodSeconds?: number
  readonly serviceAccountName?: string
  /** Secrets with logins for registries. */
  readonly imagePullSecrets?: readonly { readonly name?: string }[]
  readonly enableServiceLinks?: boolean
  readonly hostNetwork?: boolean
  readonly hostPID?: boolean
  readonly hostIPC?: boolean
  readonly hostUsers?: boolean
  readonly shareProcessNamespace?: boolean
  readonly runtimeClassName?: string
  readonly resourceClaims?: readonly unknown[]
  readonly securityContext?: PodSecurityContext
  readonly subdomain?: string
  readonly dnsPolicy?: string
  readonly dnsConfig?: {
    readonly nameservers?: readonly string[]
    readonly searches?: readonly string[]
    readonly options?: readonly { readonly name: string; readonly value?: string }[]
  }
  readonly hostAliases?: readonly { readonly ip: string; readonly hostnames?: readonly string[] }[]
  readonly activeDeadlineSeconds?: number
  readonly priority?: number
  readonly priorityClassName?: string
  /** What the pod asks for and may use as a whole. */
  readonly resources?: Resources
  /** Conditions that others give the pod, without which it is not Ready. */
  readonly readinessGates?: readonly { readonly conditionType: string }[]
}

/** Whether a pod is one of the system's own, which are taken in whatever the node lacks, and not evicted. */
export function isCritical({ spec: { priority = 0 } }: Pod): boolean {
  return priority >= 2_000_000_000
}

/** Every container of a pod. */
export function containersOf({
  containers,
  initContainers = [],
  ephemeralContainers = [],
}: PodSpec): readonly Container[] {
  return [...containers, ...initContainers, ...ephemeralContainers]
}

/** State of a container, as the API writes it. */
export type ContainerState = {
  readonly waiting?: { readonly reason: string; readonly message?: string }
  readonly running?: { readonly startedAt: string }
  readonly terminated?: {
    readonly exitCode: number
    readonly signal?: number
    readonly reason: string
    readonly message?: string
    readonly startedAt?: string
    readonly finishedAt?: string
    readonly containerID?: string
  }
}

/** `containerStatuses[]`. */
export type ContainerStatus = {
  readonly name: string
  readonly image: string
  readonly imageID: string
  readonly containerID?: string
  readonly ready: boolean
  readonly started?: boolean
  readonly restartCount: number
  readonly state: ContainerState
  readonly lastState: ContainerState
  /** What it was given, by a node that can give it something else while it runs. */
  readonly resources?: Resources
  readonly allocatedResources?: ResourceList
  readonly volumeMounts?: readonly MountStatus[]
  /** Who its first process is; where the driver knows. */
  readonly user?: {
    readonly linux: { readonly uid: number; readonly gid: number; readonly supplementalGroups: readonly number[] }
  }
}

/** `volumeMounts[]` of a status. */
export type MountStatus = Pick<VolumeMount, 'name' | 'mountPath' | 'readOnly' | 'recursiveReadOnly'>

/** A condition of a pod. */
export type PodCondition = {
  readonly type: string
  readonly observedGeneration?: number
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string | null
  readonly lastProbeTime?: string | null
}

/** `status` of a pod. */
export type PodStatus = {
  readonly observedGeneration?: number
  readonly phase?: string
  readonly reason?: string
  readonly message?: string
  readonly conditions?: readonly PodCondition[]
  readonly hostIP?: string
  readonly hostIPs?: readonly { readonly ip: string }[]
  readonly podIP?: string
  readonly podIPs?: readonly { readonly ip: string }[]
  readonly startTime?: string
  readonly initContainerStatuses?: readonly ContainerStatus[]
  readonly containerStatuses?: readonly ContainerStatus[]
  readonly ephemeralContainerStatuses?: readonly ContainerStatus[]
  readonly qosClass?: string
}

/** A pod. */
export type Pod = KubeObject & { readonly spec: PodSpec; readonly status?: PodStatus }

/** Takes an object of the API server, which has checked its shape, for a pod; undefined for anything else. */
export function parsePod(object: KubeObject): Pod | undefined {
  const spec = object['spec']
  const isPod = object.kind === 'Pod' && typeof spec === 'object' && spec !== null && 'containers' in spec
  return isPod ? (object as Pod) : undefined
}

/** `uid` of a pod; static pods without one do not exist here. */
export function uidOf(pod: Pod): string {
  return pod.metadata.uid ?? `${pod.metadata.namespace}.${pod.metadata.name}`
}

/** How Events name a container of a pod. */
export function fieldOf({ spec }: Pod, name: string): string {
  const isIn = (list: readonly { readonly name: string }[] = []): boolean => list.some((each) => each.name === name)
  if (isIn(spec.initContainers)) return `spec.initContainers{${name}}`
  return `spec.${isIn(spec.ephemeralContainers) ? 'ephemeralContainers' : 'containers'}{${name}}`
}

/** How a kubelet's messages name a pod. */
export function labelOf({ metadata }: Pod): string {
  return `${metadata.name}_${metadata.namespace ?? ''}(${metadata.uid ?? ''})`
}
